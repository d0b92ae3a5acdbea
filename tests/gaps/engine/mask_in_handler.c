/* SPDX-License-Identifier: Apache-2.0 */
/* Mask changes outside and inside a handler: what lasts after the call, until the handler's return, and beyond it. */
#include "difftest.h"

#include <ucontext.h>

static volatile sig_atomic_t count[65];

static int blocked(int sig)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	return sigismember(&set, sig);
}

static void change(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(how, &set, NULL));
}

static void counter(int sig)
{
	count[sig]++;
}

static void changes_mask(int sig)
{
	say("in handler: own %d, USR2 %d, of sa_mask %d", blocked(sig), blocked(SIGUSR2), blocked(SIGWINCH));
	change(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR2);
	say("blocked inside: USR2 %d, delivered %d", blocked(SIGUSR2), count[SIGUSR2]);
	change(SIG_UNBLOCK, SIGUSR2);
	say("unblocked inside: USR2 %d, delivered %d", blocked(SIGUSR2), count[SIGUSR2]);
	change(SIG_BLOCK, SIGUSR2);
	change(SIG_UNBLOCK, sig);
	say("own unblocked inside: %d", blocked(sig));
}

static void edits_context(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)info;
	say("context: own %d, WINCH %d", sigismember(&uc->uc_sigmask, sig), sigismember(&uc->uc_sigmask, SIGWINCH));
	sigaddset(&uc->uc_sigmask, SIGWINCH);
	sigdelset(&uc->uc_sigmask, SIGUSR2);
}

static void fills_context(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	sigfillset(&((ucontext_t *)context)->uc_sigmask);
}

int main(void)
{
	struct sigaction sa = { .sa_handler = counter };
	sigset_t all, old;

	sigaction(SIGUSR2, &sa, NULL);
	sigaction(SIGWINCH, &sa, NULL);
	sa.sa_handler = changes_mask;
	sigaddset(&sa.sa_mask, SIGWINCH);
	sigaction(SIGUSR1, &sa, NULL);

	change(SIG_BLOCK, SIGTERM);
	say("outside: TERM %d", blocked(SIGTERM));
	raise(SIGUSR1);
	say("after: USR1 %d, USR2 %d, WINCH %d, TERM %d", blocked(SIGUSR1), blocked(SIGUSR2), blocked(SIGWINCH), blocked(SIGTERM));
	change(SIG_UNBLOCK, SIGTERM);
	say("outside: TERM %d", blocked(SIGTERM));

	change(SIG_BLOCK, SIGUSR2);
	sa = (struct sigaction){ .sa_sigaction = edits_context, .sa_flags = SA_SIGINFO };
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	say("after editing the context: USR1 %d, USR2 %d, WINCH %d", blocked(SIGUSR1), blocked(SIGUSR2), blocked(SIGWINCH));
	raise(SIGWINCH);
	say("WINCH delivered %d", count[SIGWINCH]);
	change(SIG_UNBLOCK, SIGWINCH);
	say("WINCH delivered %d", count[SIGWINCH]);

	sa.sa_sigaction = fills_context;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &old);
	say("a context with all blocked: SYS %d, USR2 %d, KILL %d", sigismember(&old, SIGSYS), sigismember(&old, SIGUSR2),
	    sigismember(&old, SIGKILL));
	SHOW(semget(some_key(1), 0, 0)); /* must still reach the agent */
	sigemptyset(&all);
	SHOW(sigprocmask(SIG_SETMASK, &all, &old));
	say("was: SYS %d, USR2 %d", sigismember(&old, SIGSYS), sigismember(&old, SIGUSR2));
	SHOW(semget(some_key(1), 0, 0));
	return 0;
}
