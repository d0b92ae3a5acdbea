// SPDX-License-Identifier: Apache-2.0
/* Groups of a pid namespace whose init is killed: when its end has been told nobody is left in them, and they can be removed at once. */
#include "cgroup_test.h"

#define ROUNDS 5
#define MEMBERS 20

static void be_init(const struct gate *ready)
{
	for (int i = 0; i < MEMBERS; i++) {
		pid_t pid = fork();

		if (pid == 0)
			for (;;)
				pause();
		if (pid < 0)
			_exit(1);
	}
	gate_open(ready);
	for (;;)
		pause();
}

int main(void)
{
	char group[16], procs[32];

	enter_group();
	for (int i = 0; i < ROUNDS; i++) {
		struct gate ready = gate_new();
		int status;
		long init;

		snprintf(group, sizeof(group), "g%d", i);
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
		MUST(mkdir(group, 0755));
		init = MUST(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
		if (init == 0) {
			if (put(procs, "0"))
				_exit(1);
			be_init(&ready);
		}
		gate_wait(&ready);
		say("rmdir with members: %s", errno_name(rmdir(group) ? errno : 0));
		MUST(kill((pid_t)init, SIGKILL));
		MUST(waitpid((pid_t)init, &status, 0));
		say("ended by %d", WTERMSIG(status));
		say("rmdir: %s", errno_name(rmdir(group) ? errno : 0));
	}
	return 0;
}
