/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identities and lists of groups, each kept once: tables with open addressing, found by the hash of what they hold. A row is claimed by
 * compare-and-swap, filled, and shown by one store; one that its writer left unfinished stays unused.
 */
#include "gaps/identity/identity_int.h"

static u32 hash_bytes(const void *bytes, u64 size)
{
	const u8 *at = bytes;
	u32 hash = 2166136261u; /* FNV-1a */

	for (u64 i = 0; i < size; i++)
		hash = (hash ^ at[i]) * 16777619u;
	return hash;
}

static bool claim(u32 *state)
{
	u32 none = IDENTITY_FREE;

	return __atomic_compare_exchange_n(state, &none, IDENTITY_WRITING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool ready(const u32 *state)
{
	return __atomic_load_n(state, __ATOMIC_ACQUIRE) == IDENTITY_READY;
}

const struct identity_cred *identity_of(u32 word)
{
	return &identity_area()->row[word < IDENTITY_CREDS ? word : 0].cred;
}

const struct identity_cred *identity_self(void)
{
	return identity_of(agent_task_word());
}

long identity_word(const struct identity_cred *cred)
{
	struct identity_area *area = identity_area();
	u32 hash = hash_bytes(cred, sizeof(*cred));

	if (!memcmp(&area->row[0].cred, cred, sizeof(*cred)))
		return 0;
	for (u32 i = 0; i < IDENTITY_CREDS - 1; i++) {
		u32 at = 1 + (hash + i) % (IDENTITY_CREDS - 1);
		struct identity_row *row = &area->row[at];

		if (claim(&row->state)) {
			row->hash = hash;
			row->cred = *cred;
			__atomic_store_n(&row->state, IDENTITY_READY, __ATOMIC_RELEASE);
			return at;
		}
		if (ready(&row->state) && row->hash == hash && !memcmp(&row->cred, cred, sizeof(*cred)))
			return at;
	}
	return -EAGAIN;
}

long identity_become(const struct identity_cred *cred)
{
	const struct identity_cred *old = identity_self();
	long word = identity_word(cred);

	if (word < 0)
		return word;
	if (old->uid.effective != cred->uid.effective || old->gid.effective != cred->gid.effective || old->uid.fs != cred->uid.fs ||
	    old->gid.fs != cred->gid.fs || (cred->caps.permitted & ~old->caps.permitted))
		(void)sys2(__NR_prctl, 1 /* PR_SET_PDEATHSIG */, 0); /* commit_creds() */
	agent_task_word_set((u32)word);
	identity_publish((s32)sys0(__NR_gettid), (u32)word);
	return 0;
}

/* --- groups ------------------------------------------------------------------------------------------------------------------------ */

static bool same_list(const struct identity_list *list, u32 hash, const u32 *gids, u32 count)
{
	return ready(&list->state) && list->hash == hash && list->count == count &&
	       !memcmp(identity_area()->gid + list->first, gids, count * sizeof(*gids));
}

/* Room for count groups: its start, or -ENOMEM. */
static long take_gids(u32 count)
{
	u32 *used = &identity_area()->gids_used, first = __atomic_load_n(used, __ATOMIC_RELAXED);

	do
		if (first > IDENTITY_GIDS || count > IDENTITY_GIDS - first)
			return -ENOMEM;
	while (!__atomic_compare_exchange_n(used, &first, first + count, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return first;
}

long identity_list(const u32 *gids, u32 count)
{
	struct identity_area *area = identity_area();
	u32 hash = hash_bytes(gids, count * sizeof(*gids));

	for (u32 i = 0; count && i < IDENTITY_LISTS - 1; i++) {
		u32 at = 1 + (hash + i) % (IDENTITY_LISTS - 1);
		struct identity_list *list = &area->list[at];
		long first;

		if (same_list(list, hash, gids, count))
			return at;
		if (!claim(&list->state))
			continue;
		first = take_gids(count);
		if (first < 0) {
			__atomic_store_n(&list->state, IDENTITY_FREE, __ATOMIC_RELEASE);
			return first;
		}
		memcpy(area->gid + first, gids, count * sizeof(*gids));
		list->hash = hash;
		list->count = count;
		list->first = (u32)first;
		__atomic_store_n(&list->state, IDENTITY_READY, __ATOMIC_RELEASE);
		return at;
	}
	return count ? -ENOMEM : 0;
}

const u32 *identity_groups(const struct identity_cred *cred, u32 *count)
{
	const struct identity_list *list = &identity_area()->list[cred->groups % IDENTITY_LISTS];

	*count = list->count;
	return identity_area()->gid + list->first;
}

bool identity_in_groups(const struct identity_cred *cred, u32 gid)
{
	u32 low = 0, high;
	const u32 *gids = identity_groups(cred, &high);

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (gids[middle] == gid)
			return true;
		if (gids[middle] < gid)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* --- what others are ---------------------------------------------------------------------------------------------------------------- */

#define PROBES 16u

static u64 *find_pid(s32 pid)
{
	u64 *table = identity_area()->pid;

	for (u32 i = 0; i < PROBES; i++) {
		u64 *at = &table[((u32)pid + i * 37) % IDENTITY_PIDS];

		if ((s32)(__atomic_load_n(at, __ATOMIC_ACQUIRE) >> 32) == pid)
			return at;
	}
	return NULL;
}

/* Where all its places are taken, another one's is. */
void identity_publish(s32 pid, u32 word)
{
	u64 *table = identity_area()->pid, *at = find_pid(pid), value = (u64)(u32)pid << 32 | word;

	for (u32 i = 0; i < PROBES && !at; i++) {
		u64 none = 0;

		if (__atomic_compare_exchange_n(&table[((u32)pid + i * 37) % IDENTITY_PIDS], &none, value, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return;
	}
	__atomic_store_n(at ? at : &table[(u32)pid % IDENTITY_PIDS], value, __ATOMIC_RELEASE);
}

void identity_forget(s32 pid)
{
	u64 *at = find_pid(pid);

	if (at)
		__atomic_store_n(at, 0, __ATOMIC_RELEASE);
}

const struct identity_cred *identity_published(s32 pid)
{
	const u64 *at = find_pid(pid);

	return at ? identity_of((u32)__atomic_load_n(at, __ATOMIC_ACQUIRE)) : NULL;
}
