// SPDX-License-Identifier: Apache-2.0
/* Mount namespaces by /proc/PID/ns/mnt: which of them are the same, and setns(2) into another, whose root is then the caller's. */
#include "../fs/fs_test.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

static bool same(pid_t pid)
{
	char path[64], one[64] = "", other[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	if (readlink(path, one, sizeof(one) - 1) < 0 || readlink("/proc/self/ns/mnt", other, sizeof(other) - 1) < 0)
		return false;
	return strncmp(one, "mnt:[", 5) == 0 && strcmp(one, other) == 0;
}

static void where(const char *what)
{
	char text[256];
	long n = syscall(SYS_getcwd, text, sizeof(text));

	say("%s: %s, %s", what, n < 0 ? errno_name(errno) : text, access("/t/dir/other", F_OK) ? "not covered" : "covered");
}

static void other(const struct gate *ready, const struct gate *end)
{
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
	MUST(unshare(CLONE_NEWNS));
	MUST(mount("/t/empty", "/t/dir", NULL, MS_BIND, NULL));
	MUST(chroot("/t"));
	gate_open(ready);
	gate_wait(end);
	_exit(0);
}

int main(void)
{
	struct gate ready = gate_new(), end = gate_new();
	int own, theirs;
	char path[64];
	pid_t pid;

	tree_make();
	write_file("/t/empty/other", "other", 0644);
	own = (int)MUST(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
	pid = fork();
	if (pid == 0)
		other(&ready, &end);
	gate_wait(&ready);
	FACT(same(pid));
	CHILD(FACT(same(getppid())));
	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)pid);
	theirs = (int)MUST(open(path, O_RDONLY | O_CLOEXEC));
	where("before");
	OK(setns(theirs, CLONE_NEWUTS));
	OK(setns(theirs, CLONE_NEWNS));
	where("in the other one");
	FACT(same(pid));
	CHILD(where("a child"); FACT(same(pid)));
	OK(chdir("/t/dir"));
	where("there");
	CHILD(OK(chroot("/t")); OK(setns(own, 0)); where("back from a root"));
	CHILD(MUST(become(65534, 65534) ? 0 : -1); OK(setns(own, 0)));
	OK(setns(own, 0));
	where("back");
	gate_open(&end);
	waitpid(pid, NULL, 0);
	return 0;
}
