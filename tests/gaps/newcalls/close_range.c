/* SPDX-License-Identifier: Apache-2.0 */
/* close_range: ranges, flags, errors; and lichen goes on working when everything was closed. */
#include "difftest.h"

enum { UNSHARE = 2, CLOEXEC = 4 };

static long range(unsigned first, unsigned last, unsigned flags)
{
	return syscall(SYS_close_range, first, last, flags);
}

static void fill(void)
{
	for (int fd = 10; fd < 60; fd++)
		dup3(STDOUT_FILENO, fd, 0);
}

static void state(const char *what)
{
	char text[64] = "";

	for (int fd = 10; fd < 60; fd++) {
		int flags = fcntl(fd, F_GETFD);

		text[fd - 10] = flags == -1 ? '.' : flags & FD_CLOEXEC ? 'c' : 'o';
	}
	say("%s: %s", what, text);
}

int main(void)
{
	static const unsigned wrong[] = { 1, 8, 0x10, 0x80000000u, 1 | CLOEXEC, ~0u };

	for (unsigned i = 0; i < COUNT(wrong); i++)
		SHOW(range(10, 20, wrong[i]));
	SHOW(range(20, 10, 0));
	SHOW(range(20, 10, UNSHARE));
	SHOW(range(~0u, 0, CLOEXEC));
	SHOW(range(~0u, ~0u, 0));
	fill();
	state("filled");
	SHOW(range(12, 12, 0));
	SHOW(range(15, 20, 0));
	SHOW(range(15, 20, 0));
	state("a few closed");
	SHOW(range(18, 25, CLOEXEC));
	SHOW(range(30, 55, CLOEXEC));
	state("marked");
	SHOW(range(28, 50, 0));
	state("closed");
	fill();
	SHOW(range(40, ~0u, CLOEXEC));
	state("marked to the end");
	SHOW(range(11, ~0u, 0));
	state("closed to the end");
	FACT(open("/dev/null", O_RDONLY) < 12);
	SHOW(range(3, ~0u, 0));
	FACT(open("/dev/null", O_RDONLY) == 3);
	CHILD(execl("/bin/echo", "echo", "a program still starts", (char *)NULL));
	return 0;
}
