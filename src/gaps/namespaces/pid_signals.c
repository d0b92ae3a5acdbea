/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals in the pid namespace of a cell (pid_view.c): they reach its own processes only, and init as pid_namespaces(7) has it: what it has no handler
 * for does not kill or stop it when a member of the cell sends it, itself included. A blocked signal stays pending, for sigtimedwait(2).
 *
 * Init notes for the others what it handles and what its main thread blocks. From a namespace above KILL and STOP act, too, others as from within;
 * from outside the cell (`lichen stop`, a terminal) signals act as on any process.
 */
#include "gaps/namespaces/namespaces_int.h"

#define AT_FDCWD_ (-100)
#define O_CLOEXEC_ 02000000
#define O_DIRECTORY_ 0200000
#define SIGNALS 64u
#define BIT(sig) (UINT64_C(1) << ((sig)-1))
/* What the default action of is nothing, or to go on: CHLD, CONT, URG, WINCH. */
#define UNBLOCKABLE (BIT(9) | BIT(19)) /* KILL, STOP */
#define HARMLESS (BIT(17) | BIT(18) | BIT(23) | BIT(28))

static struct pid_space *view(void)
{
	return pids_space();
}

/* Whether a signal to the init of a namespace is to vanish. */
static bool vanishes_in(const struct pid_space *space, int sig)
{
	u64 taken = __atomic_load_n(&space->handled, __ATOMIC_ACQUIRE) | __atomic_load_n(&space->blocked, __ATOMIC_ACQUIRE);

	return sig > 0 && (u32)sig <= SIGNALS && !(BIT(sig) & ((taken & ~UNBLOCKABLE) | HARMLESS));
}

/* … of the caller's. */
static bool vanishes(int sig)
{
	return vanishes_in(view(), sig);
}

/* Whether this is init itself, not a vfork child of it. */
static bool am_init(void)
{
	return pids_is_init(agent_caller_pid());
}

enum verdict pids_sigaction(struct call *call)
{
	u64 handler, bit;
	u32 sig = (u32)call->arg[0];

	if (!call->arg[1] || sig - 1 >= SIGNALS || !am_init() || guest_read(&handler, call->arg[1], sizeof(handler)) < 0)
		return CALL_PASS;
	bit = BIT(sig);
	if (handler)
		(void)__atomic_fetch_or(&view()->handled, bit, __ATOMIC_ACQ_REL);
	else
		(void)__atomic_fetch_and(&view()->handled, ~bit, __ATOMIC_ACQ_REL);
	return CALL_PASS;
}

enum verdict pids_sigprocmask(struct call *call)
{
	u64 mask;

	if (!call->arg[1] || !pids_is_init(agent_pid()) || !pids_is_init(agent_caller_tid()) ||
	    guest_read(&mask, call->arg[1], sizeof(mask)) < 0)
		return CALL_PASS;
	if (call->arg[0] == 0)
		(void)__atomic_fetch_or(&view()->blocked, mask, __ATOMIC_ACQ_REL);
	else if (call->arg[0] == 1)
		(void)__atomic_fetch_and(&view()->blocked, ~mask, __ATOMIC_ACQ_REL);
	else if (call->arg[0] == 2)
		__atomic_store_n(&view()->blocked, mask, __ATOMIC_RELEASE);
	return CALL_PASS;
}

/* Init adopts what its descendants leave behind, whatever it says of itself. */
enum verdict pids_subreaper(struct call *call)
{
	s32 on = (s32)view()->subreaper;

	if (!am_init() || !view()->adopts)
		return CALL_PASS;
	if (call->arg[0] == 36)
		view()->subreaper = call->arg[1] != 0;
	return namespaces_done(call, call->arg[0] == 36 ? 0 : guest_write(call->arg[1], &on, sizeof(on)));
}

void pids_exec(void)
{
	if (pids_is_init(agent_pid()))
		__atomic_store_n(&view()->handled, 0, __ATOMIC_RELEASE);
}

/* --- to one --------------------------------------------------------------------------------------------------------------------------- */

/* Corrects the number of a process or thread that is signalled: 0, -ESRCH, or 1: the signal vanishes. */
static long target(u64 *number, int sig)
{
	s32 pid = pids_to_host((s32)*number);

	if (pid <= 0)
		return 0; /* the kernel's affair */
	if (!pids_visible(pid))
		return -ESRCH;
	*number = (u64)pid;
	return pids_is_init(pid) && vanishes(sig);
}

static enum verdict answered(struct call *call, long r)
{
	return r ? namespaces_done(call, r < 0 ? r : 0) : CALL_PASS;
}

enum verdict pids_tkill(struct call *call)
{
	return answered(call, target(&call->arg[0], (int)call->arg[1]));
}

/* The process, the thread, the signal: init's threads are init. */
enum verdict pids_tgkill(struct call *call)
{
	long r = target(&call->arg[0], (int)call->arg[2]);

	if ((s32)call->arg[1] == 1)
		call->arg[1] = (u64)pids_to_host(1);
	return answered(call, r);
}

enum verdict pids_sigqueue(struct call *call)
{
	return answered(call, target(&call->arg[0], (int)call->arg[1]));
}

enum verdict pids_tgsigqueue(struct call *call)
{
	return pids_tgkill(call);
}

/* Whether a signal to the init of another namespace, which the caller sees by the host's number, is to vanish. */
static bool is_spared(s32 pid, int sig)
{
	const struct pid_space *space;
	long number;

	if (pid <= 0 || !__atomic_load_n(&views()->pid_spaces, __ATOMIC_ACQUIRE))
		return false;
	number = view_pid_space_of(pid);
	if (number <= 0 || number == (long)agent_view()->pid)
		return false;
	space = &views()->pid_space[number];
	return space->init == pid && sig > 0 && (u32)sig <= SIGNALS && !(BIT(sig) & UNBLOCKABLE) && vanishes_in(space, sig);
}

enum verdict namespaces_kill(struct call *call)
{
	s32 pid = (s32)call->arg[0];

	return is_spared(pid, (int)call->arg[1]) ? namespaces_done(call, sys2(__NR_kill, pid, 0)) : CALL_PASS;
}

/* --- to many -------------------------------------------------------------------------------------------------------------------------- */

struct dirent64 { /* struct linux_dirent64 */
	u64 ino, offset;
	u16 length;
	u8 type;
	char name[];
};

/* The group of a process, -1 when there is none. */
static s32 group_of(s32 pid)
{
	long r = sys1(__NR_getpgid, pid);

	return r < 0 ? -1 : (s32)r;
}

struct broadcast {
	s32 group; /* 0: everybody but init and the caller */
	s32 self;
	int sig;
	u32 count;
	long result;
};

static void signal_one(struct broadcast *b, s32 pid)
{
	bool init = pids_is_init(pid);
	long r = 0;

	if (b->group ? group_of(pid) != b->group : init || pid == b->self)
		return;
	if (!pids_visible(pid))
		return;
	if (!init || !vanishes(b->sig))
		r = sys2(__NR_kill, pid, b->sig);
	b->count++;
	if (r != -EPERM)
		b->result = r;
}

static void signal_listed(struct broadcast *b, const u8 *entries, u64 size)
{
	for (u64 at = 0; at < size;) {
		const struct dirent64 *e = (const struct dirent64 *)(const void *)(entries + at);
		const char *digits = e->name;
		s32 pid = pids_number(&digits);

		if (pid > 1 && !*digits)
			signal_one(b, pid);
		at += e->length;
	}
}

/* Signals the members of the cell, one after the other. */
static long signal_members(struct broadcast *b)
{
	u8 *entries = agent_scratch();
	long fd = sys4(__NR_openat, AT_FDCWD_, "/proc", O_DIRECTORY_ | O_CLOEXEC_, 0), n;

	if (fd < 0)
		return fd;
	b->result = -EPERM;
	while ((n = sys3(__NR_getdents64, fd, entries, AGENT_SCRATCH / 2)) > 0)
		signal_listed(b, entries, (u64)n);
	(void)sys1(__NR_close, fd);
	return b->count ? b->result : -ESRCH;
}

/* A group that init is in, or 0 = the caller's: the kernel would not spare init. */
static enum verdict kill_group(struct call *call, s32 group)
{
	struct broadcast b = { .group = group ? group : (s32)sys0(__NR_getpgrp), .sig = (int)call->arg[1] };

	if (group && !pids_visible(group) && sys2(__NR_kill, group, 0) != -ESRCH)
		return namespaces_done(call, -ESRCH);
	if (group_of(pids_to_host(1)) != b.group || !vanishes(b.sig))
		return CALL_PASS;
	return namespaces_done(call, signal_members(&b));
}

enum verdict pids_kill(struct call *call)
{
	s32 pid = (s32)call->arg[0];
	struct broadcast all = { .self = agent_caller_pid(), .sig = (int)call->arg[1] };

	if (pid > 0)
		return answered(call, target(&call->arg[0], (int)call->arg[1]));
	if ((u32)call->arg[1] > SIGNALS || pid == INT32_MIN)
		return CALL_PASS; /* the kernel knows what is wrong with it */
	if (pid == -1)
		return namespaces_done(call, signal_members(&all));
	return kill_group(call, -pid);
}
