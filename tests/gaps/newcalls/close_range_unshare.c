/* SPDX-License-Identifier: Apache-2.0 */
/* close_range with CLOSE_RANGE_UNSHARE: in a thread, it closes for that thread alone. */
#include "difftest.h"

enum { UNSHARE = 2, CLOEXEC = 4 };

static void state(const char *what)
{
	char text[64] = "";

	for (int fd = 10; fd < 60; fd++) {
		int flags = fcntl(fd, F_GETFD);

		text[fd - 10] = flags == -1 ? '.' : flags & FD_CLOEXEC ? 'c' : 'o';
	}
	say("%s: %s", what, text);
}

static void *closer(void *arg)
{
	(void)arg;
	SHOW(syscall(SYS_close_range, 20, 30, UNSHARE));
	state("in the thread that no longer shares");
	SHOW(syscall(SYS_close_range, 12, 13, UNSHARE | CLOEXEC));
	state("in the thread, marked");
	return NULL;
}

int main(void)
{
	for (int fd = 10; fd < 60; fd++)
		dup3(STDOUT_FILENO, fd, 0);
	pthread_join(thread_start(closer, NULL), NULL);
	state("in the other");
	SHOW(syscall(SYS_close_range, 30, ~0u, UNSHARE));
	return 0;
}
