// SPDX-License-Identifier: Apache-2.0
/* Gap newcalls, host half: the system calls that kernels gained after 4.4 and that today's libcs and runtimes try first. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/newcalls/newcalls.h"
#include "gaps/scratch.h"

#define SPARE_FD 100 /* a number that no descriptor of a probe has */

/* Each attempt returns 0, the kernel's positive errno, or the negative errno of not getting as far as the call. */

static int try_openat2(void)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS };
	return syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)) < 0 ? errno : 0;
}

static int try_clone3(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return errno;
	while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int try_close_range(void)
{
	if (dup2(STDIN_FILENO, SPARE_FD) < 0)
		return -errno;
	if (syscall(SYS_close_range, SPARE_FD, SPARE_FD, 0) < 0)
		return errno;
	return fcntl(SPARE_FD, F_GETFD) == -1 ? 0 : EINVAL;
}

static int try_faccessat2(void)
{
	return syscall(SYS_faccessat2, AT_FDCWD, "/", F_OK, AT_EACCESS) < 0 ? errno : 0;
}

static int try_pidfd_open(void)
{
	long fd = syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0)
		return errno;
	return syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) < 0 ? errno : 0;
}

static int try_process_vm_readv(void)
{
	char from[8] = "lichen", to[8] = "";
	struct iovec local = { to, sizeof(to) }, remote = { from, sizeof(from) };
	return syscall(SYS_process_vm_readv, getpid(), &local, 1, &remote, 1, 0) < 0 ? errno : 0;
}

/* As `ls` of Debian 12 asks: with AT_NO_AUTOMOUNT, and with a mask that has bits which an old kernel cannot know. */
static int try_statx(void)
{
	struct statx st;
	unsigned mask = STATX_BASIC_STATS | STATX_BTIME | 0x1000u | 0x40000000u;
	return syscall(SYS_statx, AT_FDCWD, "/", AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW, mask, &st) < 0 ? errno : 0;
}

static int try_copy_file_range(void)
{
	int from = scratch_file(), to = scratch_file();
	if (from < 0 || to < 0)
		return from < 0 ? from : to;
	off_t start = 0;
	if (write(from, "lichen", 6) != 6)
		return -errno;
	return syscall(SYS_copy_file_range, from, &start, to, NULL, 6, 0) < 0 ? errno : 0;
}

static int try_memfd_create(void)
{
	return syscall(SYS_memfd_create, "lichen-probe", 1 /* MFD_CLOEXEC */) < 0 ? errno : 0;
}

/* A file that is no program: the call is there when it gets as far as saying so. */
static int try_execveat(void)
{
	int fd = scratch_file();
	if (fd < 0)
		return fd;
	char *const none[] = { NULL };
	(void)!write(fd, "no program", 10);
	syscall(SYS_execveat, fd, "", none, none, AT_EMPTY_PATH);
	return errno == ENOEXEC || errno == EACCES || errno == ETXTBSY ? 0 : errno;
}

static int try_preadv2(void)
{
	int fd = scratch_file();
	if (fd < 0)
		return fd;
	char byte;
	struct iovec iov = { &byte, 1 };
	return syscall(SYS_preadv2, fd, &iov, 1, 0, 0, 0) < 0 ? errno : 0;
}

static void probe(struct gap_finding *finding)
{
	static const struct {
		const char *name, *tried;
		int (*attempt)(void);
	} calls[] = {
		{ "openat2", "openat2(AT_FDCWD, \"/\", {O_PATH, RESOLVE_NO_MAGICLINKS})", try_openat2 },
		{ "clone3", "clone3({exit_signal=SIGCHLD})", try_clone3 },
		{ "close_range", "close_range(100, 100, 0)", try_close_range },
		{ "faccessat2", "faccessat2(AT_FDCWD, \"/\", F_OK, AT_EACCESS)", try_faccessat2 },
		{ "pidfd_open", "pidfd_open(getpid(), 0)", try_pidfd_open },
		{ "process_vm_readv", "process_vm_readv(getpid(), …)", try_process_vm_readv },
		{ "statx", "statx(\"/\", AT_NO_AUTOMOUNT, …)", try_statx },
		{ "copy_file_range", "copy_file_range(from, 0, to, NULL, 6, 0)", try_copy_file_range },
		{ "memfd_create", "memfd_create(\"\", MFD_CLOEXEC)", try_memfd_create },
		{ "execveat", "execveat(fd, \"\", …, AT_EMPTY_PATH)", try_execveat },
		{ "preadv2", "preadv2(fd, iov, 1, 0, 0)", try_preadv2 },
	};
	struct evidence e;
	evidence_begin(&e, finding, "clone3, statx and 9 more calls");
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		evidence_try(&e, calls[i].name, "%s", calls[i].tried);
		int error = calls[i].attempt();
		if (error < 0)
			evidence_unable(&e, -error);
		else
			evidence_answer(&e, error);
	}
	evidence_end(&e);
}

/* With --refuse, the agent takes all of it as lacking: also flags of calls that must go on working. */
static int install(void *area, const struct commons *commons)
{
	struct newcalls_area *newcalls = area;
	if (commons->refused & (1u << GAP_newcalls))
		memset(newcalls->answers, NEWCALL_LACKING, sizeof(newcalls->answers));
	return 0;
}

/* Not execveat, which starts the agent, nor memfd_create and getrandom, of which only newer flags are lacking. */
static const int refused_calls[] = {
	SYS_openat2,
	SYS_faccessat2,
	SYS_statx,
	SYS_close_range,
	SYS_copy_file_range,
	SYS_preadv2,
	SYS_pwritev2,
	SYS_clone3,
	SYS_pidfd_open,
	SYS_pidfd_send_signal,
	SYS_pidfd_getfd,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	-1,
};

static const struct gap_symptom symptoms[] = {
	{ .program = "ls",
	  .call = "statx",
	  .error = EINVAL,
	  .message = "Invalid argument",
	  .cause = "this kernel's statx() refuses AT_NO_AUTOMOUNT, which ls of coreutils 9 always asks with",
	  .source = "measured in gVisor of 2022; facts/gvisor.md" },
	{ .call = "statx",
	  .error = EINVAL,
	  .message = "Invalid argument",
	  .cause = "this kernel's statx() refuses a flag that today's programs ask with",
	  .source = "facts/docker-in-gvisor.md" },
	{ .call = "statx", .error = ENOSYS, .source = "statx(2): since Linux 4.11" },
	{ .call = "openat2", .error = ENOSYS, .source = "openat2(2): since Linux 5.6" },
	{ .call = "clone3", .error = ENOSYS, .source = "clone(2): since Linux 5.3" },
	{ .call = "close_range", .error = ENOSYS, .source = "close_range(2): since Linux 5.9" },
	{ .call = "faccessat2", .error = ENOSYS, .source = "access(2): since Linux 5.8" },
	{ .call = "copy_file_range", .error = ENOSYS, .source = "copy_file_range(2): since Linux 4.5" },
	{ .call = "preadv2", .error = ENOSYS, .source = "readv(2): since Linux 4.6" },
	{ .call = "pwritev2", .error = ENOSYS, .source = "readv(2): since Linux 4.6" },
	{ .call = "pidfd_*", .error = ENOSYS, .source = "pidfd_open(2): since Linux 5.3" },
	{ .call = "process_vm_readv", .error = ENOSYS, .source = "process_vm_readv(2): since Linux 3.2" },
	{ .call = "process_vm_writev", .error = ENOSYS, .source = "process_vm_readv(2): since Linux 3.2" },
	{ .call = "memfd_create", .error = EINVAL, .source = "memfd_create(2): MFD_EXEC, MFD_NOEXEC_SEAL since Linux 6.3" },
	{ .call = "fchown(*",
	  .error = EPERM,
	  .source = "facts/docker-in-gvisor.md 13",
	  .cause = "this kernel does not let a pipe be given to another user" },
	{ .call = "setsockopt(*SO_???TIMEO*",
	  .error = ENOPROTOOPT,
	  .source = "facts/docker-in-gvisor.md 10",
	  .cause = "this kernel has no time-outs for netlink sockets" },
	{ .call = "ioctl(*SIOCSIFFLAGS*",
	  .error = ENOTTY,
	  .source = "facts/docker-in-gvisor.md 9",
	  .cause = "this kernel does not let the flags of a network interface be set" },
	{ .call = "getrandom", .error = EINVAL, .source = "linux/random.h: GRND_INSECURE since Linux 5.6" },
};

static const char *const limits[] = {
	"openat2: RESOLVE_CACHED may wait for a disk; opening a FIFO with RESOLVE_ flags waits through signals",
	"faccessat2: access control lists do not count where real and effective identity differ",
	"statx without a statx of the kernel's: no birth time, attributes or mount id",
	"copy_file_range copies data, 8 MiB a call, and never shares it",
	"memfd_create: MFD_NOEXEC_SEAL clears the execute bits but does not seal them",
	"pwritev2: RWF_NOWAIT, RWF_ATOMIC and RWF_APPEND are EOPNOTSUPP where the kernel has no pwritev2",
	"clone3: set_tid and CLONE_INTO_CGROUP are E2BIG, CLONE_NEWTIME is EINVAL",
	"pidfds: pidfd_getfd of another process is EPERM; fstat and /proc/PID/fd tell of a socket; at most 1024 processes are watched",
	"pipes do not keep the owner and mode that fchown and fchmod give them; netlink sockets do not keep time-outs",
	"process_vm_writev in gVisor: only to stopped processes that the caller traces",
	NULL,
};

const struct gap gap_newcalls = {
	.name = "newcalls",
	.summary = "system calls that older kernels lack",
	.needed_by = "coreutils (statx), glibc, Go and systemd of today",
	.workloads = (const char *const[]){ NULL },
	.probe = probe,
	.area_size = NEWCALLS_AREA_SIZE,
	.install = install,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.limits = limits,
	.refuse_calls = refused_calls,
	.refuse_error = ENOSYS,
	.broker = true,          /* pidfds */
	.paths = GAP_PATHS_OPEN, /* their /proc/self/fdinfo */
};
