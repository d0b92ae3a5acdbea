// SPDX-License-Identifier: Apache-2.0
/*
 * tiny: runs a command as root on what looks like a small microVM kernel: no CONFIG_SYSVIPC, CONFIG_NETFILTER,
 * CONFIG_OVERLAY_FS, CONFIG_CGROUPS, CONFIG_USER_NS, CONFIG_IO_URING.
 *
 * Theory of operation.  enter (lib/enter.c) starts this program as pid 1 of private mount and process-id namespaces.  It
 * hides the files that such a kernel lacks under empty mounts, starts the command with a seccomp filter, and stays as init
 * and supervisor: it reaps orphans, answers user notifications, and ends with the command's status, which ends the namespace
 * and all that is left in it.
 *
 * The filter answers by number and register arguments alone, wherever that can be told:
 *
 *   shm*, sem*, msg*; io_uring_*                             ENOSYS
 *   socket(AF_NETLINK, *, NETLINK_NETFILTER)                 EPROTONOSUPPORT
 *   get/setsockopt(*, SOL_IP, 64 and above)                  ENOPROTOOPT: ip_tables, arp_tables, ebtables, conntrack, IPVS
 *   get/setsockopt(*, SOL_IPV6, 64 65 68 69 80)              ENOPROTOOPT: ip6_tables, conntrack (66, 67, 70… are IPv6's own)
 *   unshare, clone, setns with CLONE_NEWUSER                 EINVAL
 *   clone3                                                   ENOSYS: its flags lie in memory, and libcs fall back to clone
 *   mount of a new file system; fsopen                       user notification: the name of the type lies in memory
 *   any call of another architecture (int $0x80, x32)        ENOSYS: no CONFIG_IA32_EMULATION
 *
 * The supervisor reads the name and answers ENODEV for overlay, cgroup, cgroup2 and cpuset, else lets the kernel go on.
 * Like the kernel it looks at privilege first: who may not mount gets the kernel's own EPERM.
 *
 * no_new_privs is not set (root may filter without it).  A kernel accepts one listener per task: seccomp(SECCOMP_FILTER_FLAG_NEW_LISTENER) by the command gets EBUSY.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

enum { STATUS_BROKEN = 125, STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

static const char *const lacking_types[] = { "overlay", "cgroup", "cgroup2", "cpuset" };

static void die(const char *what)
{
	fprintf(stderr, "tests/envs: tiny: %s: %s\n", what, strerror(errno));
	_exit(STATUS_BROKEN);
}

/* --- files ------------------------------------------------------------------------------------------------------ */

/* Mounts nothing over a folder, or an empty file over a file; what is not there need not be hidden. */
static void hide(const char *path, const char *empty_file)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return;
	if (S_ISDIR(st.st_mode) && mount("none", path, "tmpfs", MS_RDONLY, "size=0,mode=555") != 0)
		die(path);
	if (!S_ISDIR(st.st_mode) && mount(empty_file, path, NULL, MS_BIND, NULL) != 0)
		die(path);
}

static bool is_lacking_type(const char *name)
{
	for (size_t i = 0; i < sizeof(lacking_types) / sizeof(*lacking_types); i++)
		if (strcmp(name, lacking_types[i]) == 0)
			return true;
	return false;
}

/* Binds a copy of /proc/filesystems without the lacking types over it. */
static void hide_filesystems(const char *copy)
{
	FILE *in = fopen("/proc/filesystems", "re");
	FILE *out = fopen(copy, "we");
	char line[256], name[256];

	if (!in || !out)
		die("/proc/filesystems");
	while (fgets(line, sizeof(line), in)) {
		const char *tab = strchr(line, '\t');

		if (tab && sscanf(tab, " %255s", name) == 1 && !is_lacking_type(name))
			fputs(line, out);
	}
	fclose(in);
	if (fclose(out) != 0 || mount(copy, "/proc/filesystems", NULL, MS_BIND, NULL) != 0)
		die("/proc/filesystems");
}

/* Takes everything off /sys/fs/cgroup, the tmpfs itself included, in this mount namespace. */
static void hide_cgroups(void)
{
	while (umount2("/sys/fs/cgroup", MNT_DETACH) == 0)
		;
}

static const char *const private_places[] = { "/tmp", "/dev/shm" };

static bool is_private(const char *path)
{
	for (size_t i = 0; i < sizeof(private_places) / sizeof(*private_places); i++) {
		size_t n = strlen(private_places[i]);

		if (strncmp(path, private_places[i], n) == 0 && path[n] == '/')
			return true;
	}
	return false;
}

/* A folder of the host's that stays where it is in a private place. */
struct kept {
	char path[4096];
	int fd; /* -1: there is nothing to keep */
};

static void keep_open(struct kept *k, const char *folder)
{
	k->fd = -1;
	if (folder && realpath(folder, k->path) && is_private(k->path))
		k->fd = open(k->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Makes one folder that everybody may pass, whatever the umask, unless it is there. */
static void make_folder(const char *path)
{
	if (mkdir(path, 0755) == 0)
		chmod(path, 0755);
}

static void keep_bind(struct kept *k)
{
	char behind[64];

	if (k->fd < 0)
		return;
	for (char *p = strchr(k->path + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		make_folder(k->path);
		*p = '/';
	}
	make_folder(k->path);
	snprintf(behind, sizeof(behind), "/proc/self/fd/%d", k->fd);
	if (mount(behind, k->path, NULL, MS_BIND, NULL) != 0)
		die(k->path);
	close(k->fd);
}

/* A private /tmp and /dev/shm, in which the repository and the folder LICHEN_ENV_OUT are the real ones. */
static void make_private(void)
{
	struct kept repo, out;
	char here[4096];

	keep_open(&repo, getenv("LICHEN_ENV_REPO"));
	keep_open(&out, getenv("LICHEN_ENV_OUT"));
	if (!getcwd(here, sizeof(here)))
		die("working directory");
	if (mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") != 0)
		die("/tmp");
	if (mount("shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0)
		die("/dev/shm");
	keep_bind(&repo);
	keep_bind(&out);
	if (chdir(here) != 0)
		die("working directory below /tmp or /dev/shm, which are private here (use another, or LICHEN_ENV_OUT)");
}

static void make_files(const char *scratch)
{
	char empty[4096], copy[4096];
	FILE *f;

	snprintf(empty, sizeof(empty), "%s/empty", scratch);
	snprintf(copy, sizeof(copy), "%s/filesystems", scratch);
	f = fopen(empty, "we");
	if (!f)
		die(empty);
	fclose(f);
	hide_filesystems(copy);
	hide_cgroups();
	hide("/proc/sysvipc", empty);
	hide("/proc/cgroups", empty);
	make_private();
}

/* --- filter ----------------------------------------------------------------------------------------------------- */

#define NR (offsetof(struct seccomp_data, nr))
#define ARCH (offsetof(struct seccomp_data, arch))
#define ARG(n) (offsetof(struct seccomp_data, args[n])) /* the low half: this machine is little endian */
#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (what))
#define MASK(bits) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (bits))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define ERRNO(e) RETURN(SECCOMP_RET_ERRNO | (e))
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define NOTIFY RETURN(SECCOMP_RET_USER_NOTIF)
/* How many instructions to skip when the test holds, and when it does not. */
#define EQUAL(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (yes), (no))
#define AT_LEAST(k, yes, no) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (k), (yes), (no))
#define ANY_OF(bits, yes, no) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), (yes), (no))
/* For call number nr: instructions that always return. Others go on behind them, with the number still loaded. */
#define ON(nr, ...) EQUAL(nr, 0, sizeof((struct sock_filter[]){ __VA_ARGS__ }) / sizeof(struct sock_filter)), __VA_ARGS__

#define SOCKOPT                                                                                                                \
	LOAD(ARG(1)), EQUAL(SOL_IP, 0, 4), LOAD(ARG(2)), AT_LEAST(64, 0, 1), ERRNO(ENOPROTOOPT), ALLOW, EQUAL(SOL_IPV6, 0, 6), \
		LOAD(ARG(2)), EQUAL(64, 5, 0), EQUAL(65, 4, 0), EQUAL(68, 3, 0), EQUAL(69, 2, 0), EQUAL(80, 1, 0), ALLOW,      \
		ERRNO(ENOPROTOOPT)
#define NO_NEWUSER(n) LOAD(ARG(n)), ANY_OF(CLONE_NEWUSER, 0, 1), ERRNO(EINVAL), ALLOW

/* With one of these mount(2) changes or moves a mount and never reads the type. */
#define NO_TYPE (MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE)

/*
 * One test per number, in a row: the kernel (5.11 and later) runs this once per number when it is installed, and calls whose
 * verdict does not depend on arguments never reach it again.
 */
static struct sock_filter program[] = {
	LOAD(ARCH),
	EQUAL(AUDIT_ARCH_X86_64, 1, 0),
	ERRNO(ENOSYS),
	LOAD(NR),
	AT_LEAST(0x40000000, 0, 1), /* x32 */
	ERRNO(ENOSYS),
	ON(__NR_shmget, ERRNO(ENOSYS)),
	ON(__NR_shmat, ERRNO(ENOSYS)),
	ON(__NR_shmctl, ERRNO(ENOSYS)),
	ON(__NR_shmdt, ERRNO(ENOSYS)),
	ON(__NR_semget, ERRNO(ENOSYS)),
	ON(__NR_semop, ERRNO(ENOSYS)),
	ON(__NR_semtimedop, ERRNO(ENOSYS)),
	ON(__NR_semctl, ERRNO(ENOSYS)),
	ON(__NR_msgget, ERRNO(ENOSYS)),
	ON(__NR_msgsnd, ERRNO(ENOSYS)),
	ON(__NR_msgrcv, ERRNO(ENOSYS)),
	ON(__NR_msgctl, ERRNO(ENOSYS)),
	ON(__NR_io_uring_setup, ERRNO(ENOSYS)),
	ON(__NR_io_uring_enter, ERRNO(ENOSYS)),
	ON(__NR_io_uring_register, ERRNO(ENOSYS)),
	ON(__NR_clone3, ERRNO(ENOSYS)),
	ON(__NR_unshare, NO_NEWUSER(0)),
	ON(__NR_clone, NO_NEWUSER(0)),
	ON(__NR_setns, NO_NEWUSER(1)),
	ON(__NR_socket, LOAD(ARG(0)), EQUAL(AF_NETLINK, 0, 3), LOAD(ARG(2)), EQUAL(NETLINK_NETFILTER, 0, 1), ERRNO(EPROTONOSUPPORT),
	   ALLOW),
	ON(__NR_setsockopt, SOCKOPT),
	ON(__NR_getsockopt, SOCKOPT),
	ON(__NR_fsopen, NOTIFY),
	/* The magic of old callers has bits in common with MS_PRIVATE and MS_SLAVE: the supervisor looks closer. */
	ON(__NR_mount, LOAD(ARG(3)), MASK(MS_MGC_MSK), EQUAL(MS_MGC_VAL, 2, 0), LOAD(ARG(3)), ANY_OF(NO_TYPE, 1, 0), NOTIFY, ALLOW),
	ALLOW,
};

/* Installs the filter for this process and its children. Returns the listener. */
static int install_filter(void)
{
	struct sock_fprog prog = { .len = sizeof(program) / sizeof(*program), .filter = program };
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);

	if (fd < 0 && errno == EINVAL) /* before Linux 5.19; a signal may then interrupt a mount */
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	if (fd < 0)
		die("seccomp");
	return (int)fd;
}

/* --- supervisor ------------------------------------------------------------------------------------------------- */

union fd_message {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

static void send_fd(int to, int fd)
{
	union fd_message control = {
		.header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS }
	};
	char nothing = 0;
	struct iovec byte = { .iov_base = &nothing, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	if (sendmsg(to, &msg, 0) != 1)
		die("sending the listener");
}

/* Returns -1 if the sender ended before it sent one. */
static int receive_fd(int from)
{
	union fd_message control = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(from, &msg, MSG_CMSG_CLOEXEC) != 1 || control.header.cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

static bool may_mount(pid_t pid)
{
	unsigned long long caps = 0;
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	fclose(f);
	return caps >> CAP_SYS_ADMIN & 1;
}

/* Reads the string at addr in pid, as far as it matters here. False if it is not readable: the kernel says so better. */
static bool read_name(pid_t pid, uint64_t addr, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = pread(fd, buf, size - 1, (off_t)addr);
	close(fd);
	if (n <= 0)
		return false;
	buf[n] = '\0';
	return true;
}

static bool asks_for_lacking_type(const struct seccomp_notif *req)
{
	const struct seccomp_data *d = &req->data;
	uint64_t flags = d->args[3];
	char name[32];

	if (d->nr == __NR_mount && (flags & MS_MGC_MSK) == MS_MGC_VAL && (flags & ~(uint64_t)MS_MGC_MSK & NO_TYPE))
		return false;
	return read_name((pid_t)req->pid, d->args[d->nr == __NR_fsopen ? 0 : 2], name, sizeof(name)) && is_lacking_type(name) &&
	       may_mount((pid_t)req->pid);
}

/* Answers one notification. The caller may have died meanwhile: every failure but that of memory is of no interest. */
static void answer(int listener)
{
	static struct seccomp_notif_sizes sizes;
	struct seccomp_notif *req;
	struct seccomp_notif_resp *resp;

	if (!sizes.seccomp_notif && syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0)
		die("SECCOMP_GET_NOTIF_SIZES");
	req = calloc(1, sizes.seccomp_notif > sizeof(*req) ? sizes.seccomp_notif : sizeof(*req));
	resp = calloc(1, sizes.seccomp_notif_resp > sizeof(*resp) ? sizes.seccomp_notif_resp : sizeof(*resp));
	if (!req || !resp)
		die("memory");
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, req) == 0) {
		resp->id = req->id;
		if (asks_for_lacking_type(req))
			resp->error = -ENODEV;
		else
			resp->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, resp);
	}
	free(req);
	free(resp);
}

/* Reaps what has ended. Returns true, with its wait status, if that included the command. */
static bool reap(pid_t child, int *ret_status)
{
	bool ended = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == child) {
			*ret_status = status;
			ended = true;
		}
	}
	return ended;
}

static int supervise(pid_t child, int listener, int signals)
{
	int status;

	for (;;) {
		struct pollfd fds[2] = {
			{ .fd = listener, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
		};
		struct signalfd_siginfo si;

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[0].revents & POLLIN)
			answer(listener);
		else if (fds[0].revents)
			listener = -1; /* nobody is left who has the filter */
		if (fds[1].revents & POLLIN && read(signals, &si, sizeof(si)) == sizeof(si) && reap(child, &status))
			return status;
	}
}

static void run_command(char **argv, int channel, const sigset_t *mask)
{
	int status;

	send_fd(channel, install_filter());
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	status = errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
	fprintf(stderr, "tests/envs: %s: %s\n", argv[0], strerror(errno));
	_exit(status);
}

int main(int argc, char **argv)
{
	sigset_t chld, old;
	int channel[2];
	int listener, status;
	pid_t child;

	if (argc < 3) {
		fprintf(stderr, "usage: tiny SCRATCH COMMAND [ARG…]\n");
		return STATUS_BROKEN;
	}
	make_files(argv[1]);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &old);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel) != 0)
		die("socketpair");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		run_command(argv + 2, channel[1], &old);
	close(channel[1]);
	listener = receive_fd(channel[0]);
	close(channel[0]);
	/* Without a listener the child has said why and ended with STATUS_BROKEN. */
	status = supervise(child, listener, signalfd(-1, &chld, SFD_CLOEXEC));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
