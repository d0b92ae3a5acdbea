/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor waits for signals, not for calls: everything it may get is blocked and taken by sigwaitinfo.
 *
 *   SIGCHLD           reap the guest and whatever became our child, or follow its stop: lichen stops too, so that the shell sees a stopped job
 *   from the kernel   (terminal: Ctrl-C, Ctrl-\, hang-up, window size): the guest's process group has got it as well; ours to ignore
 *   from a process    passed on to the guest
 *   SIGCONT           passed on, so that `fg` and `kill -CONT` wake the guest
 */
#include "host/supervise.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

void supervise_begin(struct supervisor *supervisor)
{
	struct sigaction reap = { .sa_handler = SIG_DFL }; /* ignored, the kernel would reap the guest before us */

	(void)sigaction(SIGCHLD, &reap, &supervisor->child_action);
	sigfillset(&supervisor->waited); /* a fault of our own still ends us: blocked, it is not waited for */
	(void)sigprocmask(SIG_BLOCK, &supervisor->waited, &supervisor->guest_mask);
}

void supervise_reset_signals(const struct supervisor *supervisor)
{
	(void)sigaction(SIGCHLD, &supervisor->child_action, NULL);
}

void supervise_end(struct supervisor *supervisor)
{
	(void)sigaction(SIGCHLD, &supervisor->child_action, NULL);
	(void)sigprocmask(SIG_SETMASK, &supervisor->guest_mask, NULL);
}

/* As it was sent: kill(2) or sigqueue(3). */
static void pass_on(pid_t guest, int sig, const siginfo_t *info)
{
	if (info->si_code == SI_QUEUE)
		(void)sigqueue(guest, sig, info->si_value);
	else
		(void)kill(guest, sig);
}

/* The guest has stopped: so do we, until somebody continues us, then it. */
static void follow_stop(pid_t guest)
{
	(void)kill(getpid(), SIGSTOP);
	(void)kill(guest, SIGCONT);
}

int supervise_wait(struct supervisor *supervisor, pid_t guest)
{
	for (;;) {
		siginfo_t info;
		int status, sig;
		pid_t pid;

		do
			pid = waitpid(-1, &status, WNOHANG | WUNTRACED);
		while (pid > 0 && pid != guest); /* orphans, when we are pid 1 or a subreaper */
		if (pid == guest && WIFEXITED(status))
			return WEXITSTATUS(status);
		if (pid == guest && WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		if (pid == guest && WIFSTOPPED(status)) {
			follow_stop(guest);
			continue;
		}
		sig = sigwaitinfo(&supervisor->waited, &info);
		if (sig < 0 || sig == SIGCHLD)
			continue;
		/* a hang-up of the terminal goes to the session's leader alone: that may be us */
		if ((info.si_code <= 0 && info.si_pid != guest) || (sig == SIGHUP && getsid(0) == getpid()))
			pass_on(guest, sig, &info);
	}
}
