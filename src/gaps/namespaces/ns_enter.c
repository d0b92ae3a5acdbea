/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setns(2), by the descriptor of a namespace or of a process (pidfd), and ioctl_ns(2). A pid namespace is entered by the caller's children, and only from
 * above. Namespaces of kinds that are the kernel's are entered by it; whoever is in them already needs nothing.
 */
#include "base/decimal.h"
#include "gaps/namespaces/ns_int.h"

#define O_CLOEXEC_ 02000000
#define CLONE_NEWTIME_ 0x00000080u
#define CLONE_NEWUSER_ 0x10000000u
#define CLONE_NEWNET_ 0x40000000u
#define CLONE_NEWPID_ 0x20000000u
#define PIDFD_FLAGS 0x7e020080u /* all of them */
#define NS_GET_USERNS_ 0xb701u
#define NS_GET_PARENT_ 0xb702u
#define NS_GET_NSTYPE_ 0xb703u

/* What a descriptor is, as the kernel tells; "": nothing. */
static void text_of(s32 fd, char *text, u64 size)
{
	char link[AGENT_FD_LINK_SIZE];
	long n = -1;

	if (fd >= 0 && !agent_reserved_fd((u32)fd)) {
		agent_fd_link(link, (u32)fd);
		n = sys3(__NR_readlink, link, text, size - 1);
	}
	text[n > 0 ? n : 0] = 0;
}

/* Which namespace a descriptor stands for: its number in struct agent_spaces; false: the kernel's affair. */
static bool known(s32 fd, enum ns_kind *ret_kind, u32 *ret_number)
{
	char text[NS_PATH_SIZE];

	text_of(fd, text, sizeof(text));
	return ns_known(text, ret_kind, ret_number) || ns_memfd_known(text, ret_kind, ret_number);
}

/* --- setns ---------------------------------------------------------------------------------------------------------------------------- */

/* Changes what the caller is to be in. 0, or -EINVAL for a pid namespace that is not at or below its own. */
static long choose(struct agent_spaces *spaces, enum ns_kind kind, u32 number)
{
	switch (kind) {
	case NS_UTS:
		spaces->uts = number;
		return 0;
	case NS_IPC:
		spaces->ipc = number;
		return 0;
	case NS_MNT:
		spaces->mnt = number;
		return 0;
	case NS_PID:
		if (!pids_is_below(number, agent_view()->pid))
			return -EINVAL;
		spaces->pid_children = number;
		return 0;
	case NS_NET:
		spaces->net = number;
		return 0;
	default:
		spaces->cgroup = number;
		return 0;
	}
}

static long may_enter(u32 flags)
{
	struct agent_creds creds;

	agent_creds_get(&creds);
	return !creds.cap_sys_admin || ((flags & ns_kind_flag(NS_MNT)) && !creds.cap_sys_chroot) ? -EPERM : 0;
}

static long enter_one(enum ns_kind kind, u32 number)
{
	struct agent_spaces spaces;
	long r = may_enter(ns_kind_flag(kind));

	if (r == 0)
		r = agent_spaces_of(0, 0, &spaces);
	if (r == 0)
		r = choose(&spaces, kind, number);
	if (r == 0 && kind == NS_NET && number != agent_view()->net)
		r = ns_net_enter(number);
	return r < 0 ? r : agent_spaces_enter(&spaces);
}

/* The process of a pidfd: the kernel's, or one of gap newcalls. -EBADF: it is none; -ESRCH: it has ended. */
static long process_of(s32 fd)
{
	char path[AGENT_FD_LINK_SIZE + 8], text[512];
	const char *at = text;
	long file, n;

	if (commons()->emulated & (1u << GAP_newcalls)) {
		n = newcalls_pidfd_pid(fd);
		if (n != -EBADF)
			return n;
	}
	text_of(fd, text, sizeof(text));
	if (strcmp(text, "anon_inode:[pidfd]") && strncmp(text, "pidfd:[", 7))
		return -EBADF;
	memcpy(path, "/proc/self/fdinfo/", 18);
	path[18 + decimal_put(path + 18, (u32)fd)] = 0;
	file = sys4(__NR_openat, AT_FDCWD_, path, O_CLOEXEC_, 0);
	if (file < 0)
		return -EBADF;
	n = sys3(__NR_read, file, text, sizeof(text) - 1);
	(void)sys1(__NR_close, file);
	text[n > 0 ? n : 0] = 0;
	while (*at && strncmp(at, "\nPid:\t", 6))
		at++;
	at += *at ? 6 : 0;
	n = pids_number(&at);
	return n > 0 ? n : -ESRCH;
}

/* Whether two processes are in one namespace of the kernel's. */
static bool is_shared(s32 pid, const char *name)
{
	char path[48], one[48], other[48];
	u64 at = 6;
	long a, b;

	memcpy(path, "/proc/", 6);
	at += decimal_put(path + at, (u32)pid);
	memcpy(path + at, "/ns/", 5);
	memcpy(path + at + 4, name, strlen(name) + 1);
	a = sys3(__NR_readlink, path, one, sizeof(one));
	memcpy(path, "/proc/self/ns/", 14);
	memcpy(path + 14, name, strlen(name) + 1);
	b = sys3(__NR_readlink, path, other, sizeof(other));
	return a > 0 && a == b && !memcmp(one, other, (u64)a); /* gVisor of 2022 tells of each process another one */
}

/* Those of the kernel's. */
static long enter_kernels(s32 fd, s32 pid, u32 flags)
{
	if ((flags & CLONE_NEWNET_) && is_shared(pid, "net"))
		flags &= ~CLONE_NEWNET_;
	if ((flags & CLONE_NEWTIME_) && is_shared(pid, "time"))
		flags &= ~CLONE_NEWTIME_;
	if ((flags & CLONE_NEWUSER_) && is_shared(pid, "user"))
		return -EINVAL;
	return flags ? sys2(__NR_setns, fd, flags) : 0;
}

static long enter_process(s32 fd, s32 pid, u32 flags)
{
	struct agent_spaces theirs, mine;
	u32 ours = 0;
	long r = may_enter(flags);

	if (r == 0)
		r = agent_spaces_of(pid, 0, &theirs);
	if (r == 0)
		r = agent_spaces_of(0, 0, &mine);
	for (u32 kind = 0; kind < NS_KINDS && r == 0; kind++) {
		u32 numbers[NS_KINDS] = { theirs.uts, theirs.ipc, theirs.mnt, theirs.pid, theirs.cgroup, theirs.net };

		if (!(flags & ns_kind_flag((enum ns_kind)kind)) || !ns_is_supplied((enum ns_kind)kind))
			continue;
		ours |= ns_kind_flag((enum ns_kind)kind);
		r = choose(&mine, (enum ns_kind)kind, numbers[kind]);
	}
	if (r == 0 && (flags & CLONE_NEWNET_ & ours) && theirs.net != agent_view()->net)
		r = ns_net_enter(theirs.net);
	if (r == 0)
		r = enter_kernels(fd, pid, flags & ~ours);
	return r < 0 || !ours ? r : agent_spaces_enter(&mine);
}

/* Whether a descriptor of the kernel's is a namespace that the caller is in. */
static bool is_own(s32 fd, const char *path)
{
	char text[48], own[48];
	long n = sys3(__NR_readlink, path, own, sizeof(own) - 1);

	text_of(fd, text, sizeof(text));
	own[n > 0 ? n : 0] = 0;
	return n > 0 && !strcmp(text, own);
}

/* A descriptor that is none of ours. Nobody enters the user namespace that he is in. */
static enum verdict enter_others(struct call *call, s32 fd, u32 type)
{
	if ((!type || type == CLONE_NEWNET_) && is_own(fd, "/proc/self/ns/net"))
		return namespaces_done(call, may_enter(type));
	if ((!type || type == CLONE_NEWUSER_) && is_own(fd, "/proc/self/ns/user"))
		return namespaces_done(call, -EINVAL);
	return CALL_PASS;
}

enum verdict namespaces_setns(struct call *call)
{
	s32 fd = (s32)call->arg[0];
	u32 type = (u32)call->arg[1], number;
	enum ns_kind kind;
	long pid;

	if (known(fd, &kind, &number))
		return namespaces_done(call, type && type != ns_kind_flag(kind) ? -EINVAL : enter_one(kind, number));
	pid = process_of(fd);
	if (pid == -EBADF)
		return enter_others(call, fd, type);
	if (!type || (type & ~PIDFD_FLAGS))
		return namespaces_done(call, -EINVAL);
	return namespaces_done(call, pid < 0 ? pid : enter_process(fd, (s32)pid, type));
}

/* --- ioctl ---------------------------------------------------------------------------------------------------------------------------- */

static long open_parent(enum ns_kind kind, u32 number)
{
	u32 parent = views()->pid_space[number].parent;

	if (kind != NS_PID)
		return -EINVAL;
	if (!number || !pids_is_below(parent, agent_view()->pid))
		return -EPERM;
	return ns_open(NS_PID, parent);
}

enum verdict namespaces_ioctl(struct call *call)
{
	enum ns_kind kind;
	u32 number;

	if ((u32)call->arg[1] - NS_GET_USERNS_ > 3 || !known((s32)call->arg[0], &kind, &number))
		return CALL_PASS;
	switch ((u32)call->arg[1]) {
	case NS_GET_NSTYPE_:
		return namespaces_done(call, ns_kind_flag(kind));
	case NS_GET_PARENT_:
		return namespaces_done(call, open_parent(kind, number));
	case NS_GET_USERNS_:
		return namespaces_done(call, sys4(__NR_openat, AT_FDCWD_, "/proc/self/ns/user", O_CLOEXEC_, 0));
	default:
		return namespaces_done(call, -EINVAL); /* NS_GET_OWNER_UID: of a user namespace alone */
	}
}
