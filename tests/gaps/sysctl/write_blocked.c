// SPDX-License-Identifier: Apache-2.0
/* A process that has blocked every signal writes sysctls, as crun does with control groups; broken pipes of its own stay broken pipes. */
#include "difftest.h"

#include <sys/uio.h>

#define FILE_NAME "/proc/sys/kernel/panic"

static char value[64];
static ssize_t value_size;

static void write_same(int fd, const char *what)
{
	struct iovec parts[2] = { { value, 1 }, { value + 1, (size_t)value_size - 1 } };

	say("%s", what);
	SHOW(write(fd, "x", 1));
	FACT(write(fd, value, (size_t)value_size) == value_size);
	FACT(writev(fd, parts, value_size > 1 ? 2 : 1) > 0);
	SHOW(write(fd, bad_pointer(), 4));
}

static void pending(void)
{
	sigset_t set;

	MUST(sigpending(&set));
	FACT(sigismember(&set, SIGPIPE));
}

int main(void)
{
	int fd, ends[2];
	sigset_t all;

	fd = (int)MUST(open(FILE_NAME, O_RDONLY));
	value_size = MUST(read(fd, value, sizeof(value)));
	MUST(close(fd));
	MUST(sigfillset(&all));
	MUST(sigprocmask(SIG_SETMASK, &all, NULL));
	for (int i = 0; i < 3; i++) {
		fd = (int)MUST(open(FILE_NAME, O_WRONLY));
		write_same(fd, "opened");
		CHILD(write_same(fd, "in a child"));
		MUST(close(fd));
	}
	pending();
	MUST(pipe(ends)); /* numbers that were the file's */
	MUST(close(ends[0]));
	SHOW(write(ends[1], "x", 1));
	SHOW(write(dup2(ends[1], fd), "x", 1));
	pending();
	return 0;
}
