// SPDX-License-Identifier: Apache-2.0
/* Who makes hierarchies of v1, and nested groups, is killed at any moment: what belongs to others is still there, and nothing is in the way. */
#include "cgroup_test.h"

#include <sys/wait.h>

#define ROUNDS 60
#define V1 "/mnt/v1"

static void make_hierarchies(void)
{
	char options[128];

	for (int i = 0;; i++) {
		snprintf(options, sizeof(options), "none,name=%s-%d", group_name, i % 3);
		mount("groups", V1, "cgroup", 0, options);
		umount2(V1, MNT_DETACH);
	}
}

static void make_groups(void)
{
	for (;;) {
		mkdir("out", 0755);
		mkdir("out/in", 0755);
		rmdir("out/in");
		rmdir("out");
	}
}

/* Several who do that, of whom one is killed now and then; their number is killed at the end. */
static void torture(void (*work)(void), int count, int rounds)
{
	pid_t pids[4];

	for (int i = 0; i < count; i++) {
		pids[i] = fork_or_die();
		if (pids[i] == 0)
			work();
	}
	for (int i = 0; i < rounds; i++) {
		usleep((useconds_t)(random() % 10000));
		end_sleeper(pids[i % count]);
		pids[i % count] = fork_or_die();
		if (pids[i % count] == 0)
			work();
	}
	for (int i = 0; i < count; i++)
		end_sleeper(pids[i]);
}

int main(void)
{
	enter_group();
	MUST(mkdir(V1, 0755));
	srandom((unsigned)getpid());
	torture(make_hierarchies, 1, scaled(ROUNDS));
	OK(access(PLACE "/cgroup.procs", F_OK));
	OK(access("cgroup.procs", F_OK));
	OK(mkdir("a", 0755));
	OK(rmdir("a"));
	torture(make_groups, 3, scaled(ROUNDS));
	for (int i = 0; i < 2; i++) {
		say("mkdir: %s", mkdir("out", 0755) && errno != EEXIST ? errno_name(errno) : "ok");
		say("mkdir in it: %s", mkdir("out/in", 0755) && errno != EEXIST ? errno_name(errno) : "ok");
		OK(rmdir("out/in"));
		OK(rmdir("out"));
	}
	return 0;
}
