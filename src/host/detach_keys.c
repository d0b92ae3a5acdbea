/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the keys that detach. */
#include "host/detach_keys.h"

#include <errno.h>
#include <string.h>

static int control_of(char key)
{
	if (key >= 'a' && key <= 'z')
		return key & 0x1f;
	return key >= '@' && key <= '_' && !(key >= 'A' && key <= 'Z') ? key & 0x1f : -EINVAL;
}

/* One key, up to its end. */
static int parse_key(const char *text, size_t size)
{
	if (size == 1)
		return (u8)*text;
	return size == 6 && strncmp(text, "ctrl-", 5) == 0 ? control_of(text[5]) : -EINVAL;
}

int detach_keys_parse(const char *text, struct detach_keys *ret)
{
	struct detach_keys keys = { .count = 0 };

	for (const char *at = text; *text;) {
		size_t size = strcspn(at, ",");
		int key = parse_key(at, size);

		if (key < 0 || keys.count == DETACH_KEYS_MAX)
			return -EINVAL;
		keys.keys[keys.count++] = (char)key;
		if (!at[size])
			break;
		at += size + 1;
	}
	*ret = keys;
	return 0;
}

/* How many of the first keys the last ones typed are, when `matched` were and then came another. */
static u32 go_on_with(const struct detach_keys *keys, char typed)
{
	char tail[DETACH_KEYS_MAX + 1];
	u32 length = keys->matched + 1;

	memcpy(tail, keys->keys, keys->matched);
	tail[keys->matched] = typed;
	for (u32 kept = keys->matched; kept > 0; kept--)
		if (memcmp(tail + length - kept, keys->keys, kept) == 0)
			return kept;
	return 0;
}

bool detach_keys_filter(struct detach_keys *keys, const char *typed, size_t size, char *ret, size_t *ret_size)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++) {
		u32 kept, out;

		if (keys->count && typed[i] == keys->keys[keys->matched]) {
			if (++keys->matched < keys->count)
				continue;
			keys->matched = 0;
			*ret_size = length;
			return true;
		}
		kept = go_on_with(keys, typed[i]);
		out = keys->matched + 1 - kept; /* of the keys kept back, and this one */
		memcpy(ret + length, keys->keys, out < keys->matched ? out : keys->matched);
		if (out > keys->matched)
			ret[length + keys->matched] = typed[i];
		length += out;
		keys->matched = kept;
	}
	*ret_size = length;
	return false;
}
