/* SPDX-License-Identifier: Apache-2.0 */
/* process_vm_readv and writev of another user's process, and of one that must not be traced. */
#include "difftest.h"

#include <sys/prctl.h>
#include <sys/uio.h>

static void tries(pid_t pid)
{
	char a[8] = "";
	struct iovec local = { a, 8 }, remote = { &local, 8 };

	SHOW(syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0));
	SHOW(syscall(SYS_process_vm_writev, pid, &local, 1, &remote, 1, 0));
	SHOW(syscall(SYS_process_vm_readv, pid, &local, 0, &remote, 1, 0));
	SHOW(syscall(SYS_process_vm_readv, pid, &local, 1, bad_pointer(), 1, 0));
}

static pid_t sleeper(uid_t user, bool hidden)
{
	struct gate gate = gate_new();
	pid_t pid = fork_or_die();

	if (pid == 0) {
		if (user && !become(user, user)) {
			gate_open(&gate);
			_exit(1);
		}
		prctl(PR_SET_DUMPABLE, hidden ? 0 : 1);
		gate_open(&gate);
		for (;;)
			pause();
	}
	gate_wait(&gate);
	return pid;
}

int main(void)
{
	pid_t pids[] = { sleeper(0, false), sleeper(1234, false), sleeper(1234, true) };

	if (geteuid() != 0)
		say("skip: another user's process needs root");
	else
		for (size_t i = 0; i < COUNT(pids); i++)
			AS_USER(1234, 1234, tries(pids[i]));
	for (size_t i = 0; i < COUNT(pids); i++) {
		kill(pids[i], SIGKILL);
		reap_quietly(pids[i]);
	}
	return 0;
}
