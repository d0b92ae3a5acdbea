/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/status: NoNewPrivs, Seccomp and Seccomp_filters of oneself, of a child, of what it executes; beside what they are at the beginning, since this
 * environment may have filters of its own. Kernels that lack a line (gVisor) are not asked for it.
 */
#include "seccomp_test.h"

static long mode, filters; /* at the beginning */

/* A line's value, -1: there is no such line. */
static long number(const char *path, const char *name)
{
	char line[128];

	status_line(path, name, line, sizeof(line));
	return *line ? strtol(line + strlen(name), NULL, 10) : -1;
}

/* Whether that is what a task with so many filters of its own is told. */
static void show(const char *who, const char *path, long no_new_privs_set, long own)
{
	long privs = number(path, "NoNewPrivs:"), seen = number(path, "Seccomp_filters:");

	FACT(privs == no_new_privs_set || privs == -1);
	FACT(number(path, "Seccomp:") == (own ? 2 : mode));
	say("%s: %s", who, seen == -1 || seen == filters + own ? "so many filters" : "another number");
}

static void of_child(const char *who, pid_t pid, long own)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	show(who, path, 1, own);
}

/* A child that tells how far it is, and goes on when told. */
static void seen_from_outside(void)
{
	struct gate there = gate_new(), on = gate_new();
	pid_t pid = fork_or_die();

	if (pid == 0) {
		filter_call(SYS_sync, SECCOMP_RET_ALLOW);
		gate_open(&there);
		gate_wait(&on);
		MUST(install_for(SYS_sync, SECCOMP_RET_ALLOW, 0));
		gate_open(&there);
		gate_wait(&on);
		_exit(0);
	}
	gate_wait(&there);
	of_child("child", pid, 1);
	gate_open(&on);
	gate_wait(&there);
	of_child("child with two", pid, 2);
	gate_open(&on);
	reap(pid);
}

static void of_oneself(const char *self)
{
	char was_mode[32], was_filters[32];

	show("before", "/proc/self/status", 0, 0);
	MUST(install_for(SYS_sync, SECCOMP_RET_ALLOW, 0));
	show("one", "/proc/self/status", 0, 1);
	no_new_privs();
	show("no_new_privs", "/proc/thread-self/status", 1, 1);
	MUST(install_for(SYS_sync, SECCOMP_RET_ALLOW, 0));
	MUST(install_for(SYS_sync, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_TSYNC));
	show("three", "/proc/self/status", 1, 3);
	snprintf(was_mode, sizeof(was_mode), "%ld", mode);
	snprintf(was_filters, sizeof(was_filters), "%ld", filters);
	execl(self, self, was_mode, was_filters, (char *)NULL);
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		mode = strtol(argv[1], NULL, 10);
		filters = strtol(argv[2], NULL, 10);
		show("program", "/proc/self/status", 1, 3);
		return 0;
	}
	mode = number("/proc/self/status", "Seccomp:");
	filters = number("/proc/self/status", "Seccomp_filters:");
	CHILD(of_oneself(argv[0]));
	seen_from_outside();
	show("after", "/proc/self/status", 0, 0);
	return 0;
}
