/* SPDX-License-Identifier: Apache-2.0 */
/* Signals to init: those that it does not handle do nothing when a member of its namespace sends them; and kill(-1, …). */
#include "difftest.h"

static volatile sig_atomic_t got, code, value;

static void handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got = sig;
	code = info->si_code;
	value = info->si_value.sival_int;
}

static void handle(int sig, bool on)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	if (!on)
		action = (struct sigaction){ .sa_handler = SIG_DFL };
	MUST(sigaction(sig, &action, NULL));
}

static void from_child(void)
{
	const int all[] = { SIGTERM, SIGINT,  SIGQUIT, SIGABRT, SIGSEGV, SIGBUS,      SIGSYS,
			    SIGPIPE, SIGKILL, SIGSTOP, SIGTSTP, SIGUSR1, SIGRTMIN + 1 };

	for (size_t i = 0; i < COUNT(all); i++)
		CHILD({
			say("kill(1, SIG%s) = %d", sigabbrev_np(all[i]) ? sigabbrev_np(all[i]) : "RTMIN+1", kill(1, all[i]));
			say("  tgkill = %ld", syscall(SYS_tgkill, 1, 1, all[i]));
			say("  tkill = %ld", syscall(SYS_tkill, 1, all[i]));
			say("  sigqueue = %d", sigqueue(1, all[i], (union sigval){ .sival_int = 3 }));
		});
	CHILD(SHOW(kill(1, 65)); SHOW(kill(1, -1)); SHOW(kill(-2, 0)); SHOW(kill(INT_MIN, 0)));
	CHILD(SHOW(kill(getppid(), SIGTERM)));
}

static void from_itself(void)
{
	SHOW(raise(SIGTERM));
	SHOW(kill(1, SIGKILL));
	SHOW(kill(getpid(), SIGINT));
	SHOW(raise(SIGSTOP));
	SHOW(kill(0, SIGCONT));
	handle(SIGUSR1, true);
	SHOW(raise(SIGUSR1));
	SHOW(got);
	handle(SIGUSR1, false);
	SHOW(raise(SIGUSR1));
	signal(SIGUSR1, SIG_IGN);
	SHOW(raise(SIGUSR1));
}

static void handled(void)
{
	handle(SIGTERM, true);
	handle(SIGSEGV, true);
	got = 0;
	CHILD(SHOW(kill(1, SIGTERM)));
	SHOW(got);
	FACT(code == SI_USER);
	CHILD(SHOW(sigqueue(1, SIGSEGV, (union sigval){ .sival_int = 7 })));
	SHOW(got);
	SHOW(value);
	FACT(code == SI_QUEUE);
	handle(SIGTERM, false);
	handle(SIGSEGV, false);
	CHILD(SHOW(kill(1, SIGTERM)));
}

static void blocked(void)
{
	sigset_t set, pending;
	struct timespec zero = { 0, 0 };
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	CHILD(SHOW(kill(1, SIGTERM)); SHOW(kill(1, SIGINT)));
	MUST(sigpending(&pending));
	FACT(sigismember(&pending, SIGTERM));
	FACT(!sigismember(&pending, SIGINT));
	SHOW(sigtimedwait(&set, &info, &zero));
	SHOW(sigtimedwait(&set, &info, &zero));
	MUST(sigprocmask(SIG_UNBLOCK, &set, NULL));
	CHILD(SHOW(kill(1, SIGTERM)));
	SHOW(sigtimedwait(&set, &info, &zero));
}

static pid_t sleeper(const struct gate *ready)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		gate_open(ready);
		for (;;)
			pause();
	}
	gate_wait(ready);
	return pid;
}

static void everybody(void)
{
	struct gate ready = gate_new();
	pid_t one = sleeper(&ready), two = sleeper(&ready);
	int status = 0;

	SHOW(kill(-1, 0));
	CHILD(SHOW(kill(-1, SIGUSR2)); say("the sender lives"));
	waitpid(one, &status, 0);
	FACT(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
	waitpid(two, &status, 0);
	FACT(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
	SHOW(kill(-1, SIGKILL));
}

static void groups(void)
{
	struct gate ready = gate_new();
	pid_t one;
	int status = 0;

	MUST(setsid());
	one = sleeper(&ready);
	CHILD(MUST(signal(SIGUSR2, SIG_IGN) == SIG_ERR ? -1 : 0); SHOW(kill(0, SIGUSR2)));
	waitpid(one, &status, 0);
	FACT(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
	one = sleeper(&ready);
	SHOW(kill(0, SIGUSR2));
	waitpid(one, &status, 0);
	FACT(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
	one = fork_or_die();
	if (one == 0) {
		MUST(setpgid(0, 0));
		gate_open(&ready);
		for (;;)
			pause();
	}
	gate_wait(&ready);
	SHOW(kill(-one, SIGUSR2));
	waitpid(one, &status, 0);
	FACT(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR2);
	SHOW(kill(-one, SIGUSR2));
}

int main(void)
{
	from_child();
	from_itself();
	handled();
	blocked();
	everybody();
	groups();
	say("init lives");
	return 7;
}
