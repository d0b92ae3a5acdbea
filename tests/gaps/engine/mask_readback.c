/* SPDX-License-Identifier: Apache-2.0 */
/* A mask with SIGSYS in it reads back as it was set: sigprocmask, sigaction, threads, fork, exec. */
#include "difftest.h"

static void say_mask(const char *what)
{
	sigset_t set;
	char text[256] = "";

	MUST(sigprocmask(SIG_BLOCK, NULL, &set));
	for (int s = 1; s < 65; s++)
		if (sigismember(&set, s) == 1)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d", s);
	say("%s:%s", what, text);
}

static void *thread(void *arg)
{
	(void)arg;
	say_mask("thread");
	SHOW(semget(some_key(1), 0, 0));
	return NULL;
}

static void handler(int sig)
{
	(void)sig;
	say_mask("handler");
	SHOW(semget(some_key(1), 0, 0));
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_RESTART }, old;
	sigset_t set, before;
	pid_t pid;

	(void)argv;
	if (argc > 1) {
		say_mask("after exec");
		SHOW(semget(some_key(1), 0, 0));
		return 0;
	}
	say_mask("start");
	sigfillset(&set);
	SHOW(sigprocmask(SIG_BLOCK, &set, &before));
	FACT(sigisemptyset(&before));
	say_mask("all blocked");
	SHOW(semget(some_key(1), 0, 0));
	CHILD(say_mask("forked"); SHOW(semget(some_key(1), 0, 0)));
	pthread_join(thread_start(thread, NULL), NULL);
	pid = fork_or_die();
	if (pid == 0) {
		execl("/proc/self/exe", "again", "x", NULL);
		_exit(1);
	}
	reap(pid);
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	SHOW(sigprocmask(SIG_UNBLOCK, &set, &before));
	FACT(sigismember(&before, SIGSYS) == 1);
	say_mask("SIGSYS unblocked");
	SHOW(sigprocmask(SIG_SETMASK, &set, &before));
	FACT(sigismember(&before, SIGSYS) == 0);
	say_mask("only SIGSYS blocked");
	SHOW(sigprocmask(SIG_BLOCK, &set, NULL));
	SHOW(sigprocmask(77, &set, &before));
	SHOW(sigprocmask(77, NULL, &before));
	sigemptyset(&set);
	SHOW(sigprocmask(SIG_SETMASK, &set, &before));
	say_mask("nothing");

	sigfillset(&sa.sa_mask);
	SHOW(sigaction(SIGUSR1, &sa, NULL));
	SHOW(sigaction(SIGUSR1, NULL, &old));
	FACT(old.sa_handler == handler);
	say("flags %#x, SYS %d, KILL %d", (unsigned int)old.sa_flags & ~0x04000000u, sigismember(&old.sa_mask, SIGSYS),
	    sigismember(&old.sa_mask, SIGKILL));
	raise(SIGUSR1);
	say_mask("after handler");
	SHOW(sigaction(SIGKILL, &sa, NULL));
	SHOW(sigaction(SIGSTOP, NULL, &old));
	SHOW(syscall(SYS_rt_sigaction, 65, NULL, &old, 8));
	SHOW(syscall(SYS_rt_sigaction, 0, NULL, &old, 8));
	SHOW(syscall(SYS_rt_sigaction, SIGUSR1, NULL, &old, 16));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, 16));
	SHOW(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, 4));
	return 0;
}
