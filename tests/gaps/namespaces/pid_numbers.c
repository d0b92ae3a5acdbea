/* SPDX-License-Identifier: Apache-2.0 */
/* The first process of a pid namespace is pid 1, to itself and to others; so are its group and session once it leads them. */
#include "difftest.h"
#include <sched.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static const char *number(long pid)
{
	return pid == 0 ? "0" : pid == 1 ? "1" : pid == getpid() ? "own" : pid < 0 ? errno_name(errno) : "other";
}

static void *thread(void *arg)
{
	(void)arg;
	FACT(getpid() == 1);
	FACT(syscall(SYS_gettid) != 1);
	CHILD(FACT(getppid() == 1));
	return NULL;
}

static void of_init(void)
{
	struct rlimit limit;
	struct sched_param param;
	cpu_set_t cpus;
	siginfo_t info;

	SHOW(syscall(SYS_getpid));
	SHOW(syscall(SYS_gettid));
	SHOW(getppid());
	SHOW(getpgrp());
	SHOW(getpgid(0));
	SHOW(getpgid(1));
	SHOW(getsid(0));
	SHOW(getsid(1));
	SHOW(getpgid(2));
	SHOW(sched_getscheduler(1));
	SHOW(sched_getparam(1, &param));
	SHOW(sched_getscheduler(2));
	OK(sched_getaffinity(1, sizeof(cpus), &cpus));
	SHOW(getpriority(PRIO_PROCESS, 1));
	SHOW(setpriority(PRIO_PROCESS, 1, 1));
	SHOW(getpriority(PRIO_PROCESS, 0));
	SHOW(prlimit(1, RLIMIT_NOFILE, NULL, &limit));
	SHOW(prlimit(2, RLIMIT_NOFILE, NULL, &limit));
	OK(syscall(SYS_pidfd_open, 1, 0));
	OK(syscall(SYS_pidfd_open, 2, 0));
	SHOW(waitpid(1, NULL, 0));
	SHOW(waitid(P_PID, 1, &info, WEXITED));
	SHOW(kill(1, 0));
	SHOW(kill(2, 0));
	SHOW(syscall(SYS_tkill, 1, 0));
	SHOW(syscall(SYS_tgkill, 1, 1, 0));
	SHOW(syscall(SYS_tgkill, 1, 2, 0));
}

static void grandchild(void)
{
	CHILD(FACT(getppid() != 1 && getsid(0) == getppid() && getpgrp() == getppid()));
}

static void of_children(void)
{
	pid_t pid;

	CHILD({
		FACT(getpid() != 1);
		FACT(getpid() == syscall(SYS_gettid));
		SHOW(getppid());
		SHOW(getpgrp());
		SHOW(getsid(0));
		SHOW(kill(1, 0));
		SHOW(kill(getppid(), 0));
		SHOW(sched_getscheduler(1));
		FACT(setsid() == getpid());
		FACT(getsid(0) == getpid() && getpgrp() == getpid());
		grandchild();
	});
	CHILD(MUST(setpgid(0, 0)); FACT(getpgrp() == getpid()); SHOW(getsid(0)));
	pid = vfork();
	if (pid == 0) {
		say("vfork child: parent %s, itself %s", number(getppid()), number(getpid()));
		_exit(0);
	}
	reap(pid);
	pthread_join(thread_start(thread, NULL), NULL);
}

static void as_leader(void)
{
	int pair[2];
	struct ucred peer;
	socklen_t size = sizeof(peer);

	SHOW(setsid());
	SHOW(getpgrp());
	SHOW(getsid(0));
	SHOW(getpgid(1));
	SHOW(setsid());
	CHILD(SHOW(getpgrp()); SHOW(getsid(0)); SHOW(getsid(1)); SHOW(setpgid(0, 0)); SHOW(setpgid(0, 1)); SHOW(getpgrp()));
	CHILD(SHOW(setpgid(1, 1)));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	MUST(getsockopt(pair[0], SOL_SOCKET, SO_PEERCRED, &peer, &size));
	SHOW(peer.pid);
	SHOW(fcntl(pair[0], F_SETOWN, 1));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		say("executed: %s, parent %s, group %s", number(getpid()), number(getppid()), number(getpgrp()));
		return 0;
	}
	of_init();
	of_children();
	as_leader();
	CHILD(execl("/proc/self/exe", "prog", "again", NULL));
	execl("/proc/self/exe", "prog", "again", NULL);
	return 1;
}
