// SPDX-License-Identifier: Apache-2.0
/* Mount namespaces and roots that come and go, more than a table has room for at a time: by one process, by its children, by clone. */
#include "../fs/fs_test.h"

#include <sched.h>

static int count;

static bool pivots(void)
{
	return unshare(CLONE_NEWNS) == 0 && syscall(SYS_pivot_root, "/bind", "/bind/folder") == 0 &&
	       access("/folder/prog", F_OK) == 0;
}

static void in_one(void)
{
	int done = 0;

	for (int i = 0; i < count; i++)
		done += unshare(CLONE_NEWNS) == 0;
	FACT(done == count);
	FACT(pivots());
}

static void in_children(void)
{
	int done = 0, status;

	for (int i = 0; i < count; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(!pivots());
		done += waitpid(child, &status, 0) == child && status == 0;
	}
	FACT(done == count);
}

static void by_clone(void)
{
	int done = 0, status;

	for (int i = 0; i < count; i++) {
		pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);

		if (child == 0)
			_exit(access("/prog", F_OK) != 0);
		done += waitpid(child, &status, 0) == child && status == 0;
	}
	FACT(done == count);
}

/* Many roots, each of which is looked at by a child that outlives it. */
static void roots(void)
{
	int done = 0, status;
	char path[64];

	for (int i = 0; i < 4 * count; i++) {
		pid_t child;

		snprintf(path, sizeof(path), "/t/dir/%d", i);
		mkdir(path, 0755);
		child = fork();
		if (child == 0) {
			if (chroot(path) != 0 || chdir("/") != 0)
				_exit(1);
			child = fork();
			if (child == 0)
				_exit(mkdir("/made", 0755) != 0);
			_exit(waitpid(child, &status, 0) != child || status != 0);
		}
		done += waitpid(child, &status, 0) == child && status == 0;
		strcat(path, "/made");
		done += access(path, F_OK) == 0;
	}
	FACT(done == 8 * count);
}

int main(void)
{
	count = getenv("DIFFTEST_SLOW") ? 20 : 300;
	tree_make();
	CHILD(in_one());
	in_children();
	by_clone();
	roots();
	FACT(access("/prog", F_OK) == 0);
	return 0;
}
