/* SPDX-License-Identifier: Apache-2.0 */
/* copy_file_range: what is copied, where positions are afterwards, and what is refused in which order. */
#include "difftest.h"

#include <sys/socket.h>

static long copy(int in, off_t *in_at, int out, off_t *out_at, size_t count, unsigned flags)
{
	return syscall(SYS_copy_file_range, in, in_at, out, out_at, count, flags);
}

static void contents(const char *path)
{
	char text[256];
	size_t n = read_file(path, text, sizeof(text));

	for (size_t i = 0; i < n; i++)
		text[i] = text[i] ? text[i] : '0';
	say("%s: %zu bytes '%s'", path, n, text);
}

static off_t where(int fd)
{
	return lseek(fd, 0, SEEK_CUR);
}

static void copies(void)
{
	int in, out;
	off_t from = 3, to = 5;

	write_file("in", "0123456789", 0644);
	write_file("out", "", 0644);
	in = (int)MUST(open("in", O_RDONLY));
	out = (int)MUST(open("out", O_RDWR));
	SHOW(copy(in, NULL, out, NULL, 4, 0));
	say("positions %ld %ld", (long)where(in), (long)where(out));
	SHOW(copy(in, NULL, out, NULL, 100, 0));
	SHOW(copy(in, NULL, out, NULL, 100, 0));
	say("positions %ld %ld", (long)where(in), (long)where(out));
	contents("out");
	SHOW(copy(in, &from, out, &to, 4, 0));
	say("offsets %ld %ld, positions %ld %ld", (long)from, (long)to, (long)where(in), (long)where(out));
	contents("out");
	from = 0;
	SHOW(copy(in, &from, out, NULL, 3, 0));
	say("offset %ld, position %ld", (long)from, (long)where(out));
	lseek(in, 8, SEEK_SET);
	to = 20;
	SHOW(copy(in, NULL, out, &to, 100, 0));
	say("position %ld, offset %ld", (long)where(in), (long)to);
	contents("out");
	from = 10;
	SHOW(copy(in, &from, out, NULL, 1, 0));
	from = 1000;
	SHOW(copy(in, &from, out, NULL, 1, 0));
	SHOW(copy(in, NULL, out, NULL, 0, 0));
}

static void large(void)
{
	int in = (int)MUST(open("large", O_RDWR | O_CREAT, 0600)), out = (int)MUST(open("copy", O_RDWR | O_CREAT, 0600));
	char block[65536], other[65536];
	bool same = true;
	long n, total = 0;

	for (int i = 0; i < 180; i++) {
		memset(block, i, sizeof(block));
		MUST(write(in, block, sizeof(block)));
	}
	lseek(in, 0, SEEK_SET);
	while ((n = copy(in, NULL, out, NULL, (size_t)-1 >> 2, 0)) > 0)
		total += n;
	say("end %ld, total %ld, positions %ld %ld", n, total, (long)where(in), (long)where(out));
	for (int i = 0; i < 180; i++) {
		memset(block, i, sizeof(block));
		same = same && pread(out, other, sizeof(other), (off_t)i * 65536) == 65536 && !memcmp(block, other, sizeof(block));
	}
	FACT(same);
}

static void refusals(void)
{
	int in = (int)MUST(open("in", O_RDONLY)), out = (int)MUST(open("out", O_RDWR)), folder = (int)MUST(open(".", O_RDONLY)),
	    append = (int)MUST(open("out", O_WRONLY | O_APPEND)), write_only = (int)MUST(open("in", O_WRONLY)),
	    path = (int)MUST(open("in", O_PATH)), both = (int)MUST(open("in", O_RDWR)), ends[2],
	    null = (int)MUST(open("/dev/null", O_RDWR)), proc = (int)MUST(open("/proc/self/status", O_RDONLY));
	off_t at = 0, negative = -1, far = INT64_MAX, one = 1, five = 5;
	struct rlimit {
		unsigned long soft, hard;
	} limit;

	MUST(pipe(ends));
	OK(copy(-1, NULL, out, NULL, 1, 0));
	OK(copy(in, NULL, -1, NULL, 1, 0));
	OK(copy(9999, bad_pointer(), -1, NULL, 1, 7));
	OK(copy(in, NULL, out, NULL, 1, 1));
	OK(copy(in, bad_pointer(), out, NULL, 1, 1));
	OK(copy(in, NULL, out, bad_pointer(), 1, 0));
	OK(copy(in, read_only_copy(&at, sizeof(at)), out, NULL, 1, 0));
	OK(copy(folder, NULL, out, NULL, 1, 0));
	OK(copy(in, NULL, folder, NULL, 1, 0));
	OK(copy(folder, NULL, out, NULL, 1, 1));
	OK(copy(ends[0], NULL, out, NULL, 1, 0));
	OK(copy(in, NULL, ends[1], NULL, 1, 0));
	OK(copy(null, NULL, out, NULL, 1, 0));
	OK(copy(in, NULL, null, NULL, 1, 0));
	OK(copy(proc, NULL, out, NULL, 1, 0));
	OK(copy(in, NULL, append, NULL, 1, 0));
	OK(copy(write_only, NULL, out, NULL, 1, 0));
	OK(copy(in, NULL, in, NULL, 1, 0));
	OK(copy(path, NULL, out, NULL, 1, 0));
	OK(copy(in, NULL, path, NULL, 1, 0));
	OK(copy(in, &negative, out, NULL, 1, 0));
	OK(copy(in, &at, out, &negative, 1, 0));
	OK(copy(in, &at, out, &far, 4, 0));
	OK(copy(in, &far, out, NULL, 4, 0));
	OK(copy(in, &far, out, NULL, (size_t)-1, 0));
	OK(copy(in, &at, out, NULL, (size_t)-1, 0));
	at = 0;
	OK(copy(both, &at, both, &one, 5, 0));
	OK(copy(both, &at, both, &at, 5, 0));
	OK(copy(both, &one, both, &at, 5, 0));
	OK(copy(both, &at, both, &five, 5, 0));
	contents("in");
	at = 0;
	far = 1 << 20;
	limit.soft = limit.hard = 1 << 20;
	signal(SIGXFSZ, SIG_IGN);
	MUST(syscall(SYS_setrlimit, 1 /* RLIMIT_FSIZE */, &limit));
	OK(copy(in, &at, out, &far, 4, 0));
	far -= 2;
	at = 0;
	SHOW(copy(in, &at, out, &far, 4, 0));
}

int main(void)
{
	copies();
	large();
	CHILD(refusals());
	return 0;
}
