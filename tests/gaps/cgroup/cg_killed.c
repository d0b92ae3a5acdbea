// SPDX-License-Identifier: Apache-2.0
/* Who changes a group is killed at any moment: what children have is what their parent gives, files and all. */
#include "cgroup_test.h"

#include <sys/wait.h>

#define ROUNDS 60

static void toggle(void)
{
	for (;;) {
		put("a/cgroup.subtree_control", "+hugetlb");
		put("a/cgroup.subtree_control", "-hugetlb");
		mkdir("a/new", 0755);
		rmdir("a/new");
	}
}

/* What a group's children should have, and whether they do. */
static bool agrees(const char *group, bool given)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/cgroup.controllers", group);
	if (has_line(path, "hugetlb") != given)
		return false;
	snprintf(path, sizeof(path), "%s/hugetlb.2MB.max", group);
	return (access(path, F_OK) == 0) == given;
}

int main(void)
{
	int wrong = 0, half = 0;

	enter_group();
	try_put("cgroup.subtree_control", "+hugetlb");
	MUST(mkdir("a", 0755));
	MUST(mkdir("a/b", 0755));
	MUST(mkdir("a/c", 0755));
	srandom((unsigned)getpid());
	for (int i = 0, rounds = scaled(ROUNDS); i < rounds; i++) {
		pid_t pid = fork_or_die();
		bool given;

		if (pid == 0)
			toggle();
		usleep((useconds_t)(random() % 5000));
		end_sleeper(pid);
		given = has_line("a/cgroup.subtree_control", "hugetlb");
		wrong += !agrees("a/b", given) || !agrees("a/c", given);
		if (mkdir("a/new", 0755) < 0 && errno != EEXIST)
			half++;
		half += !agrees("a/new", given);
		rmdir("a/new");
	}
	say("wrong: %d, half made: %d", wrong, half);
	return 0;
}
