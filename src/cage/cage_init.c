// SPDX-License-Identifier: Apache-2.0
/* Pid 1 of a cage: see the header. */
#include "cage/cage_init.h"

#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/close_from.h"
#include "host/native.h"
#include "host/supervise.h"

/* Nothing that the guest could reach through it in /proc: gVisor shows the environment of any process of the same user. */
static void become_nobody_to_look_at(int highest)
{
	for (char **word = environ; word && *word; word++)
		explicit_bzero(*word, strlen(*word));
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)!native_drop_bounding(UINT64_C(1) << CAP_KILL);
	(void)!native_set_capabilities(UINT64_C(1) << CAP_KILL);
	if (close_from(0, highest) < 0)
		_exit(125);
}

/* Everybody who has ended. Returns the status of the guest, or -1. */
static int reap(pid_t guest)
{
	int status, found = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == guest)
			found = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return found;
}

/* A signal that pid 1 has blocked is kept for it; one that it has not is thrown away by the kernel. */
static NORETURN void be_init(pid_t guest, const sigset_t *all)
{
	for (;;) {
		siginfo_t info = { 0 };
		int sig = sigwaitinfo(all, &info), status = reap(guest);
		bool terminal = info.si_code == SI_QUEUE && info.si_value.sival_int == SUPERVISE_TERMINAL;

		if (status >= 0)
			_exit(status);
		if (sig > 0 && sig != SIGCHLD && (!terminal || kill(-guest, sig) < 0)) /* it leads no group yet */
			(void)kill(guest, sig);
	}
}

int cage_init_begin(int highest)
{
	struct sigaction children = { .sa_handler = SIG_DFL }, given; /* ignored, no end would be told, and no status left */
	sigset_t all, before;
	pid_t guest;
	int r = close_on_exec_from(3, highest); /* who cannot do this cannot close them either, and can tell it now */

	if (r < 0)
		return r;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	(void)sigaction(SIGCHLD, &children, &given);
	guest = fork();
	if (guest > 0) {
		become_nobody_to_look_at(highest);
		be_init(guest, &all);
	}
	(void)sigaction(SIGCHLD, &given, NULL);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	if (guest < 0)
		return -errno;
	return setsid() < 0 ? -errno : 0;
}
