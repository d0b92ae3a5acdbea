/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that are looked for in what is typed: docker's --detach-keys, written as `ctrl-p,ctrl-q` or `a,b,c`. What may be their beginning is kept back
 * until the next key says that it is not.
 */
#ifndef LICHEN_HOST_DETACH_KEYS_H
#define LICHEN_HOST_DETACH_KEYS_H

#include "base/types.h"

#define DETACH_KEYS_MAX 16u
#define DETACH_KEYS_DEFAULT ((struct detach_keys){ .keys = { 'p' & 0x1f, 'q' & 0x1f }, .count = 2 })

struct detach_keys {
	char keys[DETACH_KEYS_MAX];
	u32 count;   /* 0 = none are looked for */
	u32 matched; /* keys that have been typed, and kept back */
};

/* Reads keys separated by commas: a character, or ctrl-X with X one of a-z @ [ \ ] ^ _. "" = none. 0 or -EINVAL. */
int detach_keys_parse(const char *text, struct detach_keys *ret) MUST_CHECK;

/*
 * Takes what was typed, which may go on at the next call. ret[], with room for size + DETACH_KEYS_MAX bytes, gets what goes to the command; *ret_size
 * says how much that is. Returns whether the keys were typed: what followed them is dropped.
 */
bool detach_keys_filter(struct detach_keys *keys, const char *typed, size_t size, char *ret, size_t *ret_size);

#endif
