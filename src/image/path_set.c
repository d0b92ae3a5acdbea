// SPDX-License-Identifier: Apache-2.0
/* A set of paths: open addressing over SipHash. */
#include "image/path_set.h"

#include <assert.h>
#include <errno.h>
#include <sodium/crypto_shorthash.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8, "SipHash-2-4");

int path_set_init(struct path_set *set)
{
	*set = (struct path_set){ .room = 1024 };
	if (getrandom(set->key, sizeof(set->key), 0) != sizeof(set->key))
		return -errno;
	set->slots = calloc(set->room, sizeof(*set->slots));
	return set->slots ? 0 : -ENOMEM;
}

void path_set_done(struct path_set *set)
{
	free(set->slots);
	*set = (struct path_set){ 0 };
}

static u64 hash_of(const struct path_set *set, const char *path, size_t length)
{
	u64 hash;
	crypto_shorthash((u8 *)&hash, (const u8 *)path, length, set->key);
	return hash ? hash : 1;
}

/* The slot that holds the hash, or the free one where it belongs. */
static u64 *find(u64 *slots, size_t room, u64 hash)
{
	size_t at = (size_t)hash & (room - 1);
	while (slots[at] && slots[at] != hash)
		at = (at + 1) & (room - 1);
	return &slots[at];
}

static int grow(struct path_set *set)
{
	size_t room = set->room * 2;
	u64 *slots = calloc(room, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < set->room; i++)
		if (set->slots[i])
			*find(slots, room, set->slots[i]) = set->slots[i];
	free(set->slots);
	set->slots = slots;
	set->room = room;
	return 0;
}

int path_set_add(struct path_set *set, const char *path, size_t length)
{
	u64 hash = hash_of(set, path, length);
	u64 *slot = find(set->slots, set->room, hash);
	if (*slot)
		return 0;
	if (set->count * 2 >= set->room) {
		int error = grow(set);
		if (error)
			return error;
		slot = find(set->slots, set->room, hash);
	}
	*slot = hash;
	set->count++;
	return 1;
}

bool path_set_has(const struct path_set *set, const char *path, size_t length)
{
	return *find(set->slots, set->room, hash_of(set, path, length)) != 0;
}
