/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The area of gap keyring in the commons: keys, the blocks that hold what is in them, and which task holds which keyring. All under one lock; a key is
 * shown by its state and its contents by one store, so that whoever takes the lock of a dead owner only counts the blocks anew.
 *
 * Limits of a cell: 1024 keys (then EDQUOT), descriptions of 255 bytes (then EINVAL), 4 MiB of contents, 1000 links in a keyring (then ENFILE).
 */
#ifndef LICHEN_GAPS_KEYRING_KEYRING_H
#define LICHEN_GAPS_KEYRING_KEYRING_H

#include <assert.h>

#include "abi/commons.h"
#include "base/types.h"

#define KEYS_MAX 1024u
#define KEY_NAME_SIZE 256u
#define KEY_BLOCK 252u
#define KEY_BLOCKS 16384u
#define KEY_LINKS_MAX 1000u
#define KEY_HOLDERS 8192u

enum key_type { KEY_KEYRING = 1, KEY_USER = 2, KEY_LOGON = 3 };

enum key_flag {
	KEY_REVOKED = 1,
	KEY_OF_USER = 2,      /* a user's own keyring: it stays */
	KEY_IN_QUOTA = 4,     /* it counts for its owner */
	KEY_NAMED = 8,        /* a keyring that can be joined by its name */
	KEY_INVALIDATED = 16, /* nobody finds it any more */
};

struct keyring_key {
	u32 used; /* 0: free */
	s32 serial;
	u32 type; /* enum key_type */
	u32 uid, gid, perm;
	u32 flags; /* enum key_flag */
	u32 reached;
	s64 expiry; /* seconds since the Epoch, 0: never */
	u64 data;   /* bytes << 32 | first block + 1: what is in it, of a keyring serial numbers */
	char name[KEY_NAME_SIZE];
};
static_assert(sizeof(struct keyring_key) == 304, "keyring_key is shared between agents");

struct keyring_block {
	u32 next; /* + 1, 0: the last */
	u8 bytes[KEY_BLOCK];
};

/* Whose keyrings go with it. */
enum holder_kind { HOLDER_SESSION = 1, HOLDER_PROCESS, HOLDER_THREAD, HOLDER_EXEC };
struct keyring_holder {
	s32 task; /* 0: free */
	u32 kind; /* enum holder_kind */
	s32 serial;
	u32 reserved;
};

struct keyring_area {
	u32 lock; /* struct lock */
	u32 serials;
	u32 reserved[14];
	struct keyring_key key[KEYS_MAX];
	u8 block_used[KEY_BLOCKS];
	struct keyring_block block[KEY_BLOCKS];
	struct keyring_holder holder[KEY_HOLDERS];
};
static_assert(offsetof(struct keyring_area, key) == 64, "keyring_area is shared between agents");

#define KEYRING_AREA_SIZE ALIGN_UP((u64)sizeof(struct keyring_area), LAYOUT_PAGE)

#endif
