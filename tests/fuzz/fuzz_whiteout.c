/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two layers of well-formed entries with treacherous names: whiteouts take away and never become files, links are not followed. Input: for each
 * entry a byte for its kind, bytes for the components of its name up to one that ends it; kind 255 begins the second layer.
 */
#include "image/tar_write.h"
#include "unpack_place.h"

struct layer {
	u8 bytes[1 << 18];
	size_t size;
};

static int to_layer(void *arg, const void *data, size_t size)
{
	struct layer *layer = arg;

	if (size > sizeof(layer->bytes) - layer->size)
		return -ENOSPC;
	memcpy(layer->bytes + layer->size, data, size);
	layer->size += size;
	return 0;
}

static void read_name(struct input *in, char *name, size_t size)
{
	static const char *const parts[] = { "a",    "b",     "d",         "l",  ".wh.a", ".wh.d", ".wh.l", ".wh..wh..opq",
					     ".wh.", ".wh..", ".wh..wh.x", "..", ".",     "" };
	size_t used = 0;

	do {
		u8 byte = (u8)input_number(in, 1);
		const char *part = parts[byte % ARRAY_SIZE(parts)];

		if (used + strlen(part) + 2 > size)
			break;
		used += (size_t)snprintf(name + used, size - used, "%s%s", used ? "/" : "", part);
		if (byte & 0x80)
			break;
	} while (in->left);
	name[used] = '\0';
}

static int find_whiteout(void *arg, int dir, const char *name)
{
	(void)arg;
	MUST(strncmp(name, ".wh.", 4) != 0);
	int below = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (below >= 0) {
		MUST(tree_each(below, find_whiteout, NULL) == 0);
		close(below);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct layer layer;
	const struct tar_sink sink = { to_layer, &layer };
	struct place place = place_make();
	struct input in = { data, size };
	int result = 0;

	for (int number = 0; number < 2 && !result; number++) {
		layer.size = 0;
		while (in.left) {
			u8 kind = (u8)input_number(&in, 1);
			char name[256], link[256];

			if (kind == 255)
				break;
			read_name(&in, name, sizeof(name));
			struct tar_entry entry = { .name = name, .type = (char)('0' + kind % 7), .mode = kind, .uid = kind & 1 };
			if (entry.type == '1' || entry.type == '2') {
				read_name(&in, link, sizeof(link));
				entry.link = link;
			}
			if (tar_header(&sink, &entry))
				break;
		}
		if (tar_end(&sink))
			break;
		result = place_unpack(&place, layer.bytes, layer.size);
	}
	if (!result)
		MUST(tree_each(place.root, find_whiteout, NULL) == 0);
	place_check(&place);
	return 0;
}
