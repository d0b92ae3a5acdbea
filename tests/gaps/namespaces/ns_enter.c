/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/ns/{uts,ipc}: links that tell namespaces apart, and setns(2) into them. */
#include "difftest.h"
#include <sched.h>
#include <sys/utsname.h>

static const char *const names[] = { "/proc/self/ns/uts", "/proc/self/ns/ipc" };

static void link_of(const char *path, char text[64])
{
	ssize_t n = readlink(path, text, 63);

	text[n < 0 ? 0 : n] = 0;
}

static void told(const char *what)
{
	struct utsname name;

	MUST(uname(&name));
	say("%s: %s, shm %s", what, name.nodename, shmget(0x1e000001, 0, 0) < 0 ? errno_name(errno) : "there");
}

static bool same(pid_t pid, const char *which)
{
	char path[64], one[64], other[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, which);
	link_of(path, one);
	snprintf(path, sizeof(path), "/proc/self/ns/%s", which);
	link_of(path, other);
	return one[0] && strcmp(one, other) == 0;
}

static void enter(int fd, int type, const char *what)
{
	say("setns(%s, %#x) = %s", what, (unsigned int)type, setns(fd, type) ? errno_name(errno) : "ok");
}

/* A child with namespaces of its own, as long as the gate is closed. */
static pid_t other_child(const struct gate *ready, const struct gate *end)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		MUST(unshare(CLONE_NEWUTS | CLONE_NEWIPC));
		MUST(sethostname("other", 5));
		MUST(shmget(0x1e000001, PAGE, IPC_CREAT | 0600));
		gate_open(ready);
		gate_wait(end);
		told("the other one");
		_exit(0);
	}
	gate_wait(ready);
	return pid;
}

int main(void)
{
	struct gate ready = gate_new(), end = gate_new();
	int uts, ipc, own_uts, own_ipc;
	char text[64], path[64];
	pid_t pid;

	MUST(sethostname("first", 5));
	for (size_t i = 0; i < COUNT(names); i++) {
		link_of(names[i], text);
		say("%s: %.5s..%c, %zu bytes", names[i], text, *text ? text[strlen(text) - 1] : 0, strlen(text));
	}
	own_uts = (int)MUST(open(names[0], O_RDONLY | O_CLOEXEC));
	own_ipc = (int)MUST(open(names[1], O_RDONLY | O_CLOEXEC));
	CHILD(FACT(same(getppid(), "uts")); FACT(same(getppid(), "ipc")));
	pid = other_child(&ready, &end);
	FACT(same(pid, "uts"));
	FACT(same(pid, "ipc"));
	snprintf(path, sizeof(path), "/proc/%d/ns/uts", pid);
	uts = (int)MUST(open(path, O_RDONLY | O_CLOEXEC));
	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", pid);
	ipc = (int)MUST(open(path, O_RDONLY | O_CLOEXEC));
	told("before");
	enter(uts, CLONE_NEWIPC, "uts");
	enter(ipc, CLONE_NEWUTS, "ipc");
	enter(uts, 0, "uts");
	told("in its uts");
	FACT(same(pid, "uts"));
	FACT(same(pid, "ipc"));
	enter(ipc, CLONE_NEWIPC, "ipc");
	told("in its ipc");
	FACT(same(pid, "ipc"));
	CHILD(told("child"); MUST(sethostname("changed", 7)));
	enter(own_uts, CLONE_NEWUTS, "own uts");
	told("back");
	enter(own_ipc, 0, "own ipc");
	told("back");
	FACT(same(pid, "uts"));
	AS_USER(1000, 1000, enter(uts, 0, "uts"); enter(own_uts, 0, "own uts"); told("another user"));
	gate_open(&end);
	reap(pid);
	enter(uts, 0, "uts of a dead one");
	told("at last");
	return 0;
}
