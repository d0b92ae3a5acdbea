// SPDX-License-Identifier: Apache-2.0
/* Opening a FIFO waits for its other end: by its path and by /proc/self/fd; a stop does not end it, a handler does, with SA_RESTART it begins again. */
#include "fs_test.h"

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled = handled + 1;
}

/* In the child: opens, and tells how that ended. */
static void waits(const char *path, int flags)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	int fd;

	MUST(sigaction(SIGUSR1, &action, NULL));
	fd = open(path, O_WRONLY);
	say("  %s, handled %d", fd >= 0 ? "opened" : errno_name(errno), handled);
	_exit(0);
}

static void try(const char *what, const char *path, int flags, int first, int second, bool ends)
{
	pid_t pid = fork_or_die();
	int fd, status;

	if (pid == 0)
		waits(path, flags);
	say("%s", what);
	wait_asleep(pid);
	MUST(kill(pid, first));
	if (second) {
		wait_state(pid, pid, 'T');
		MUST(kill(pid, second));
	}
	if (ends)
		wait_state(pid, pid, 'Z');
	else
		wait_asleep(pid);
	if (waitpid(pid, &status, WNOHANG) == 0) {
		say("  it waits on");
		fd = (int)MUST(open("/t/fifo", O_RDONLY | O_NONBLOCK));
		MUST(waitpid(pid, &status, 0));
		close(fd);
	}
}

int main(void)
{
	char link[64];
	int fd;

	tree_make();
	fd = (int)MUST(open("/t/fifo", O_PATH));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	for (int i = 0; i < 2; i++) {
		const char *path = i ? link : "/t/fifo";

		say(i ? "by its descriptor" : "by its path");
		try("a stop", path, 0, SIGSTOP, SIGCONT, false);
		try("a handler", path, 0, SIGUSR1, 0, true);
		try("a handler that restarts", path, SA_RESTART, SIGUSR1, 0, false);
	}
	return 0;
}
