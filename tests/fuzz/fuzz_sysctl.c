/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parser of what is written to a sysctl (sysctl_value.c): a row, a position, the value before, the bytes. A refusal is an errno, what is taken
 * is not more than was given, the new value is a text that the same file takes and reads back unchanged. Then a path is looked up.
 */
#include "fuzz.h"
#include "gaps/sysctl/sysctl_table.h"

static bool reads_back(u8 kind)
{
	return kind != SYSCTL_ACTION && kind != SYSCTL_IGNORED && kind != SYSCTL_MS; /* 2^31-1 ms are more when rounded */
}

static void look_up(struct input *in)
{
	struct sysctl_found found;
	char path[256], name[64];
	bool directory;

	input_line(in, path, sizeof(path));
	if (!sysctl_lookup(path, &found))
		return;
	MUST(found.row < sysctl_rows() && memchr(found.instance, 0, sizeof(found.instance)));
	if (found.directory && strlen(path) < 60 && sysctl_child(path, found.row % 7, name, &directory))
		MUST(name[0] && memchr(name, 0, sizeof(name)));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size }, bytes;
	const struct sysctl_row *row = sysctl_row_at((u32)input_number(&in, 2) % sysctl_rows());
	u64 room = row->kind == SYSCTL_BITMAP ? SYSCTL_WIDE_SIZE : SYSCTL_TEXT_SIZE, offset = input_number(&in, 1);
	char *text = calloc(1, room), *again = calloc(1, room);
	u64 *bits = calloc(1, 65536 / 8);
	struct sysctl_write write = { .offset = offset < 128 ? 0 : offset - 128, .min = row->min, .max = row->max, .bits = bits };
	long n;

	input_line(&in, text, room < 200 ? room : 200);
	bytes = input_take(&in, 4095);
	write.bytes = (const char *)bytes.at;
	write.size = bytes.left;
	n = sysctl_value_write(row, &write, text, room);
	MUST(n > -4096 && n <= (long)bytes.left && memchr(text, 0, room));
	if (n > 0 && text[0] && reads_back(row->kind) && !write.offset) {
		write.bytes = text;
		write.size = strlen(text);
		if (row->kind == SYSCTL_CHOICE) /* one of them wants a newline */
			text[write.size++] = '\n';
		n = sysctl_value_write(row, &write, again, room);
		text[strcspn(text, "\n")] = 0;
		MUST(n > 0 || row->count > 1);
		MUST(row->count > 1 || !strcmp(text, again));
	}
	in = (struct input){ data, size };
	look_up(&in);
	free(text);
	free(again);
	free(bits);
	return 0;
}
