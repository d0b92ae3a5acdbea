/* SPDX-License-Identifier: Apache-2.0 */
/*
 * New namespaces of the kinds that this gap has (namespaces(7)): what unshare(2) and clone(2) make for a view (agent/view.h).
 * A UTS namespace begins with the names of the one that its maker has. IPC namespaces are gap sysvipc's.
 */
#include "gaps/namespaces/ns_int.h"

#define CLONE_NEWCGROUP_ UINT64_C(0x02000000)
#define CLONE_NEWUTS_ UINT64_C(0x04000000)
#define CLONE_NEWIPC_ UINT64_C(0x08000000)
#define CLONE_NEWUSER_ UINT64_C(0x10000000)
#define CLONE_NEWPID_ UINT64_C(0x20000000)
#define CLONE_NEWNET_ UINT64_C(0x40000000)

u32 namespaces_uts(void)
{
	u32 row = agent_uts_space();

	return row < UTS_ROWS ? row : 0;
}

/* Rows are not used again: a view of the machine's names costs 300 bytes. */
static long new_uts(void)
{
	struct namespaces_area *area = namespaces_area();
	struct uts_names names;
	u32 row = __atomic_load_n(&area->uts_used, __ATOMIC_RELAXED);

	do
		if (row >= UTS_ROWS)
			return -ENOSPC;
	while (!__atomic_compare_exchange_n(&area->uts_used, &row, row + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	uts_names_get(&names);
	area->uts[row].names[0] = names;
	return row;
}

/* As copy_pid_ns() and unshare_nsproxy_namespaces(): in a namespace that it has left for its children nobody makes another. */
static long new_pid(struct view_spec *spec)
{
	long row;

	if (spec->pid != spec->pid_children)
		return -EINVAL;
	row = pids_new_space(spec->pid);
	if (row > 0)
		spec->pid_children = (u32)row;
	return row;
}

/* What its root is, gap cgroup notes; without that gap only its number tells of it. */
static long new_cgroup(void)
{
	struct view_state *state = views();
	u32 row = __atomic_load_n(&state->cgroup_spaces, __ATOMIC_RELAXED);

	do
		if (row + 1 >= CGROUP_SPACES_MAX)
			return -ENOSPC;
	while (!__atomic_compare_exchange_n(&state->cgroup_spaces, &row, row + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return row + 1;
}

long namespaces_new(u64 *flags, struct view_spec *spec)
{
	bool ours = commons()->emulated & (1u << GAP_sysvipc); /* else the kernel has IPC objects, and its namespaces */
	u64 wanted = *flags & (CLONE_NEWUTS_ | (ours ? CLONE_NEWIPC_ : 0) |
			       (commons()->fs.table.count ? CLONE_NEWPID_ | CLONE_NEWCGROUP_ | CLONE_NEWNET_ : 0));
	struct agent_creds creds;
	long row;

	if (!wanted)
		return 0;
	agent_creds_get(&creds);
	if (!creds.cap_sys_admin && !(*flags & CLONE_NEWUSER_))
		return -EPERM;
	if (wanted & CLONE_NEWPID_) {
		row = new_pid(spec);
		if (row < 0)
			return row;
	}
	if (wanted & CLONE_NEWIPC_) {
		row = sysvipc_new_space();
		if (row < 0)
			return row;
		spec->ipc = (u32)row;
	}
	if (wanted & CLONE_NEWUTS_) {
		row = new_uts();
		if (row < 0)
			return row;
		spec->uts = (u32)row;
	}
	if (wanted & CLONE_NEWCGROUP_) {
		row = new_cgroup();
		if (row < 0)
			return row;
		spec->cgroup = (u32)row;
		if (cgroup_on())
			cgroup_new_space((u32)row);
	}
	if (wanted & CLONE_NEWNET_)
		spec->net = __atomic_add_fetch(&views()->net_spaces, 1, __ATOMIC_RELAXED);
	if ((wanted & CLONE_NEWNET_) && ns_net_of_kernel())
		wanted &= ~CLONE_NEWNET_; /* the kernel is asked for it as well */
	*flags &= ~wanted;
	return 0;
}
