/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /dev/kmsg. A reader holds one end of a SOCK_SEQPACKET pair, the supervisor the other (abi/broker.h). It is known again, after dup, fork
 * and execve, by its SO_LINGER, which means nothing to such a socket.
 */
#include "agent/vfs.h"
#include "gaps/devices/devices_int.h"

#define CAP_SYS_ADMIN_ 21
#define CAP_SYSLOG_ 34
#define SO_LINGER_ 13
#define LINGER_COOKIE 4711 /* seconds */
#define SHUT_WR_ 1
#define WRITE_MAX 1024u /* PRINTKRB_RECORD_MAX */
#define MSG_NOSIGNAL_ 0x4000

struct linger_ {
	s32 on, seconds;
};

static u64 effective_caps(void)
{
	struct {
		u32 version;
		s32 pid;
	} header = { 0x20080522, 0 };
	struct {
		u32 effective, permitted, inheritable;
	} caps[2] = { { 0 } };

	(void)sys2(__NR_capget, &header, caps);
	return caps[0].effective | (u64)caps[1].effective << 32;
}

static bool dmesg_restrict(void)
{
	char value[16];

	return vfs_read("/proc/sys/kernel/dmesg_restrict", value, sizeof(value)) > 0 && value[0] != '0';
}

/* check_syslog_permissions() of the kernel; but root in the cell may read the cell's own log, even as root without CAP_SYSLOG. */
int kmsg_permission(bool all)
{
	u64 enough = UINT64_C(1) << CAP_SYSLOG_ | UINT64_C(1) << CAP_SYS_ADMIN_;

	return (all && !dmesg_restrict()) || (effective_caps() & enough) || sys0(__NR_geteuid) == 0 ? 0 : -EPERM;
}

/* Waits until the supervisor has done all that was asked of it before; for a moment, if it does not answer. */
static void settle(void)
{
	long fd = device_ask(BROKER_KMSG, BROKER_KMSG_ONCE, 0, O_CLOEXEC_);

	if (fd < 0)
		return;
	(void)device_wait((s32)fd);
	(void)sys1(__NR_close, fd);
}

long kmsg_open(int flags)
{
	struct linger_ cookie = { 1, LINGER_COOKIE };
	s64 how = ((flags & O_ACCMODE_) != O_WRONLY_ ? BROKER_KMSG_READ : 0) | ((flags & O_ACCMODE_) ? BROKER_KMSG_WRITE : 0);
	long fd;
	int r = (how & BROKER_KMSG_READ) ? kmsg_permission(true) : 0;

	if (r < 0)
		return r;
	fd = device_ask(BROKER_KMSG, how, 0, flags);
	if (fd < 0)
		return fd;
	(void)sys5(__NR_setsockopt, fd, SOL_SOCKET_, SO_LINGER_, &cookie, sizeof(cookie));
	settle(); /* so that a reader that does not wait finds all that is there */
	return fd;
}

long kmsg_written(const char *bytes, u64 size)
{
	u64 part = size;
	bool taken;
	long fd;

	if (size > WRITE_MAX)
		return -EINVAL;
	fd = device_ask(BROKER_KMSG, BROKER_KMSG_WRITE, 0, O_CLOEXEC_);
	if (fd < 0)
		return fd;
	/* nothing at all is a record, too; what begins with NUL is its end */
	if (!size || !bytes[0]) {
		bytes = "\n";
		part = 1;
	}
	(void)sys6(__NR_sendto, fd, (u64)bytes, part, MSG_NOSIGNAL_, 0, 0);
	(void)sys2(__NR_shutdown, fd, SHUT_WR_);
	taken = device_wait((s32)fd); /* the end */
	(void)sys1(__NR_close, fd);
	return taken ? (long)size : -EIO;
}

static bool is_stream(s32 fd)
{
	struct linger_ linger = { 0 };
	u32 size = sizeof(linger);

	return sys5(__NR_getsockopt, fd, SOL_SOCKET_, SO_LINGER_, &linger, &size) == 0 && linger.on &&
	       linger.seconds == LINGER_COOKIE;
}

/* Drops what has been sent and goes on with record `number`: what was on its way ends with a NUL. */
static long seek(s32 fd, u64 number)
{
	char message[1 + sizeof(number)] = { 0 }, head;
	long n;

	memcpy(message + 1, &number, sizeof(number));
	n = sys6(__NR_sendto, fd, (u64)message, sizeof(message), MSG_NOSIGNAL_ | MSG_DONTWAIT_, 0, 0);
	if (n < 0)
		return n;
	do {
		if (!device_wait(fd))
			return -EIO;
		n = sys6(__NR_recvfrom, fd, (u64)&head, 1, MSG_DONTWAIT_, 0, 0);
	} while (n > 0 && head);
	if (n <= 0)
		return n < 0 ? n : -EIO;
	settle();
	return 0;
}

enum verdict devices_lseek(struct call *call);

/* devkmsg_llseek() of the kernel. */
enum verdict devices_lseek(struct call *call)
{
	u64 number = (u32)call->arg[2] == SEEK_END_ ? UINT64_MAX : __atomic_load_n(&devices_area()->clear, __ATOMIC_ACQUIRE);

	call->ret = sys3(__NR_lseek, call->arg[0], call->arg[1], call->arg[2]);
	if (call->ret == -ESPIPE && !call->arg[1] && is_stream((s32)call->arg[0]))
		call->ret = (u32)call->arg[2] <= SEEK_DATA_ ? seek((s32)call->arg[0], number) : -EINVAL;
	return CALL_DONE;
}
