/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pid namespaces begin with the first child that is born in them, and end with it (pid_view.c).
 *
 *   unshare, clone        take a row (pids_new_space())
 *   the first child       claims to be its init, adopts orphans, and traps the calls that name processes by a filter more (pids.def)
 *   init's exit_group     nobody is born any more, members are killed, and init reaps what is its child
 *   init's other ends     are told to the supervisor (abi/broker.h, BROKER_WATCH_SPACE), which kills them
 *
 * Whoever is born while the namespace ends sees that it does (agent/view.c), or is seen in the list of tasks.
 */
#include "base/kernel_stat.h"
#include "gaps/namespaces/namespaces_int.h"

#define AT_FDCWD_ (-100)
#define AF_UNIX_ 1
#define SOCK_STREAM_ 1
#define SOCK_CLOEXEC_ 02000000
#define F_SETOWN_EX_ 15
#define F_OWNER_PID_ 1
#define PR_SET_CHILD_SUBREAPER_ 36
#define SIGKILL_ 9
#define SIGNALS 64u
#define WALL_ 0x40000000

long pids_new_space(u32 parent)
{
	struct view_state *state = views();
	u32 level = state->pid_space[parent].level + 1, row;

	if (level > PID_LEVELS_MAX)
		return -ENOSPC;
	row = __atomic_load_n(&state->pid_spaces, __ATOMIC_RELAXED);
	do
		if (row + 1 >= PID_SPACES_MAX)
			return -ENOSPC;
	while (!__atomic_compare_exchange_n(&state->pid_spaces, &row, row + 1, true, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	state->pid_space[row + 1].parent = parent;
	state->pid_space[row + 1].level = level;
	return row + 1;
}

void pids_claim(u32 space, s32 child)
{
	s32 none = 0;

	(void)__atomic_compare_exchange_n(&views()->pid_space[space].init, &none, child, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Those signals that the process handles or ignores. */
static u64 handled_signals(void)
{
	u64 handled = 0;

	for (u32 sig = 1; sig <= SIGNALS; sig++) {
		u64 action[4] = { 0 }; /* struct kernel_sigaction: the handler first */

		if (sys4(__NR_rt_sigaction, sig, NULL, action, 8) == 0 && action[0])
			handled |= UINT64_C(1) << (sig - 1);
	}
	return handled;
}

/* The supervisor hears of our end. */
static void ask_for_watch(u32 space)
{
	struct broker_request request = { .kind = BROKER_WATCH_SPACE, .a = space };
	struct {
		s32 type, pid;
	} owner = { F_OWNER_PID_, (s32)sys0(__NR_getpid) };
	s32 pair[2] = { -1, -1 };

	if (sys4(__NR_socketpair, AF_UNIX_, SOCK_STREAM_ | SOCK_CLOEXEC_, 0, pair) < 0)
		return;
	if (sys3(__NR_fcntl, pair[1], F_SETOWN_EX_, &owner) == 0)
		(void)!broker_send(&request, pair[1]);
	(void)sys1(__NR_close, pair[0]);
	(void)sys1(__NR_close, pair[1]);
}

static void trap_calls(void)
{
	struct { /* struct sock_fprog */
		u16 length;
		const u64 *code;
	} program = { (u16)commons()->pids_filter_length, commons()->pids_filter };
	long r = sys3(__NR_seccomp, 1 /* SET_MODE_FILTER */, 0, &program);

	if (r == -ENOSYS)
		r = sys5(__NR_prctl, 22 /* PR_SET_SECCOMP */, 2, &program, 0, 0);
	if (r < 0)
		agent_die("cannot begin in a pid namespace (seccomp)", r);
}

void pids_born(u64 mask, bool trap)
{
	u32 number = agent_view()->pid;
	struct pid_space *space = &views()->pid_space[number];
	s32 me = (s32)sys0(__NR_getpid);

	pids_claim(number, me);
	if (__atomic_load_n(&space->init, __ATOMIC_ACQUIRE) == me) {
		space->handled = handled_signals();
		space->blocked = mask;
		space->adopts = sys5(__NR_prctl, PR_SET_CHILD_SUBREAPER_, 1, 0, 0, 0) == 0 || processes_adopt(agent_pid());
		ask_for_watch(number);
	}
	if (trap)
		trap_calls();
}

void pids_start(u64 mask)
{
	struct pid_space *space = views()->pid_space;
	struct kernel_stat st;
	s32 none = 0;

	if (!views()->agent_inode && sys4(__NR_newfstatat, AT_FDCWD_, "/proc/self/exe", &st, 0) == 0) {
		views()->agent_device = st.dev;
		views()->agent_inode = st.ino;
	}
	if (!commons()->namespaces.pids || __atomic_load_n(&space->init, __ATOMIC_ACQUIRE))
		return; /* or: one more that joins the cell */
	space->blocked = mask;
	space->adopts = sys5(__NR_prctl, PR_SET_CHILD_SUBREAPER_, 1, 0, 0, 0) == 0 || processes_adopt(agent_pid());
	(void)__atomic_compare_exchange_n(&space->init, &none, agent_pid(), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* --- its end -------------------------------------------------------------------------------------------------------------------------- */

/* Kills the members of a namespace and of those below it, but the caller. */
static void kill_members(u32 space)
{
	const struct view_state *state = views();
	s32 me = (s32)sys0(__NR_getpid);

	for (u32 i = 0; i < VIEW_TASKS_MAX; i++) {
		u64 at = __atomic_load_n(&state->task[i], __ATOMIC_SEQ_CST);
		s32 task = (s32)(at >> 32);
		u32 of;

		if (!at || task == me || !pids_is_below(view_entry_pid_space(at), space))
			continue;
		of = pids_space_of(task);
		if (of < PID_SPACES_MAX && pids_is_below(of, space))
			(void)sys2(__NR_kill, task, SIGKILL_);
	}
}

void pids_ends(void)
{
	u32 number = __atomic_load_n(&views()->pid_spaces, __ATOMIC_ACQUIRE) ? agent_view()->pid : 0;
	struct pid_space *space = &views()->pid_space[number];
	long r;

	if (!number || space->init != (s32)sys0(__NR_getpid))
		return;
	__atomic_store_n(&space->dead, 1, __ATOMIC_SEQ_CST);
	kill_members(number);
	do
		r = sys4(__NR_wait4, -1, NULL, WALL_, NULL);
	while (r > 0 || r == -EINTR);
}
