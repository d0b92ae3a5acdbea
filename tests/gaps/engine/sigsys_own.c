/* SPDX-License-Identifier: Apache-2.0 */
/* A guest's own SIGSYS: handled, ignored, fatal, blocked and pending, with value, beside the agent's use of it. */
#include "difftest.h"

static volatile sig_atomic_t count, code, value;
static volatile pid_t sender;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	code = info->si_code;
	sender = info->si_pid;
	value = info->si_value.sival_int;
}

static void *thread(void *arg)
{
	sigset_t set;

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	pthread_kill(pthread_self(), SIGSYS);
	say("in thread: %d", count);
	return NULL;
}

static int pending(void)
{
	sigset_t set;

	MUST(sigpending(&set));
	return sigismember(&set, SIGSYS);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO }, old;
	sigset_t set;
	pid_t pid;

	(void)argv;
	if (argc > 1) {
		MUST(sigaction(SIGSYS, NULL, &old));
		say("after exec: %s", old.sa_handler == SIG_IGN ? "ignored" : old.sa_handler == SIG_DFL ? "default" : "a handler");
		kill(getpid(), SIGSYS);
		SHOW(semget(some_key(1), 0, 0));
		return 0;
	}
	MUST(sigaction(SIGSYS, NULL, &old));
	FACT(old.sa_handler == SIG_DFL);
	SHOW(sigaction(SIGSYS, &sa, &old));
	FACT(old.sa_handler == SIG_DFL);
	SHOW(kill(getpid(), SIGSYS));
	say("count %d, SI_USER %d, from self %d", count, code == SI_USER, sender == getpid());
	SHOW(raise(SIGSYS));
	say("count %d, SI_TKILL %d, from self %d", count, code == SI_TKILL, sender == getpid());
	SHOW(sigqueue(getpid(), SIGSYS, (union sigval){ .sival_int = 77 }));
	say("count %d, SI_QUEUE %d, value %d", count, code == SI_QUEUE, value);
	CHILD(kill(getppid(), SIGSYS));
	say("count %d, from self %d", count, sender == getpid());
	SHOW(semget(some_key(1), 0, 0));

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	kill(getpid(), SIGSYS);
	say("blocked: count %d, pending %d", count, pending());
	SHOW(semget(some_key(1), 0, 0));
	say("still: count %d, pending %d", count, pending());
	pthread_join(thread_start(thread, NULL), NULL);
	say("after the thread: count %d", count);
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	say("unblocked: count %d, pending %d", count, pending());

	signal(SIGSYS, SIG_IGN);
	kill(getpid(), SIGSYS);
	say("ignored: count %d", count);
	SHOW(semget(some_key(1), 0, 0));
	pid = fork_or_die();
	if (pid == 0) {
		execl("/proc/self/exe", "again", "x", NULL);
		_exit(1);
	}
	reap(pid);
	signal(SIGSYS, SIG_DFL);
	CHILD(kill(getpid(), SIGSYS); say("not reached"));
	CHILD(raise(SIGSYS); say("not reached"));
	pid = fork_or_die();
	if (pid == 0) {
		MUST(sigaction(SIGSYS, &sa, NULL));
		execl("/proc/self/exe", "again", "x", NULL);
		_exit(1);
	}
	reap(pid);
	sa.sa_flags |= SA_RESETHAND;
	MUST(sigaction(SIGSYS, &sa, NULL));
	raise(SIGSYS);
	MUST(sigaction(SIGSYS, NULL, &old));
	FACT(old.sa_handler == SIG_DFL);
	say("count %d", count);
	return 0;
}
