/* SPDX-License-Identifier: Apache-2.0 */
/* null, zero, full, random and urandom: what is read and written. */
#include "difftest.h"

#include <poll.h>
#include <sys/sysmacros.h>

static void show_device(const char *path)
{
	struct stat st;
	char bytes[4096];
	size_t zeros = 0, got = 0;
	ssize_t n;
	int fd;

	say("%s", path);
	OK(stat(path, &st));
	say("mode %o, %u:%u", st.st_mode, major(st.st_rdev), minor(st.st_rdev));
	OK(access(path, R_OK | W_OK));
	OK(access(path, X_OK));
	fd = (int)MUST(open(path, O_RDONLY | O_CLOEXEC));
	memset(bytes, 0x55, sizeof(bytes));
	while (got < sizeof(bytes) && (n = read(fd, bytes + got, sizeof(bytes) - got)) > 0)
		got += (size_t)n;
	for (size_t i = 0; i < got; i++)
		zeros += !bytes[i];
	say("read %zu, zeros %s", got, zeros == got ? "all" : zeros > 100 ? "many" : "few");
	close(fd);
	fd = (int)MUST(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600));
	SHOW(write(fd, bytes, 100));
	SHOW(write(fd, bytes, 1));
	close(fd);
	OK(open(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
	OK(open(path, O_RDONLY | O_DIRECTORY));
}

int main(void)
{
	static char big[300000];
	struct pollfd null = { .events = POLLIN };
	int fd;

	show_device("/dev/null");
	show_device("/dev/zero");
	show_device("/dev/full");
	show_device("/dev/random");
	show_device("/dev/urandom");
	fd = (int)MUST(open("/dev/null", O_RDWR));
	SHOW(write(fd, big, sizeof(big)));
	SHOW(write(fd, big, sizeof(big)));
	SHOW(read(fd, big, 10));
	null.fd = fd;
	SHOW(poll(&null, 1, 1000));
	SHOW(read(fd, big, 10));
	SHOW(write(fd, "", 1));
	close(fd);
	return 0;
}
