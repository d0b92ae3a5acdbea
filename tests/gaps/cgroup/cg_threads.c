// SPDX-License-Identifier: Apache-2.0
/* Processes of several threads: moved by any of them, members of their group though the first has ended; the dead that are moved; a chain of children that is
 * killed. */
#include "cgroup_test.h"

#include <sys/wait.h>

static void *tell_and_wait(void *fd)
{
	pid_t tid = gettid();

	if (write(*(int *)fd, &tid, sizeof(tid)) != sizeof(tid))
		_exit(98);
	for (;;)
		pause();
	return NULL;
}

/* A child with two threads, of which the first may end: its pid, and the other one's. */
static pid_t start_threads(bool first_ends, pid_t *ret_tid)
{
	int ends[2];
	pid_t pid;

	MUST(pipe(ends));
	pid = fork_or_die();
	if (pid == 0) {
		if (first_ends)
			put("a/cgroup.procs", "0");
		(void)thread_start(tell_and_wait, &ends[1]);
		if (first_ends)
			pthread_exit(NULL);
		for (;;)
			pause();
	}
	if (read(ends[0], ret_tid, sizeof(*ret_tid)) != sizeof(*ret_tid))
		_exit(98);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void moved_by_a_thread(void)
{
	pid_t tid, pid = start_threads(false, &tid);

	FACT(tid != pid);
	say("move: %s", errno_name(put_pid("a/cgroup.procs", tid)));
	say("first %s, other %s", place_of(pid), place_of(tid));
	FACT(has_pid("a/cgroup.procs", pid));
	FACT(!has_pid("a/cgroup.procs", tid));
	FACT(has_pid("a/cgroup.threads", tid));
	end_sleeper(pid);
}

static void without_its_first(void)
{
	pid_t tid, pid = start_threads(true, &tid);
	int status;

	wait_state(pid, pid, 'Z');
	show("a/cgroup.events");
	FACT(has_pid("a/cgroup.procs", pid));
	OK(rmdir("a"));
	MUST(kill(pid, SIGKILL));
	MUST(waitpid(pid, &status, 0));
	say("ended by %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	show("a/cgroup.events");
}

static void the_dead(void)
{
	pid_t pid = start_sleeper();
	siginfo_t info;

	kill(pid, SIGKILL);
	MUST(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT));
	say("move: %s", errno_name(put_pid("a/cgroup.procs", pid)));
	say("it %s", place_of(pid));
	show("a/cgroup.events");
	waitpid(pid, NULL, 0);
}

/* Each has a child, and ends; all hold the other end of `end`. */
static void be_chain(int end)
{
	if (put("a/cgroup.procs", "0"))
		_exit(1);
	if (write(end, "x", 1) != 1)
		_exit(1);
	for (;;)
		if (fork() > 0)
			_exit(0);
}

static void chain(void)
{
	char byte;

	for (int i = 0; i < 5; i++) {
		int ends[2];
		pid_t pid;

		MUST(pipe(ends));
		pid = fork_or_die();
		if (pid == 0)
			be_chain(ends[1]);
		close(ends[1]);
		MUST(read(ends[0], &byte, 1));
		waitpid(pid, NULL, 0);
		put("a/cgroup.kill", "1");
		say("until all have ended: %d", (int)read(ends[0], &byte, 1));
		while (!has_line("a/cgroup.events", "populated 0"))
			pause_ms(1);
		close(ends[0]);
	}
}

int main(void)
{
	enter_group();
	MUST(mkdir("a", 0755));
	moved_by_a_thread();
	without_its_first();
	the_dead();
	chain();
	OK(rmdir("a"));
	return 0;
}
