/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pidfd is where the kernel has none: one end of a UNIX socket pair.
 *
 *   which process    the socket's owner (F_SETOWN_EX): the kernel keeps a reference to the process in the open file, numbers it as the asker
 *                    sees it and says 0 once it has been reaped. No pid is stored, so none can be reused. Nothing is ever sent to the owner:
 *                    O_ASYNC is off.
 *   is it a pidfd    its name, in the abstract name space: PIDFD_NAME and 16 random digits
 *   has it ended     the other end lies with the supervisor (abi/broker.h), which shuts it down when the process has ended: then the pidfd is
 *                    readable. It is never writable: its buffer is made as small as can be and filled.
 *
 * All of this belongs to the open file, so it survives dup, fork, execve and being passed on.
 *
 * Limits: fstat, /proc/PID/fd and, but for /proc/self (pidfd_info.c), fdinfo tell of a socket; read and write are a socket's (a kernel's pidfd says EINVAL); POLLHUP after
 * reaping is not told (Linux 6.9). Where the supervisor has ended and left processes behind, pidfds are readable at once: waiting and
 * sending signals work on.
 */
#include "gaps/newcalls/pidfd_int.h"

#define AF_UNIX_ 1
#define SOCK_STREAM_ 1
#define SOL_SOCKET_ 1
#define SO_SNDBUF_ 7
#define MSG_DONTWAIT_ 0x40
#define MSG_NOSIGNAL_ 0x4000
#define F_SETOWN_EX_ 15
#define F_GETOWN_EX_ 16
#define F_OWNER_TID_ 0
#define F_OWNER_PID_ 1

#define FILL 512u

#define PIDFD_NAME "\0lichen/pidfd/"
#define NAME_PREFIX (sizeof(PIDFD_NAME) - 1)
#define NAME_DIGITS 16u

struct name { /* struct sockaddr_un */
	u16 family;
	char path[NAME_PREFIX + NAME_DIGITS];
};
#define NAME_SIZE (2 + NAME_PREFIX + NAME_DIGITS)

struct owner { /* struct f_owner_ex */
	s32 type, pid;
};

static int set_name(s32 fd)
{
	struct name name = { .family = AF_UNIX_, .path = PIDFD_NAME };
	u64 number = 0;

	if (sys3(__NR_getrandom, &number, sizeof(number), 0) != sizeof(number))
		number = __builtin_ia32_rdtsc();
	for (u32 i = 0; i < NAME_DIGITS; i++, number >>= 4)
		name.path[NAME_PREFIX + i] = "0123456789abcdef"[number & 15];
	return (int)sys3(__NR_bind, fd, &name, NAME_SIZE);
}

/* Nobody reads what is sent: it only takes the room. */
static void fill(s32 fd)
{
	u8 block[FILL] = { 0 };
	s32 least = 0;

	(void)sys5(__NR_setsockopt, fd, SOL_SOCKET_, SO_SNDBUF_, &least, sizeof(least));
	while (sys6(__NR_sendto, (u64)fd, (u64)block, FILL, MSG_DONTWAIT_ | MSG_NOSIGNAL_, 0, 0) > 0)
		;
}

int pidfd_new(struct pidfd_pair *pair, u32 flags)
{
	int r = (int)sys4(__NR_socketpair, AF_UNIX_, SOCK_STREAM_ | O_CLOEXEC_ | flags, 0, pair);

	if (r < 0)
		return r;
	r = set_name(pair->fd);
	if (r < 0)
		pidfd_drop(pair);
	else
		fill(pair->fd);
	return r;
}

int pidfd_set(const struct pidfd_pair *pair, s32 pid, bool thread)
{
	struct owner owner = { thread ? F_OWNER_TID_ : F_OWNER_PID_, pid }, is = { 0, 0 };
	bool set = sys3(__NR_fcntl, pair->fd, F_SETOWN_EX_, &owner) == 0 && sys3(__NR_fcntl, pair->peer, F_SETOWN_EX_, &owner) == 0;

	if (set && sys3(__NR_fcntl, pair->fd, F_GETOWN_EX_, &is) == 0 && is.pid == pid)
		return 0;
	/* Linux takes a thread for an owner, and does not find it as a process; gVisor does not take it */
	return !thread && sys2(__NR_tkill, pid, 0) != -ESRCH ? -ENOENT : -ESRCH;
}

void pidfd_watch(struct pidfd_pair *pair)
{
	struct broker_request request = { .kind = BROKER_WATCH_PID };

	(void)!broker_send(&request, pair->peer);
	(void)sys1(__NR_close, pair->peer);
	pair->peer = -1;
}

void pidfd_drop(struct pidfd_pair *pair)
{
	(void)sys1(__NR_close, pair->fd);
	(void)sys1(__NR_close, pair->peer);
}

int pidfd_get(s32 fd, struct pidfd *ret)
{
	struct name name = { 0 }, wanted = { .path = PIDFD_NAME };
	struct owner owner = { 0, 0 };
	u32 size = sizeof(name);
	long flags;

	if (sys3(__NR_getsockname, fd, &name, &size) < 0 || size != NAME_SIZE || name.family != AF_UNIX_ ||
	    memcmp(name.path, wanted.path, NAME_PREFIX))
		return -EBADF;
	flags = sys3(__NR_fcntl, fd, F_GETFL_, 0);
	if (flags < 0 || sys3(__NR_fcntl, fd, F_GETOWN_EX_, &owner) < 0)
		return -EBADF;
	*ret = (struct pidfd){ .pid = owner.pid, .thread = owner.type == F_OWNER_TID_, .nonblock = flags & O_NONBLOCK_ };
	return 0;
}

long newcalls_pidfd_pid(s32 fd)
{
	struct pidfd pidfd;

	if (pidfd_get(fd, &pidfd) < 0)
		return -EBADF;
	return pidfd.pid > 0 ? pidfd.pid : -ESRCH;
}
