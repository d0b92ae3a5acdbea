/* SPDX-License-Identifier: Apache-2.0 */
/* Supplementary groups (kernel/groups.c): as many as Linux allows; kept and told in rising order. */
#include "gaps/identity/identity_int.h"

/* Sorts in place (heapsort: no stack, no worst case). */
static void sift(u32 *gids, u32 root, u32 count)
{
	for (u32 child; (child = 2 * root + 1) < count; root = child) {
		u32 kept = gids[root];

		if (child + 1 < count && gids[child + 1] > gids[child])
			child++;
		if (kept >= gids[child])
			return;
		gids[root] = gids[child];
		gids[child] = kept;
	}
}

static void sort(u32 *gids, u32 count)
{
	for (u32 i = count / 2; i > 0; i--)
		sift(gids, i - 1, count);
	for (u32 end = count; end > 1; end--) {
		u32 last = gids[end - 1];

		gids[end - 1] = gids[0];
		gids[0] = last;
		sift(gids, 0, end - 1);
	}
}

enum verdict identity_getgroups(struct call *call)
{
	s32 size = (s32)call->arg[0];
	u32 count;
	const u32 *gids = identity_groups(identity_self(), &count);

	if (size < 0 || (size && count > (u32)size))
		return identity_done(call, -EINVAL);
	if (size && count && guest_write(call->arg[1], gids, count * sizeof(*gids)) < 0)
		return identity_done(call, -EFAULT);
	return identity_done(call, count);
}

/* Copies the guest's groups: they must all be there, and none may be -1. */
static long take(u32 *to, u64 from, u32 count)
{
	if (count && guest_read(to, from, count * sizeof(*to)) < 0)
		return -EFAULT;
	for (u32 i = 0; i < count; i++)
		if (to[i] == UINT32_MAX)
			return -EINVAL;
	sort(to, count);
	return 0;
}

static long become_member(const u32 *gids, u32 count)
{
	struct identity_cred cred = *identity_self();
	long list = identity_list(gids, count);

	if (list < 0)
		return list;
	cred.groups = (u32)list;
	return identity_become(&cred);
}

enum verdict identity_setgroups(struct call *call)
{
	u32 count = (u32)call->arg[0], *gids = agent_scratch();
	u64 mapped = 0;
	long r;

	if (!identity_capable(identity_self(), CAP_SETGID_))
		return identity_done(call, -EPERM);
	if (count > IDENTITY_NGROUPS_MAX)
		return identity_done(call, -EINVAL);
	if (count * sizeof(*gids) > AGENT_SCRATCH) {
		mapped = ALIGN_UP(count * sizeof(*gids), LAYOUT_PAGE);
		r = sys6(__NR_mmap, 0, mapped, 3, 0x22 /* PRIVATE|ANONYMOUS */, ~UINT64_C(0), 0);
		if (r < 0 && r > -4096)
			return identity_done(call, -ENOMEM);
		gids = (u32 *)r; /* NOLINT(performance-no-int-to-ptr) */
	}
	r = take(gids, call->arg[1], count);
	if (r == 0)
		r = become_member(gids, count);
	if (mapped)
		(void)sys2(__NR_munmap, gids, mapped);
	return identity_done(call, r);
}

void identity_start_as(const struct identity_start *who)
{
	struct identity_cred cred = { .uid = { who->uid, who->uid, who->uid, who->uid },
				      .gid = { who->gid, who->gid, who->gid, who->gid } };
	u32 gids[IDENTITY_GROUPS_MAX];
	long list, r;

	for (u32 n = 0; n < who->group_count && n < IDENTITY_GROUPS_MAX; n++) { /* in rising order */
		u32 at = n;

		for (; at > 0 && gids[at - 1] > who->groups[n]; at--)
			gids[at] = gids[at - 1];
		gids[at] = who->groups[n];
	}
	cred.caps.bounding = identity_of(0)->caps.bounding;
	if (who->uid == 0)
		cred.caps.permitted = cred.caps.effective = cred.caps.bounding;
	list = identity_list(gids, who->group_count);
	cred.groups = list > 0 ? (u32)list : 0;
	r = list < 0 ? list : identity_become(&cred);
	if (r < 0)
		agent_die("cannot become the user that was asked for (--user)", r);
	(void)sys2(__NR_prctl, 1 /* PR_SET_PDEATHSIG */, 9); /* which becoming somebody else took away */
}
