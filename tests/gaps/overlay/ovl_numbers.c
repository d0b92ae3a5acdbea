/* SPDX-License-Identifier: Apache-2.0 */
/* st_dev and st_ino stay what they were when a file or directory is copied up, by path and by descriptor. */
#include "overlay_test.h"

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

static void number(const char *path, const char *beside)
{
	int flags = O_CLOEXEC | (beside ? O_DIRECTORY : 0);
	int before = (int)MUST(open(path, flags)), after;
	struct stat was, is, by_fd, raw;
	struct statx x;

	MUST(stat(path, &was));
	if (beside)
		close((int)MUST(open(beside, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)));
	else
		MUST(chmod(path, 0640));
	after = (int)MUST(open(path, flags));
	MUST(lstat(path, &is));
	MUST(fstat(after, &by_fd));
	MUST(syscall(SYS_fstat, after, &raw));
	MUST(statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &x));
	say("%s", path);
	FACT(same(&was, &is));
	FACT(same(&was, &by_fd));
	FACT(same(&was, &raw));
	FACT(x.stx_ino == was.st_ino);
	MUST(statx(after, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &x));
	FACT(x.stx_ino == was.st_ino);
	MUST(fstat(before, &is));
	FACT(same(&was, &is));
	close(before);
	close(after);
}

int main(int argc, char **argv)
{
	DUMP_IF_ASKED();
	number("/a/one", NULL);
	number("/a/dir/sub", "/a/dir/sub/new");
	number("/a/dir", "/a/dir/other");
	MUST(rename("/a/one", "/a/moved"));
	number("/a/moved", NULL);
	number("/a", "/a/new");
	return 0;
}
