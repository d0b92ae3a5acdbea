/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gap keyring, agent half. Everything below is called with the lock held. */
#ifndef LICHEN_GAPS_KEYRING_INT_H
#define LICHEN_GAPS_KEYRING_INT_H

#include "agent/vfs.h"
#include "gaps/keyring/keyring.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/keyring/keyring.def"
#undef GAP_CALL

/* Of the possessor; shifted by 8 for others, by 16 for the group and the user (keyctl_setperm(3)). */
enum key_need { NEED_VIEW = 1, NEED_READ = 2, NEED_WRITE = 4, NEED_SEARCH = 8, NEED_LINK = 16, NEED_SETATTR = 32 };
#define PERM_ALL 0x3f3f3f3fu

/* A key, and whether the caller possesses it: reaches it from its own keyrings. */
struct key_ref {
	struct keyring_key *key;
	bool possessed;
};

static inline struct keyring_area *keyring_area(void)
{
	return commons_area(GAP_keyring);
}

/* --- key_store.c ------------------------------------------------------------------------------------------------------------------------ */

/* 0 with the lock, or -ENOMEM. */
long keys_lock(void) MUST_CHECK;
void keys_unlock(void);
/* A new key without contents; NULL: there is no room. */
struct keyring_key *key_new(u32 type, const char *name, u32 perm, u32 flags);
void key_drop(struct keyring_key *key);
struct keyring_key *key_by_serial(s32 serial);
/* Contents: replaced as a whole, -ENOMEM; read from an offset, as much as there is. */
long key_fill(struct keyring_key *key, const void *bytes, u32 size) MUST_CHECK;
u32 key_size(const struct keyring_key *key);
u32 key_read(const struct keyring_key *key, u32 at, void *to, u32 size);
/* Links of a keyring: the n-th, or NULL (behind the last, or what is gone). */
u32 key_links(const struct keyring_key *key);
struct keyring_key *key_link_at(const struct keyring_key *key, u32 n);
long key_link(struct keyring_key *keyring, struct keyring_key *key) MUST_CHECK;
long key_unlink(struct keyring_key *keyring, const struct keyring_key *key) MUST_CHECK;
/* What nobody holds goes. */
void keys_sweep(void);
/* Keyrings that go with a task: 0: none. */
s32 key_held(s32 task, u32 kind);
void key_hold(s32 task, u32 kind, s32 serial);
void key_let_go(s32 task, u32 kind);

/* --- key_access.c ----------------------------------------------------------------------------------------------------------------------- */

/* 0, -EKEYREVOKED, -EKEYEXPIRED, -ENOKEY: whether it can be used at all. */
long key_valid(const struct keyring_key *key) MUST_CHECK;
long key_permits(const struct key_ref *ref, u32 need) MUST_CHECK;
/* By number or KEY_SPEC_… need 0: everybody may. */
enum look { LOOK_CREATE = 1, LOOK_PARTIAL = 2 };
long key_find(s32 id, u32 look, u32 need, struct key_ref *ret) MUST_CHECK;
/* From a keyring on; from all of the caller's. -EAGAIN: there is none, and other errors of keys that fit. */
long key_search(const struct key_ref *from, u32 type, const char *name, struct key_ref *ret) MUST_CHECK;
long key_search_own(u32 type, const char *name, struct key_ref *ret) MUST_CHECK;
/* A session keyring, the caller's from now on. name NULL: without one. Its serial number, or negative errno. */
long key_join(const char *name) MUST_CHECK;
/* Whether one lies in another, so that linking would close a circle. */
bool key_lies_in(const struct keyring_key *inner, const struct keyring_key *outer, u32 depth);

#endif
