// SPDX-License-Identifier: Apache-2.0
/*
 * /proc/PID/ns as files: their links and numbers, statfs, ioctl_ns(2), mounts of them on files, which keep a namespace whose processes are gone, and setns(2)
 * by all of these, and by a pidfd.
 */
#include "../fs/fs_test.h"

#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

static const char *const names[] = { "uts", "mnt", "pid", "pid_for_children", "cgroup" };

static char *ns_path(pid_t pid, const char *name)
{
	static char path[2][64];
	static int turn;

	turn ^= 1;
	if (pid)
		(void)snprintf(path[turn], sizeof(path[0]), "/proc/%d/ns/%s", (int)pid, name);
	else
		(void)snprintf(path[turn], sizeof(path[0]), "/proc/self/ns/%s", name);
	return path[turn];
}

static void link_of(const char *path, char text[64])
{
	ssize_t n = readlink(path, text, 63);

	(void)snprintf(text + (n < 0 ? 0 : n), 64 - (n < 0 ? 0 : (size_t)n), "%s", n < 0 ? errno_name(errno) : "");
}

/* A link's number, its file's, and a descriptor's. */
static void numbers(const char *name)
{
	char text[64], expected[128], self[64];
	struct stat by_path, by_fd, first;
	int fd = (int)MUST(open(ns_path(0, name), O_RDONLY | O_CLOEXEC));

	link_of(ns_path(0, name), text);
	FACT(lstat(ns_path(0, name), &by_path) == 0 && S_ISLNK(by_path.st_mode)); /* as runc looks for it */
	MUST(stat(ns_path(0, name), &by_path));
	MUST(fstat(fd, &by_fd));
	MUST(stat(ns_path(0, "uts"), &first));
	(void)snprintf(expected, sizeof(expected), "%.*s:[%lu]", strncmp(name, "pid", 3) ? 32 : 3, name,
		       (unsigned long)by_path.st_ino);
	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	say("%s: link %s, descriptor %s, device %s, mode %o", name, strcmp(text, expected) ? text : "as its file",
	    by_fd.st_ino == by_path.st_ino ? "the same" : "another", by_path.st_dev == first.st_dev ? "the same" : "another",
	    by_path.st_mode);
	link_of(self, text);
	say("%s: link of the descriptor %s", name, strcmp(text, expected) ? text : "the same");
	MUST(close(fd));
}

static bool same(pid_t pid, const char *name)
{
	struct stat one, other;

	return stat(ns_path(pid, name), &one) == 0 && stat(ns_path(0, name), &other) == 0 && one.st_ino == other.st_ino &&
	       one.st_dev == other.st_dev;
}

static void ask(int fd, const char *what)
{
	int r;

	say("%s: type %#x", what, (unsigned int)ioctl(fd, NS_GET_NSTYPE));
	r = ioctl(fd, NS_GET_PARENT);
	say("%s: parent %s", what, r < 0 ? errno_name(errno) : "ok");
	if (r >= 0)
		(void)close(r);
	say("%s: owner %s", what, ioctl(fd, NS_GET_OWNER_UID, &r) < 0 ? errno_name(errno) : "ok");
}

static void host(const char *what)
{
	struct utsname name;

	MUST(uname(&name));
	say("%s: %s, /t/dir %s", what, name.nodename, access("/t/dir/other", F_OK) ? "as it was" : "covered");
}

static void enter(int fd, int type, const char *what)
{
	say("setns(%s, %#x): %s", what, (unsigned int)type, setns(fd, type) ? errno_name(errno) : "ok");
}

/* A process in namespaces of its own, the first of its pid namespace, until the gate is opened. */
static pid_t other(const struct gate *ready, const struct gate *end)
{
	pid_t pid = (pid_t)MUST(
		syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWCGROUP | SIGCHLD, NULL, NULL, NULL, NULL));

	if (pid == 0) {
		MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
		MUST(sethostname("other", 5));
		MUST(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
		MUST(mount("/t/empty", "/t/dir", NULL, MS_BIND, NULL));
		gate_open(ready);
		gate_wait(end);
		_exit(0);
	}
	gate_wait(ready);
	return pid;
}

static void mounted(pid_t pid)
{
	struct statfs fs;
	int fd;

	write_file("/t/ns", "", 0644);
	SHOW(mount(ns_path(pid, "uts"), "/t/dir", NULL, MS_BIND, NULL));
	SHOW(mount(ns_path(pid, "uts"), "/t/ns", NULL, MS_BIND, NULL));
	SHOW(unlink("/t/ns"));
	MUST(statfs("/t/ns", &fs));
	say("statfs %#lx", (unsigned long)fs.f_type);
	fd = (int)MUST(open("/t/ns", O_RDONLY | O_CLOEXEC));
	MUST(fstatfs(fd, &fs));
	say("fstatfs %#lx", (unsigned long)fs.f_type);
	ask(fd, "mounted");
	MUST(close(fd));
}

static void by_pidfd(pid_t pid)
{
	int fd = (int)MUST(syscall(SYS_pidfd_open, pid, 0)), status;
	pid_t child = fork_or_die();

	if (child == 0) {
		enter(fd, 0, "pidfd");
		enter(fd, CLONE_NEWUTS | CLONE_FS, "pidfd");
		enter(fd, CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP, "pidfd");
		enter(fd, CLONE_NEWNET, "pidfd");
		SHOW(unshare(0));
		host("by a pidfd");
		for (size_t i = 0; i < COUNT(names); i++)
			say("%s %s", names[i], same(pid, names[i]) ? "the same" : "another");
		child = fork_or_die();
		if (child == 0) {
			FACT(getppid() == 0);
			FACT(kill(1, 0) == 0);
			FACT(kill(getpid(), 0) == 0 && getpid() > 1);
			_exit(3);
		}
		MUST(waitpid(child, &status, 0));
		_exit(WEXITSTATUS(status));
	}
	MUST(waitpid(child, &status, 0));
	say("by a pidfd: %d", WEXITSTATUS(status));
	MUST(close(fd));
}

static void by_files(const int fds[COUNT(names)])
{
	int fd = (int)MUST(open("/t/ns", O_RDONLY | O_CLOEXEC));

	enter(fd, CLONE_NEWNS, "mounted uts");
	enter(fd, CLONE_NEWUTS, "mounted uts");
	host("by a mount");
	enter(fds[0], 0, "uts");
	enter(fds[4], CLONE_NEWCGROUP, "cgroup");
	enter(fds[2], CLONE_NEWPID, "pid");
	enter(fds[1], CLONE_NEWNS, "mnt");
	host("by descriptors, of namespaces without processes");
	SHOW(fork()); /* its init is gone */
	_exit(0);
}

int main(void)
{
	struct gate ready = gate_new(), end = gate_new();
	int fds[COUNT(names)], own;
	char text[64];
	pid_t pid;

	tree_make();
	write_file("/t/empty/other", "other", 0644);
	for (size_t i = 0; i < COUNT(names); i++)
		numbers(names[i]);
	pid = other(&ready, &end);
	for (size_t i = 0; i < COUNT(names); i++) {
		say("%s of the other one %s", names[i], same(pid, names[i]) ? "the same" : "another");
		fds[i] = (int)MUST(open(ns_path(pid, names[i]), O_RDONLY | O_CLOEXEC));
	}
	ask(fds[0], "uts");
	ask(fds[2], "pid");
	mounted(pid);
	by_pidfd(pid);
	gate_open(&end);
	MUST(waitpid(pid, NULL, 0));
	pid = fork_or_die();
	if (pid == 0)
		by_files(fds);
	reap(pid);
	SHOW(umount("/t/ns"));
	SHOW(unlink("/t/ns"));
	own = (int)MUST(open(ns_path(0, "pid"), O_RDONLY | O_CLOEXEC));
	MUST(unshare(CLONE_NEWPID));
	link_of(ns_path(0, "pid_for_children"), text);
	say("before the first child: %s", text);
	if (fork_or_die() == 0) {
		enter(own, CLONE_NEWPID, "the pid namespace above");
		_exit(0);
	}
	MUST(wait(NULL));
	enter(own, CLONE_NEWPID, "back");
	CHILD(FACT(getpid() > 1));
	return 0;
}
