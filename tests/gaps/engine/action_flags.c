/* SPDX-License-Identifier: Apache-2.0 */
/* SA_RESETHAND, SA_NODEFER, sa_mask, SA_SIGINFO contents, real-time order and queueing, SA_NOCLDWAIT, SIGCHLD details. */
#include "difftest.h"

static volatile sig_atomic_t depth, deepest, runs, order[16], orders;
static siginfo_t last;

static void nests(int sig)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (++runs < 5)
		raise(sig);
	depth--;
}

static void notes(int sig, siginfo_t *info, void *context)
{
	(void)context;
	last = *info;
	if (orders < 16)
		order[orders++] = sig == SIGUSR1 ? 1 : info->si_value.sival_int + sig * 1000;
	SHOW(semget(some_key(1), 0, 0));
}

static void notes_quietly(int sig, siginfo_t *info, void *context)
{
	(void)context;
	last = *info;
	if (orders < 16)
		order[orders++] = (sig - SIGRTMIN) * 100 + info->si_value.sival_int;
}

static void install(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	MUST(sigaction(sig, &sa, NULL));
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = notes, .sa_flags = SA_SIGINFO }, old;
	sigset_t set;
	int status;
	pid_t pid;

	install(SIGUSR1, nests, 0);
	raise(SIGUSR1);
	say("deferred: deepest %d", deepest);
	deepest = runs = 0;
	install(SIGUSR1, nests, SA_NODEFER);
	raise(SIGUSR1);
	say("SA_NODEFER: deepest %d", deepest);
	install(SIGUSR1, nests, (int)SA_RESETHAND);
	deepest = 0;
	MUST(sigaction(SIGUSR1, NULL, &old));
	FACT(old.sa_handler == nests && old.sa_flags & (int)SA_RESETHAND);
	CHILD(runs = 10; raise(SIGUSR1); say("first ran"); raise(SIGUSR1); say("not reached"));

	MUST(sigaction(SIGUSR1, &sa, NULL));
	MUST(sigaction(SIGUSR1, NULL, &old));
	FACT(old.sa_sigaction == notes && old.sa_flags & SA_SIGINFO);
	raise(SIGUSR1);
	say("raise: SI_TKILL %d, pid %d, uid %d", last.si_code == SI_TKILL, last.si_pid == getpid(), last.si_uid == getuid());
	kill(getpid(), SIGUSR1);
	say("kill: SI_USER %d, pid %d", last.si_code == SI_USER, last.si_pid == getpid());
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 4711 });
	say("sigqueue: SI_QUEUE %d, value %d", last.si_code == SI_QUEUE, last.si_value.sival_int);

	sa.sa_sigaction = notes_quietly;
	for (int s = SIGRTMIN; s < SIGRTMIN + 3; s++)
		MUST(sigaction(s, &sa, NULL));
	sigfillset(&set);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	orders = 0;
	for (int i = 0; i < 3; i++) {
		MUST(sigqueue(getpid(), SIGRTMIN + 2 - i, (union sigval){ .sival_int = 1 }));
		MUST(sigqueue(getpid(), SIGRTMIN + 2 - i, (union sigval){ .sival_int = 2 }));
	}
	sigemptyset(&set);
	MUST(sigprocmask(SIG_SETMASK, &set, NULL));
	say("queued: %d handled; the first built frame runs last", orders);
	for (int i = 0; i < orders; i++)
		say("  %d", order[i]);

	MUST(sigaction(SIGCHLD, &sa, NULL));
	pid = fork_or_die();
	if (pid == 0)
		_exit(42);
	while (last.si_signo != SIGCHLD)
		pause_ms(1);
	say("SIGCHLD: CLD_EXITED %d, status %d, child %d", last.si_code == CLD_EXITED, last.si_status, last.si_pid == pid);
	reap(pid);
	last.si_signo = 0;
	pid = fork_or_die();
	if (pid == 0) {
		signal(SIGSYS, SIG_DFL);
		raise(SIGSYS);
		_exit(1);
	}
	while (last.si_signo != SIGCHLD)
		pause_ms(1);
	say("SIGCHLD: CLD_KILLED or CLD_DUMPED %d, by SIGSYS %d", last.si_code == CLD_KILLED || last.si_code == CLD_DUMPED,
	    last.si_status == SIGSYS);
	MUST(waitpid(pid, &status, 0));
	FACT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	// gVisor sends SIGCHLD before the child is gone: without SA_RESTART, waitpid() sometimes is EINTR there.
	sa.sa_flags |= SA_NOCLDWAIT | SA_RESTART;
	MUST(sigaction(SIGCHLD, &sa, NULL));
	pid = fork_or_die();
	if (pid == 0)
		_exit(0);
	SHOW(waitpid(pid, NULL, 0));
	return 0;
}
