// SPDX-License-Identifier: Apache-2.0
/* pivot_root: what it refuses, where everything is afterwards, who sees it; and pivot_root(".", "."), as container runtimes do. */
#include "../fs/fs_test.h"

#include <sched.h>
#include <sys/mount.h>

static long pivot(const char *new_root, const char *put_old)
{
	return syscall(SYS_pivot_root, new_root, put_old);
}

static void where(const char *what)
{
	char text[256];
	long n = syscall(SYS_getcwd, text, sizeof(text));

	say("%s: %s", what, n < 0 ? errno_name(errno) : text);
}

static void refused(void)
{
	OK(pivot("/none", "/bind"));
	OK(pivot("/bind", "/bind/none"));
	OK(pivot("/bind/file", "/bind/folder"));
	OK(pivot("/bind", "/bind/file"));
	OK(pivot("/t", "/t/dir"));
	OK(pivot("/bind/folder", "/bind/folder"));
	OK(pivot("/bind", "/t"));
	OK(pivot("/bind", "/bind_ro"));
	OK(pivot("/", "/"));
	OK(pivot("/", "/t"));
	OK(pivot(bad_pointer(), "/t"));
	OK(pivot("/bind", bad_pointer()));
	CHILD(OK(chroot("/t")); OK(pivot("/", "/dir")););
	CHILD(MUST(become(65534, 65534) ? 0 : -1); OK(pivot("/bind", "/bind/folder")););
}

static void look_around(void)
{
	OK(access("/file", F_OK));
	OK(access("/folder/prog", F_OK));
	OK(access("/folder/t/file", F_OK));
	OK(access("/folder/bind", F_OK));
	OK(access("/folder/bind/file", F_OK));
	OK(access("/inner/file", F_OK));
	OK(access("/folder/bind_ro/file", F_OK));
	OK(open("/folder/bind_ro/file", O_RDWR));
	OK(access("/folder/../folder/bind_file", F_OK));
	OK(access("/folder/proc/self", F_OK));
	OK(access("/proc", F_OK));
	OK(access("/bind/file", F_OK));
	OK(access("/prog", F_OK));
	OK(access("/../../file", F_OK));
}

static void usual(void)
{
	struct stat st;
	int old;

	MUST(unshare(CLONE_NEWNS));
	old = (int)MUST(open("/t", O_RDONLY | O_DIRECTORY));
	MUST(chdir("/t/dir"));
	OK(pivot("/bind", "/bind/folder"));
	where("from below");
	look_around();
	OK(access("in", F_OK));
	OK(access("../../prog", F_OK));
	OK(access("../../../file", F_OK));
	OK(chdir("../../.."));
	where("up");
	FACT(fstatat(old, "file", &st, 0) == 0);
	OK(fchdir(old));
	where("by descriptor");
	OK(chdir("/folder/bind_ro"));
	where("a mount");
	OK(chdir(".."));
	where("above it");
	CHILD(OK(access("/folder/prog", F_OK)); OK(chroot("/folder")); OK(access("/prog", F_OK)); where("in the old root"););
}

/* The working directory goes along when it is the root. */
static void along(void)
{
	MUST(unshare(CLONE_NEWNS));
	MUST(chdir("/"));
	OK(pivot("bind", "bind/folder"));
	where("at the root");
	OK(access("file", F_OK));
	OK(access("folder/prog", F_OK));
	OK(pivot("/folder", "/folder/t/empty"));
}

/* runc: nothing is made for the old root, which comes to lie on the new one. */
static void dots(void)
{
	int old, new;

	MUST(unshare(CLONE_NEWNS));
	old = (int)MUST(open("/", O_RDONLY | O_DIRECTORY));
	new = (int)MUST(open("/bind", O_RDONLY | O_DIRECTORY));
	MUST(fchdir(new));
	OK(pivot(".", "."));
	where("after");
	OK(access("file", F_OK));
	OK(access("/file", F_OK));
	OK(access("/prog", F_OK));
	OK(access("inner/file", F_OK));
	MUST(fchdir(old));
	OK(access("prog", F_OK));
	OK(access("bind_ro/file", F_OK));
	where("the old root");
	OK(umount2(".", MNT_DETACH));
	OK(umount2(".", MNT_DETACH)); /* crun goes on until there is nothing more */
	OK(chdir("/"));
	where("root");
	OK(access("file", F_OK));
	OK(access("/prog", F_OK));
}

/* A chroot into a mount is a root that can be pivoted, too. */
static void below_chroot(void)
{
	MUST(unshare(CLONE_NEWNS));
	OK(chroot("/bind"));
	OK(chdir("/"));
	OK(pivot("/inner", "/inner"));
	where("inner");
	OK(access("/file", F_OK));
	OK(access("/folder", F_OK));
}

static void *in_thread(void *arg)
{
	OK(unshare(CLONE_NEWNS));
	OK(pivot("/bind", "/bind/folder"));
	OK(access("/folder/prog", F_OK));
	CHILD(OK(access("/folder/prog", F_OK)););
	return arg;
}

static void made_by_clone(void)
{
	pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

	if (child == 0) {
		OK(pivot("/bind", "/bind/folder"));
		OK(access("/folder/prog", F_OK));
		_exit(0);
	}
	waitpid(child, NULL, 0);
	OK(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0));
	OK(unshare(0x1));
	CHILD(MUST(become(65534, 65534) ? 0 : -1); OK(unshare(CLONE_NEWNS)););
}

int main(void)
{
	tree_make();
	refused();
	CHILD(usual());
	CHILD(along());
	CHILD(dots());
	CHILD(below_chroot());
	CHILD(pthread_join(thread_start(in_thread, NULL), NULL); OK(access("/prog", F_OK)););
	made_by_clone();
	OK(access("/prog", F_OK));
	OK(access("/bind/file", F_OK));
	where("unchanged");
	return 0;
}
