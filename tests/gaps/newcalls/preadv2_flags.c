/* SPDX-License-Identifier: Apache-2.0 */
/* preadv2 and pwritev2: offsets, -1 for the file's own, RWF_ flags, errors, files that cannot seek, a read that waits. */
#include "difftest.h"

#include <sys/uio.h>

enum { HIPRI = 1, DSYNC = 2, SYNC = 4, APPEND = 0x10, NOAPPEND = 0x20 };

static long rd(int fd, const struct iovec *iov, int n, long pos, int flags)
{
	return syscall(SYS_preadv2, fd, iov, n, pos, pos >> 63, flags);
}

static long wr(int fd, const struct iovec *iov, int n, long pos, int flags)
{
	return syscall(SYS_pwritev2, fd, iov, n, pos, pos >> 63, flags);
}

static void offsets(int fd)
{
	char a[4] = "", b[8] = "";
	struct iovec out[2] = { { (char *)"abc", 3 }, { (char *)"defgh", 5 } }, in[2] = { { a, 3 }, { b, 5 } };

	SHOW(wr(fd, out, 2, 0, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(wr(fd, out, 2, -1, 0));
	SHOW(lseek(fd, 0, SEEK_CUR));
	SHOW(rd(fd, in, 2, 2, 0));
	say("'%.3s' '%.5s'", a, b);
	SHOW(rd(fd, in, 2, -1, 0));
	lseek(fd, 1, SEEK_SET);
	SHOW(rd(fd, in, 2, -1, HIPRI));
	say("'%.3s' '%.5s', position %ld", a, b, (long)lseek(fd, 0, SEEK_CUR));
	SHOW(rd(fd, in, 2, 100, 0));
	SHOW(rd(fd, in, 2, -2, 0));
	SHOW(wr(fd, out, 2, -2, 0));
	SHOW(wr(fd, out, 2, INT64_MIN, 0));
	SHOW(rd(fd, in, 0, 0, 0));
	SHOW(rd(fd, NULL, 0, 0, 0));
	SHOW(rd(fd, in, -1, 0, 0));
	SHOW(rd(fd, in, 1025, 0, 0));
	SHOW(rd(fd, bad_pointer(), 1, 0, 0));
	in[0].iov_base = bad_pointer();
	SHOW(rd(fd, in, 1, 0, 0));
	SHOW(rd(-1, in, 1, 0, 0));
	SHOW(rd(9999, in, 1, -1, 0));
	SHOW(rd(9999, in, 1, -2, DSYNC));
	SHOW(wr(9999, out, 1, 0, DSYNC));
}

static void flags(int fd, int reader, int writer, int append)
{
	char a[4] = "";
	struct iovec out = { (char *)"xyz", 3 }, in = { a, 3 };

	for (int flag = 0; flag < 8; flag++) {
		SHOW(wr(fd, &out, 1, 4, flag));
		SHOW(wr(fd, &out, 1, -1, flag));
		SHOW(rd(fd, &in, 1, 4, flag));
		SHOW(wr(reader, &out, 1, 0, flag));
		SHOW(rd(writer, &in, 1, 0, flag));
	}
	SHOW(wr(fd, &out, 1, 0, APPEND | NOAPPEND));
	SHOW(wr(append, &out, 1, 0, APPEND));
	SHOW(wr(fd, &out, 1, 0, NOAPPEND));
	SHOW(wr(fd, &out, 1, 0, NOAPPEND | SYNC));
	SHOW(rd(fd, &in, 1, 0, APPEND));
	SHOW(rd(fd, &in, 1, 0, NOAPPEND));
	for (int bit = 0x1000; bit > 0; bit <<= 1)
		SHOW(wr(fd, &out, 1, 0, bit));
	SHOW(lseek(append, 0, SEEK_END));
}

static void *write_later(void *arg)
{
	int fd = *(int *)arg;

	pause_ms(50);
	MUST(write(fd, "late", 4));
	return NULL;
}

static void pipes(void)
{
	char text[8] = "";
	struct iovec in = { text, 4 }, out = { (char *)"pipe", 4 };
	pthread_t thread;
	int ends[2];

	MUST(pipe(ends));
	SHOW(wr(ends[1], &out, 1, -1, 0));
	SHOW(wr(ends[1], &out, 1, 0, 0));
	SHOW(rd(ends[0], &in, 1, 0, 0));
	SHOW(rd(ends[0], &in, 1, -1, 0));
	SHOW(wr(ends[1], &out, 1, -1, SYNC));
	SHOW(rd(ends[0], &in, 1, -1, DSYNC));
	thread = thread_start(write_later, &ends[1]);
	SHOW(rd(ends[0], &in, 1, -1, 0));
	say("%s", text);
	pthread_join(thread, NULL);
}

int main(void)
{
	int fd = (int)MUST(open("file", O_RDWR | O_CREAT, 0600)),
	    append = (int)MUST(open("append", O_WRONLY | O_CREAT | O_APPEND, 0600));

	offsets(fd);
	flags(fd, (int)MUST(open("file", O_RDONLY)), (int)MUST(open("file", O_WRONLY)), append);
	pipes();
	return 0;
}
