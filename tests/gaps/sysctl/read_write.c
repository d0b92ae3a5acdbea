/* SPDX-License-Identifier: Apache-2.0 */
/* Files opened for reading and writing: one position for both, pwrite beside it, children, and what cannot be opened so. */
#include "sysctl_common.h"
#include <sys/uio.h>

#define FILE_NAME "net/ipv4/tcp_fin_timeout"

static int both(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		say("%s: %s", path, errno_name(errno));
	return fd;
}

static void put(int fd, const char *text)
{
	ssize_t n = write(fd, text, strlen(text));

	say("write '%s' -> %s, position %ld, reads %s", plain(text, strlen(text)), result_name(n < 0 ? -errno : (int)n),
	    (long)lseek(fd, 0, SEEK_CUR), reads(FILE_NAME));
}

/* What is read again, by the same descriptor, is what was written. */
static void again(int fd)
{
	char text[64] = "";

	SHOW(pread(fd, text, sizeof(text) - 1, 0));
	say("again '%s'", plain(text, strlen(text)));
	FACT(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	FACT((fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
}

static void positions(int fd)
{
	char text[64];

	put(fd, "31\n");
	put(fd, "32\n");
	SHOW(lseek(fd, 0, SEEK_SET));
	put(fd, "33\n");
	SHOW(lseek(fd, 0, SEEK_SET));
	put(fd, "x\n");
	SHOW(lseek(fd, 0, SEEK_SET));
	FACT(read(fd, text, sizeof(text)) > 0);
	put(fd, "34\n");
	again(fd);
	SHOW(pwrite(fd, "35\n", 3, 0));
	say("reads %s", reads(FILE_NAME));
	SHOW(pwrite(fd, "36\n", 3, 1));
	SHOW(pwrite(fd, "36\n", 3, -1));
	say("reads %s", reads(FILE_NAME));
}

static void others(int fd)
{
	char one[] = "3", two[] = "7\n";
	struct iovec parts[2] = { { one, 1 }, { two, 2 } };

	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(writev(fd, parts, 2));
	say("reads %s", reads(FILE_NAME));
	SHOW(lseek(fd, 0, SEEK_SET));
	SHOW(write(fd, bad_pointer(), 3));
	SHOW(write(fd, "", 0));
	CHILD(SHOW(lseek(fd, 0, SEEK_SET)); SHOW(write(fd, "38\n", 3)));
	say("reads %s", reads(FILE_NAME));
}

int main(void)
{
	int fd, other;

	isolate();
	OK(both("kernel/ostype") >= 0);
	OK(both("vm/drop_caches") >= 0);
	OK(both("net/ipv4") >= 0);
	fd = both(FILE_NAME);
	if (fd < 0)
		return 0;
	positions(fd);
	others(fd);
	close(fd);
	/* the number is something else now */
	other = (int)MUST(open("/dev/null", O_WRONLY));
	FACT(other == fd);
	SHOW(write(other, "39\n", 3));
	say("reads %s", reads(FILE_NAME));
	return 0;
}
