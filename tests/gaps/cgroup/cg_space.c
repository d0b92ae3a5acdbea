// SPDX-License-Identifier: Apache-2.0
/* Cgroup namespaces: whose root is where, what is told of others, what is mounted, entering one. */
#include "cgroup_test.h"

/* The line of the unified hierarchy; the test's group by a word. */
static void show_place(const char *who, const char *path)
{
	char text[65536], *rest = text, *word;

	if (get(path, text, sizeof(text)) < 0) {
		say("%s: unknown", who);
		return;
	}
	while ((word = strsep(&rest, "\n")))
		if (!strncmp(word, "0::", 3)) {
			char *at = strstr(word, group_name);

			if (at)
				say("%s: %.*sTOP%s", who, (int)(at - word), word, at + strlen(group_name));
			else
				say("%s: %s", who, word);
		}
}

static void show_other(const char *who, pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
	show_place(who, path);
}

static void inside(pid_t outer, pid_t sibling, pid_t outside)
{
	show_place("self", "/proc/self/cgroup");
	show_other("who is above", outer);
	show_other("who is beside", sibling);
	show_other("who is elsewhere", outside);
	OK(mkdir("/mnt/inner", 0755));
	OK(mount("inner", "/mnt/inner", "cgroup2", 0, NULL));
	OK(access("/mnt/inner/cgroup.type", F_OK));
	OK(access("/mnt/inner/below", F_OK));
	FACT(has_pid("/mnt/inner/cgroup.procs", getpid()));
	OK(mkdir("/mnt/inner/made", 0755));
	OK(access("a/made/cgroup.procs", F_OK));
	OK(rmdir("a/made"));
	say("move: %s", errno_name(put("/mnt/inner/below/cgroup.procs", "0")));
	show_place("self", "/proc/self/cgroup");
	OK(umount("/mnt/inner"));
}

int main(void)
{
	struct gate done = gate_new();
	pid_t outside, sibling, child;
	char path[64];
	int status, space;

	enter_group();
	MUST(mkdir("a", 0755));
	MUST(mkdir("a/below", 0755));
	MUST(mkdir("b", 0755));
	outside = start_sleeper();
	sibling = start_sleeper();
	put_pid("b/cgroup.procs", sibling);
	put_pid("cgroup.procs", getpid());
	show_place("self", "/proc/self/cgroup");
	child = fork();
	if (child == 0) {
		put("a/cgroup.procs", "0");
		show_place("self", "/proc/self/cgroup");
		OK(unshare(CLONE_NEWCGROUP));
		inside(getppid(), sibling, outside);
		gate_open(&done);
		for (;;)
			pause();
	}
	gate_wait(&done);
	show_other("the child, from outside", child);
	snprintf(path, sizeof(path), "/proc/%d/ns/cgroup", (int)child);
	space = MUST(open(path, O_RDONLY | O_CLOEXEC));
	OK(setns(space, CLONE_NEWCGROUP));
	show_other("the child, from its namespace", child);
	show_place("self", "/proc/self/cgroup");
	end_sleeper(child);
	child = fork();
	if (child == 0) {
		show_place("born in it", "/proc/self/cgroup");
		_exit(0);
	}
	waitpid(child, &status, 0);
	end_sleeper(sibling);
	end_sleeper(outside);
	put(PLACE "/cgroup.procs", "0");
	return 0;
}
