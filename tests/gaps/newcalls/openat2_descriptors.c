/* SPDX-License-Identifier: Apache-2.0 */
/* openat2 with RESOLVE_ flags: the lowest number, nothing left open, locks kept, O_CLOEXEC, directories without search permission. */
#include "openat2_test.h"

static int count_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static long open2(const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = { .flags = flags, .resolve = resolve };

	return openat2_again(AT_FDCWD, path, &how);
}

static void numbers(void)
{
	static const char *const paths[] = { "file", "folder/deep/leaf",  "folder/../link",  "nothing",       "folder/nothing",
					     "loop", "folder/deep/../..", "../no such file", "dirlink/inner", "link" };
	int before = count_open(), gap = (int)MUST(open("file", O_RDONLY)), above = (int)MUST(open("file", O_RDONLY));

	close(gap);
	for (unsigned i = 0; i < COUNT(paths); i++)
		for (uint64_t resolve = 1; resolve <= RESOLVE_IN_ROOT; resolve <<= 1) {
			long fd = open2(paths[i], O_RDONLY, resolve);

			say("%s %#llx: %s", paths[i], (unsigned long long)resolve,
			    fd < 0      ? errno_name(errno)
			    : fd == gap ? "the lowest number"
					: "another number");
			if (fd >= 0)
				close((int)fd);
		}
	close(above);
	FACT(count_open() == before);
}

static void locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };
	int mine = (int)MUST(open("file", O_RDWR));

	MUST(fcntl(mine, F_SETLK, &lock));
	for (uint64_t resolve = 1; resolve <= RESOLVE_IN_ROOT; resolve <<= 1) {
		long fd = open2("link", O_RDWR, resolve);

		CHILD({
			lock.l_type = F_WRLCK;
			MUST(fcntl(mine, F_GETLK, &lock));
			say("resolve %#llx %s: %s", (unsigned long long)resolve, fd < 0 ? "refused" : "opened",
			    lock.l_type == F_UNLCK ? "the lock is lost" : "still locked");
		});
		(void)fd; /* closing it would drop the lock, natively as well */
	}
}

static void permissions(void)
{
	MUST(chmod("folder", 0600));
	AS_USER(12345, 12345, {
		open_as("no search", "folder/inner", O_RDONLY, 0, RESOLVE_BENEATH);
		open_as("no search", "folder/..", O_RDONLY, 0, RESOLVE_BENEATH);
		open_as("no search", "folder/../file", O_RDONLY, 0, RESOLVE_NO_SYMLINKS);
		open_as("no search", "folder/.", O_RDONLY, 0, RESOLVE_IN_ROOT);
		open_as("no write", "file", O_RDWR, 0, RESOLVE_IN_ROOT);
		open_as("no write", "new", O_RDWR | O_CREAT, 0600, RESOLVE_NO_XDEV);
	});
	MUST(chmod("folder", 0755));
}

int main(void)
{
	long fd;

	make_tree();
	numbers();
	fd = open2("file", O_RDONLY | O_CLOEXEC, RESOLVE_BENEATH);
	SHOW(fcntl((int)fd, F_GETFD));
	fd = open2("file", O_RDONLY, RESOLVE_BENEATH);
	SHOW(fcntl((int)fd, F_GETFD));
	FACT((fcntl((int)fd, F_GETFL) & ~O_NOFOLLOW) ==
	     fcntl(open("file", O_RDONLY), F_GETFL)); /* newcalls_agent.c: O_NOFOLLOW shows */
	locks();
	permissions();
	return 0;
}
