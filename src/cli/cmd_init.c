// SPDX-License-Identifier: Apache-2.0
/*
 * lichen init: the first process of a guest (`lichen run --init`). Starts the command, passes signals on to it, reaps whatever becomes its child, orphans
 * of the guest included (PR_SET_CHILD_SUBREAPER), and ends as the command does. It runs inside the guest, with nothing but this program.
 *
 * With a terminal whose session it leads the command gets a process group of its own, in the foreground: what the terminal sends reaches it once, from
 * the kernel. Else it stays in our group, gets that from the kernel as well, and only what a process sends is passed on.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/words.h"
#include "lichen.h"

static _Noreturn void become_command(char **argv, bool leads, const sigset_t *mask)
{
	if (leads) {
		setpgid(0, 0);
		tcsetpgrp(STDIN_FILENO, getpid()); /* SIGTTOU is still blocked */
	}
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(argv[0], argv);
	fprintf(stderr, "lichen init: cannot run '%s': %s (%s)\n", argv[0], strerror(errno), errno_name(errno));
	_exit(errno == ENOENT || errno == ENOTDIR ? LICHEN_EXIT_NOT_FOUND : LICHEN_EXIT_NOT_EXECUTABLE);
}

static void never_called(int sig)
{
	(void)sig;
}

/* The signals that are waited for are blocked, and have handlers where they would have their default action: who sends them to a pid 1 sees that it
 * takes them (native_signal.c). execve puts that back. */
static void handle(const sigset_t *waited)
{
	const struct sigaction taken = { .sa_handler = never_called };
	struct sigaction old;
	for (int sig = 1; sig < NSIG; sig++)
		if (sigismember(waited, sig) == 1 && sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			sigaction(sig, &taken, NULL);
}

/* Reaps all that has ended. Returns whether the command has; *ret_status: as a shell tells it. */
static bool reap(pid_t command, int *ret_status)
{
	int status;
	bool over = false;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		if (pid == command) {
			over = true;
			*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
		}
	return over;
}

static int run(int argc, char **argv)
{
	static const int own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
	sigset_t waited, mask;
	int first, status = command_parse(&command_init, argc, argv, NULL, &first);
	if (status >= 0)
		return status;
	if (first == argc)
		return command_usage(&command_init, "there is no command to run");
	bool leads = getsid(0) == getpid() && isatty(STDIN_FILENO);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	sigfillset(&waited);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		sigdelset(&waited, own[i]);
	sigprocmask(SIG_BLOCK, &waited, &mask);
	handle(&waited);
	pid_t command = fork();
	if (command == 0)
		become_command(argv + first, leads, &mask);
	if (command < 0) {
		fprintf(stderr, "lichen init: cannot start a process: %s (%s)\n", strerror(errno), errno_name(errno));
		return LICHEN_EXIT_FAILED;
	}
	while (!reap(command, &status)) {
		siginfo_t info;
		int sig = sigwaitinfo(&waited, &info);
		if (sig > 0 && sig != SIGCHLD && (info.si_code <= 0 || leads))
			kill(command, sig);
	}
	return status;
}

const struct command command_init = {
	.name = "init",
	.synopsis = "-- CMD [ARG…]",
	.summary = "Runs a command as the child of a small init, which passes signals on and reaps orphans",
	.word_ends_options = true,
	.usage_status = LICHEN_EXIT_FAILED,
	.run = run,
};
