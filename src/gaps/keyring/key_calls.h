/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gap keyring: operations of keyctl(2). Arguments are those behind the operation; the lock is held; the result is the call's. */
#ifndef LICHEN_GAPS_KEYRING_KEY_CALLS_H
#define LICHEN_GAPS_KEYRING_KEY_CALLS_H

#include "gaps/keyring/keyring_int.h"

static inline enum verdict key_done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

const char *key_type_name(const struct keyring_key *key);
/* How many keys and bytes count for a user. */
void key_usage(u32 uid, u32 *ret_keys, u32 *ret_bytes);

long keyctl_get_id(const u64 *a);
long keyctl_join(const u64 *a);
long keyctl_update(const u64 *a);
long keyctl_revoke(const u64 *a);
long keyctl_chown(const u64 *a);
long keyctl_setperm(const u64 *a);
long keyctl_describe(const u64 *a); /* keyring_agent.c */
long keyctl_clear(const u64 *a);
long keyctl_link(const u64 *a);
long keyctl_unlink(const u64 *a);
long keyctl_search(const u64 *a);
long keyctl_read(const u64 *a);
long keyctl_set_timeout(const u64 *a);
long keyctl_invalidate(const u64 *a);

#endif
