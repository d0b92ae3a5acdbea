// SPDX-License-Identifier: Apache-2.0
/*
 * enter: run one command in private mount and process-id namespaces that end with it.
 *
 * Theory of operation.  Every environment that needs more than an exec is started through this program, so that cleaning
 * up is the kernel's work and not a shell trap's:
 *
 *   P (this program, the caller's child)      stays outside, waits, moves output, turns signals into an end
 *   C (its child, pid 1 of a new namespace)   makes the mounts below and becomes COMMAND
 *
 * C dies with P (PR_SET_PDEATHSIG), everything started below C dies with C (it is pid 1), and every mount made here dies
 * with the mount namespace.  So a SIGKILL of P leaves no process, no mount and no folder behind, and two runs of the same
 * environment share nothing but the empty folder that the scratch tmpfs is mounted on.
 *
 * Options, in any order, ended by --:
 *   --scratch DIR   mount a private tmpfs on DIR
 *   --overlay       make DIR/root an overlay: the host's / below, upper on the scratch tmpfs
 *   --pure-v1       take the unified hierarchy out of a hybrid /sys/fs/cgroup (crun refuses hybrid ones)
 *   --pump          give COMMAND pipes instead of a stdin, stdout or stderr that is a regular file.  gVisor reads and writes
 *                   such files at offsets of its own, one per descriptor, from 0: input starts over, output overwrites itself.
 *   --ready         COMMAND must write a byte to descriptor 3 once the environment stands; if it ends before that, the
 *                   environment failed and the status is 125
 *   --fail N        status N of COMMAND also means that the environment failed
 *
 * Status: COMMAND's; 128+n if signal n ended it; 125 if the environment could not be made.  SIGINT, SIGTERM, SIGHUP and
 * SIGQUIT end everything inside and then P by the same signal; on a terminal SIGINT and SIGQUIT are left to the job inside.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATUS_BROKEN = 125, READY_FD = 3 };

struct options {
	const char *scratch;
	bool overlay;
	bool pure_v1;
	bool pump;
	bool ready;
	int fail;
	char **command;
};

/* One output that is carried from a pipe to a regular file. */
struct pump {
	int from;
	int to;
};

static void die(const char *what)
{
	fprintf(stderr, "tests/envs: enter: %s: %s\n", what, strerror(errno));
	_exit(STATUS_BROKEN);
}

static void usage(const char *arg)
{
	fprintf(stderr, "tests/envs: enter: bad argument '%s'\n", arg);
	_exit(STATUS_BROKEN);
}

static struct options parse(int argc, char **argv)
{
	struct options o = { .fail = -1 };
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--scratch") == 0 && i + 1 < argc)
			o.scratch = argv[++i];
		else if (strcmp(argv[i], "--fail") == 0 && i + 1 < argc)
			o.fail = atoi(argv[++i]);
		else if (strcmp(argv[i], "--overlay") == 0)
			o.overlay = true;
		else if (strcmp(argv[i], "--pure-v1") == 0)
			o.pure_v1 = true;
		else if (strcmp(argv[i], "--pump") == 0)
			o.pump = true;
		else if (strcmp(argv[i], "--ready") == 0)
			o.ready = true;
		else
			usage(argv[i]);
	}
	if (i + 1 >= argc)
		usage("(no command)");
	if (o.overlay && !o.scratch)
		usage("--overlay without --scratch");
	o.command = argv + i + 1;
	return o;
}

static void make_overlay(const char *scratch)
{
	static const char *const names[] = { "upper", "work", "root" };
	char path[3][4096];
	char data[3 * 4096];

	for (int i = 0; i < 3; i++) {
		snprintf(path[i], sizeof(path[i]), "%s/%s", scratch, names[i]);
		if (mkdir(path[i], 0755) != 0 || chmod(path[i], 0755) != 0) /* whatever the umask */
			die(path[i]);
	}
	snprintf(data, sizeof(data), "lowerdir=/,upperdir=%s,workdir=%s", path[0], path[1]);
	if (mount("overlay", path[2], "overlay", 0, data) != 0)
		die("overlay over /");
}

static void make_mounts(const struct options *o)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		die("making mounts private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		die("mounting /proc");
	if (o->scratch && mount("scratch", o->scratch, "tmpfs", 0, "mode=755") != 0)
		die(o->scratch);
	if (o->overlay)
		make_overlay(o->scratch);
	if (o->pure_v1 && umount2("/sys/fs/cgroup/unified", MNT_DETACH) != 0 && errno != EINVAL && errno != ENOENT)
		die("/sys/fs/cgroup/unified");
}

/* In C.  alive is the reading end of a pipe that only P can write: end of file means that P is gone. */
static void become_command(const struct options *o, int alive, int ready, const sigset_t *mask)
{
	struct pollfd gone = { .fd = alive };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		die("PR_SET_PDEATHSIG");
	if (poll(&gone, 1, 0) == 1)
		_exit(STATUS_BROKEN);
	close(alive);
	make_mounts(o);
	if (ready >= 0 && ready != READY_FD) {
		if (dup2(ready, READY_FD) < 0)
			die("dup2");
	} else if (ready == READY_FD && fcntl(ready, F_SETFD, 0) != 0) {
		die("fcntl");
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(o->command[0], o->command);
	die(o->command[0]);
}

static bool is_regular(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * Gives C a pipe in place of stdin if that is a regular file, filled by a process of its own that ends when C's side closes
 * or P dies.  Returns the end that C is to use, or -1; sets *ret_feeder.
 */
static int feed_open(pid_t *ret_feeder)
{
	char buf[65536];
	int ends[2];
	pid_t feeder;
	ssize_t n;

	if (!is_regular(STDIN_FILENO))
		return -1;
	if (pipe2(ends, O_CLOEXEC) != 0)
		die("pipe");
	feeder = fork();
	if (feeder < 0)
		die("fork");
	if (feeder > 0) {
		*ret_feeder = feeder;
		close(ends[1]);
		return ends[0];
	}
	close(ends[0]);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
		if (write(ends[1], buf, (size_t)n) != n)
			break;
	_exit(0);
}

/* Gives C a pipe in place of descriptor to if that is a regular file.  Returns the end that C is to use, or -1. */
static int pump_open(struct pump *p, int to)
{
	int ends[2];

	*p = (struct pump){ .from = -1, .to = to };
	if (!is_regular(to))
		return -1;
	if (pipe2(ends, O_CLOEXEC) != 0)
		die("pipe");
	p->from = ends[0];
	return ends[1];
}

/* Moves what there is; closes the pipe at its end. */
static void pump_move(struct pump *p)
{
	char buf[65536];
	ssize_t n = read(p->from, buf, sizeof(buf));

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		close(p->from);
		p->from = -1;
		return;
	}
	for (ssize_t done = 0; done < n;) {
		ssize_t w = write(p->to, buf + done, (size_t)(n - done));

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			die("writing output");
		done += w;
	}
}

/* Kills and reaps a child, if there is one. */
static void end_child(pid_t child)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

static void end_by_signal(pid_t child, pid_t feeder, int sig)
{
	sigset_t one;

	end_child(child);
	end_child(feeder);
	signal(sig, SIG_DFL);
	sigemptyset(&one);
	sigaddset(&one, sig);
	raise(sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	_exit(128 + sig);
}

/* In P: until C has ended and all output is carried.  Returns C's wait status. */
static int supervise(pid_t child, pid_t feeder, int signals, struct pump pumps[2])
{
	bool ended = false;
	int status = 0;

	while (!ended || pumps[0].from >= 0 || pumps[1].from >= 0) {
		struct pollfd fds[3] = {
			{ .fd = signals, .events = POLLIN },
			{ .fd = pumps[0].from, .events = POLLIN },
			{ .fd = pumps[1].from, .events = POLLIN },
		};
		struct signalfd_siginfo si;

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			die("poll");
		for (int i = 0; i < 2; i++)
			if (pumps[i].from >= 0 && fds[i + 1].revents)
				pump_move(&pumps[i]);
		if (!(fds[0].revents & POLLIN) || read(signals, &si, sizeof(si)) != sizeof(si))
			continue;
		if (si.ssi_signo != SIGCHLD)
			end_by_signal(child, feeder, (int)si.ssi_signo);
		else if (waitpid(child, &status, WNOHANG) == child)
			ended = true;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct options o = parse(argc, argv);
	struct pump pumps[2];
	int std[3] = { -1, -1, -1 }, alive[2], ready[2] = { -1, -1 };
	sigset_t mask, old;
	bool on_terminal = isatty(STDIN_FILENO);
	bool stood = true;
	pid_t child, feeder = 0;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGHUP);
	if (!on_terminal) {
		sigaddset(&mask, SIGINT);
		sigaddset(&mask, SIGQUIT);
	}
	sigprocmask(SIG_BLOCK, &mask, &old);
	signal(SIGCHLD, SIG_DFL);
	/* Keep low descriptors taken, so that nothing below lands on stdin, stdout, stderr or READY_FD. */
	while (fcntl(STDERR_FILENO, F_GETFD) < 0 || fcntl(STDOUT_FILENO, F_GETFD) < 0 || fcntl(STDIN_FILENO, F_GETFD) < 0)
		if (open("/dev/null", O_RDWR) < 0)
			die("/dev/null");
	if (pipe2(alive, O_CLOEXEC) != 0 || (o.ready && pipe2(ready, O_CLOEXEC) != 0))
		die("pipe");
	for (int i = 0; i < 2; i++) {
		pumps[i] = (struct pump){ .from = -1 };
		if (o.pump)
			std[i + 1] = pump_open(&pumps[i], i + 1);
	}
	if (o.pump)
		std[0] = feed_open(&feeder);
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) != 0)
		die("new mount and process-id namespaces (root is needed)");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		for (int i = 0; i < 3; i++)
			if (std[i] >= 0 && dup2(std[i], i) < 0)
				die("dup2");
		close(alive[1]);
		become_command(&o, alive[0], ready[1], &old);
	}
	if (on_terminal) {
		signal(SIGINT, SIG_IGN);
		signal(SIGQUIT, SIG_IGN);
	}
	for (int i = 0; i < 3; i++)
		if (std[i] >= 0)
			close(std[i]);
	close(alive[0]);
	if (o.ready)
		close(ready[1]);

	int status = supervise(child, feeder, signalfd(-1, &mask, SFD_CLOEXEC), pumps);

	end_child(feeder);

	if (o.ready) {
		char byte;

		stood = read(ready[0], &byte, 1) == 1;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_BROKEN)
		return STATUS_BROKEN;
	if (!stood || (WIFEXITED(status) && WEXITSTATUS(status) == o.fail)) {
		fprintf(stderr, "tests/envs: the environment could not be made (its runtime said why above)\n");
		return STATUS_BROKEN;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
