/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors over execve: O_CLOEXEC ones close, others stay with offset and flags, locks stay. */
#include "difftest.h"

#include <sys/file.h>

static void say_open(const char *what)
{
	char text[200] = "";

	for (int fd = 0; fd < 200; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), " %d%s", fd, fcntl(fd, F_GETFD) ? "c" : "");
	say("%s:%s", what, text);
}

int main(int argc, char **argv)
{
	char name[] = "/tmp/difftest-XXXXXX", buffer[8] = "";
	struct flock lock = { .l_type = F_WRLCK, .l_len = 10 };
	int fd;

	if (argc > 1) {
		say_open("after exec");
		say("offset %ld, flags append %d", (long)lseek(100, 0, SEEK_CUR), (fcntl(100, F_GETFL) & O_APPEND) != 0);
		SHOW(read(100, buffer, 3));
		say("read '%s'", buffer);
		fd = open(argv[1], O_RDWR);
		SHOW(flock(fd, LOCK_EX | LOCK_NB));      /* held by descriptor 100, which lived on */
		CHILD(SHOW(fcntl(150, F_SETLK, &lock))); /* held by the process */
		unlink(argv[1]);
		return trapped_ok() ? 0 : 1;
	}
	fd = (int)MUST(mkstemp(name));
	MUST(write(fd, "0123456789", 10));
	MUST(dup2(fd, 100));
	close(fd);
	MUST(lseek(100, 4, SEEK_SET));
	MUST(fcntl(100, F_SETFL, O_APPEND));
	MUST(flock(100, LOCK_EX));
	MUST(dup2((int)MUST(memfd_create("locked", 0)), 150));
	MUST(fcntl(100, F_DUPFD_CLOEXEC, 110));
	MUST(fcntl(100, F_DUPFD, 120));
	MUST(dup3(100, 130, O_CLOEXEC));
	MUST(dup2(130, 140));
	closefrom(151);
	MUST(close(10) == 0 || errno == EBADF ? 0 : -1);
	MUST(fcntl(150, F_SETLK, &lock)); /* last: closing any descriptor of a file drops its locks */
	say_open("before");
	execl("/proc/self/exe", "again", name, NULL);
	say("not executed: %s", errno_name(errno));
	return 1;
}
