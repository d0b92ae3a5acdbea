/* SPDX-License-Identifier: Apache-2.0 */
/* A vfork child's signal actions, mask and alternate stack are its own; posix_spawn sets them for the program only. */
#include "difftest.h"

#include <spawn.h>

extern char **environ;

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

static void say_state(const char *what)
{
	struct sigaction usr1, sys, chld;
	sigset_t mask;

	sigaction(SIGUSR1, NULL, &usr1);
	sigaction(SIGSYS, NULL, &sys);
	sigaction(SIGCHLD, NULL, &chld);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("%s: USR1 %s, SYS %s, CHLD %s, mask USR2 %d TERM %d", what,
	    usr1.sa_handler == handler   ? "handler"
	    : usr1.sa_handler == SIG_IGN ? "ignore"
					 : "default",
	    sys.sa_handler == handler   ? "handler"
	    : sys.sa_handler == SIG_IGN ? "ignore"
					: "default",
	    chld.sa_handler == SIG_IGN ? "ignore" : "default", sigismember(&mask, SIGUSR2), sigismember(&mask, SIGTERM));
}

static void spawn(const char *what, char *self, short flags)
{
	char *argv[] = { self, (char *)what, NULL };
	posix_spawnattr_t attr;
	sigset_t def, mask;
	pid_t pid;
	int error;

	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, flags);
	sigemptyset(&def);
	sigaddset(&def, SIGUSR1);
	sigaddset(&def, SIGPIPE);
	sigaddset(&def, SIGSYS);
	posix_spawnattr_setsigdefault(&attr, &def);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	posix_spawnattr_setsigmask(&attr, &mask);
	error = posix_spawn(&pid, "/proc/self/exe", NULL, &attr, argv, environ);
	if (error)
		say("posix_spawn: %s", errno_name(error));
	else
		reap(pid);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = handler };
	sigset_t set;
	pid_t pid;

	if (argc > 1) {
		say_state(argv[1]);
		return 0;
	}
	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	say_state("start");
	pid = vfork();
	if (pid == 0) {
		stack_t ss = { .ss_sp = bad_pointer(), .ss_size = 8192 };

		signal(SIGUSR1, SIG_IGN);
		signal(SIGSYS, SIG_IGN);
		sigaddset(&set, SIGTERM);
		sigprocmask(SIG_SETMASK, &set, NULL);
		sigaltstack(&ss, NULL);
		_exit(0);
	}
	reap(pid);
	say_state("vfork child changed all");
	raise(SIGUSR1);
	say("handled %d", handled);
	pid = vfork();
	if (pid == 0) {
		signal(SIGUSR1, SIG_DFL);
		kill(getpid(), SIGUSR1);
		_exit(0);
	}
	reap(pid);
	raise(SIGUSR1);
	say("handled %d", handled);
	spawn("plain", argv[0], 0);
	spawn("setsigdef", argv[0], POSIX_SPAWN_SETSIGDEF);
	spawn("setsigmask", argv[0], POSIX_SPAWN_SETSIGMASK);
	sa.sa_handler = SIG_IGN;
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGSYS, &sa, NULL);
	sigaction(SIGCHLD, &sa, NULL);
	signal(SIGCHLD, SIG_DFL);
	spawn("ignored", argv[0], 0);
	spawn("ignored, setsigdef", argv[0], POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	say_state("end");
	SHOW(trapped_ok());
	return 0;
}
