// SPDX-License-Identifier: Apache-2.0
/* A directory that is mounted at several places: which of them the working directory, descriptors and their links in /proc tell, over chdir, fchdir,
 * fork, execve and new namespaces; and what ".." is there. */
#include "../fs/fs_test.h"

#include <sched.h>
#include <sys/mount.h>

static void where(const char *what)
{
	char text[256];
	long n = syscall(SYS_getcwd, text, sizeof(text));

	say("%s: %s", what, n < 0 ? errno_name(errno) : text);
}

static void fd_says(const char *what, int fd)
{
	char path[64], text[256];
	ssize_t n;

	snprintf(path, sizeof(path), fd < 0 ? "/proc/self/cwd" : "/proc/self/fd/%d", fd);
	n = readlink(path, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	say("%s: %s", what, n < 0 ? errno_name(errno) : text);
}

static int directory(const char *path)
{
	return (int)MUST(open(path, O_RDONLY | O_DIRECTORY));
}

static void look(void)
{
	int here = directory("/t/dir/sub"), there = directory("/t/empty/sub"), whole = directory("/t/twice/dir/sub");
	struct stat a, b;

	fd_says("here", here);
	fd_says("there", there);
	fd_says("whole", whole);
	MUST(chdir("/t/empty/sub"));
	where("there");
	fd_says("cwd", -1);
	OK(chdir(".."));
	where("above");
	OK(chdir(".."));
	where("above");
	MUST(fchdir(there));
	where("there, by descriptor");
	MUST(fchdir(here));
	where("here, by descriptor");
	OK(chdir("../.."));
	where("above");
	MUST(fchdir(whole));
	where("in the whole");
	OK(chdir("../../.."));
	where("above");
	FACT(fstatat(there, "..", &a, 0) == 0 && fstatat(there, "../..", &b, 0) == 0 && a.st_ino != b.st_ino);
	OK(faccessat(there, "../../file", F_OK, 0));
	OK(faccessat(there, "../in", F_OK, 0));
	OK(faccessat(whole, "../../twice/file", F_OK, 0));
	OK(faccessat(whole, "../../../file", F_OK, 0));
	close(here);
	close(there);
	close(whole);
}

static void inherit(void)
{
	MUST(chdir("/t/empty/sub"));
	CHILD(where("child"););
	EXEC_CHILD("executed", execl("/prog", "x", "executed", NULL));
	MUST(unshare(CLONE_NEWNS));
	where("in a namespace of its own");
	CHILD(where("its child"); MUST(chdir("..")); where("above"););
	MUST(chdir("/t/twice/dir"));
	EXEC_CHILD("executed in the whole", execl("/prog", "x", "executed", NULL));
}

static void rooted(void)
{
	MUST(chroot("/t/empty"));
	where("outside");
	MUST(chdir("/sub"));
	where("inside");
	OK(access("/../file", F_OK));
	OK(access("/in", F_OK));
	MUST(chdir(".."));
	where("the root");
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		where(argv[1]);
		OK(chdir(".."));
		where("above");
		return 0;
	}
	tree_make();
	MUST(mkdir("/t/twice", 0755));
	OK(mount("/t/dir", "/t/empty", NULL, MS_BIND, NULL));
	OK(mount("/t", "/t/twice", NULL, MS_BIND, NULL));
	look();
	CHILD(inherit());
	CHILD(rooted());
	MUST(chdir("/t/empty"));
	OK(umount2("/t/empty", MNT_DETACH));
	MUST(chdir("/t/dir"));
	where("afterwards");
	OK(umount2("/t/twice", 0));
	return 0;
}
