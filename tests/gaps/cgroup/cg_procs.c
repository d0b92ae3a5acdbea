// SPDX-License-Identifier: Apache-2.0
/* Who is in a group: moving, inheriting, leaving by death; what a group with members refuses. */
#include "cgroup_test.h"

#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>

static void moving(void)
{
	pid_t child = start_sleeper();

	MUST(mkdir("a", 0755));
	MUST(mkdir("b", 0755));
	say("self %s, child %s", place_of(getpid()), place_of(child));
	say("move: %s", errno_name(put_pid("a/cgroup.procs", child)));
	say("self %s, child %s", place_of(getpid()), place_of(child));
	FACT(has_pid("a/cgroup.procs", child));
	FACT(has_pid("a/cgroup.threads", child));
	FACT(!has_pid("b/cgroup.procs", child));
	show("a/cgroup.events");
	show("cgroup.events");
	show("b/cgroup.events");
	OK(rmdir("a"));
	say("move: %s", errno_name(put_pid("b/cgroup.procs", child)));
	show("a/cgroup.events");
	OK(rmdir("a"));
	say("thread: %s", errno_name(put_pid("cgroup.threads", child)));
	say("thread: %s", errno_name(put_pid("b/cgroup.threads", child)));
	end_sleeper(child);
	show("b/cgroup.events");
	show("b/cgroup.procs");
	say("dead: %s", errno_name(put_pid("b/cgroup.procs", child)));
	OK(rmdir("b"));
}

static void words(void)
{
	static const char *const tried[] = { "", "x", "-1", "1x", "0x", "99999999999", "4194305", " 0 ", "0\n", "0 0", "00" };

	MUST(mkdir("a", 0755));
	for (size_t i = 0; i < COUNT(tried); i++) {
		try_put("a/cgroup.procs", tried[i]);
		say("self %s", place_of(getpid()));
		put("cgroup.procs", "0");
	}
	try_put(PLACE "/cgroup.procs", "0");
	OK(rmdir("a"));
}

static void inheriting(void)
{
	int status, ends[2];
	char byte;
	pid_t child, other = 0;

	MUST(mkdir("a", 0755));
	MUST(pipe(ends));
	child = fork();
	if (child == 0) {
		say("join: %s", errno_name(put("a/cgroup.procs", "0")));
		other = start_sleeper();
		write_all("", 0);
		if (write(ends[1], &other, sizeof(other)) != sizeof(other))
			_exit(1);
		say("child %s", place_of(getpid()));
		say("grandchild %s", place_of(other));
		char shell[] = "sh", option[] = "-c", command[] = "exit $(grep -c /a$ /proc/self/cgroup)";
		char *const words[] = { shell, option, command, NULL };
		pid_t spawned;
		if (posix_spawn(&spawned, "/bin/sh", NULL, NULL, words, environ) == 0 && waitpid(spawned, &status, 0) > 0)
			say("spawned: %d", WEXITSTATUS(status));
		execl("/bin/sh", "sh", "-c", "exit $(grep -c /a$ /proc/self/cgroup)", NULL);
		_exit(1);
	}
	MUST(waitpid(child, &status, 0));
	say("executed: %d", WEXITSTATUS(status));
	if (read(ends[0], &other, sizeof(other)) != sizeof(other))
		say("no grandchild");
	FACT(has_pid("a/cgroup.procs", other));
	FACT(!has_pid("a/cgroup.procs", child));
	OK(rmdir("a"));
	kill(other, SIGKILL);
	while (!has_line("a/cgroup.events", "populated 0"))
		usleep(1000);
	OK(rmdir("a"));
	close(ends[0]);
	close(ends[1]);
	(void)byte;
}

static void zombies(void)
{
	pid_t child = start_sleeper();
	siginfo_t info;

	MUST(mkdir("a", 0755));
	say("move: %s", errno_name(put_pid("a/cgroup.procs", child)));
	kill(child, SIGKILL);
	MUST(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
	while (!has_line("a/cgroup.events", "populated 0"))
		usleep(1000);
	show("a/cgroup.procs");
	OK(rmdir("a"));
	waitpid(child, NULL, 0);
}

static void killing(void)
{
	pid_t child[3];
	int status;

	MUST(mkdir("a", 0755));
	MUST(mkdir("a/b", 0755));
	for (int i = 0; i < 3; i++) {
		child[i] = start_sleeper();
		put_pid(i ? "a/b/cgroup.procs" : "a/cgroup.procs", child[i]);
	}
	try_put("a/cgroup.kill", "0");
	try_put("a/cgroup.kill", "2");
	try_put("a/cgroup.kill", "x");
	try_put("a/cgroup.kill", "1");
	for (int i = 0; i < 3; i++) {
		MUST(waitpid(child[i], &status, 0));
		say("child %d: signal %d", i, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	}
	show("a/cgroup.events");
	OK(rmdir("a/b"));
	OK(rmdir("a"));
}

/* A group with members that gives controllers to its children. */
static void internal_processes(void)
{
	pid_t child = start_sleeper();

	MUST(mkdir("a", 0755));
	MUST(mkdir("a/b", 0755));
	say("move: %s", errno_name(put_pid("a/cgroup.procs", child)));
	try_put("a/cgroup.subtree_control", "+hugetlb");
	try_put("cgroup.subtree_control", "+hugetlb");
	try_put("a/cgroup.subtree_control", "+hugetlb");
	say("move: %s", errno_name(put_pid("a/b/cgroup.procs", child)));
	try_put("a/cgroup.subtree_control", "+hugetlb");
	show("a/cgroup.subtree_control");
	show("a/b/cgroup.controllers");
	say("move: %s", errno_name(put_pid("a/cgroup.procs", child)));
	say("child %s", place_of(child));
	OK(access("a/b/hugetlb.2MB.max", F_OK));
	try_put("cgroup.subtree_control", "-hugetlb");
	try_put("a/cgroup.subtree_control", "-hugetlb");
	OK(access("a/b/hugetlb.2MB.max", F_OK));
	try_put("cgroup.subtree_control", "-hugetlb");
	say("move: %s", errno_name(put_pid("a/cgroup.procs", child)));
	end_sleeper(child);
	OK(rmdir("a/b"));
	OK(rmdir("a"));
}

int main(void)
{
	enter_group();
	moving();
	words();
	inheriting();
	zombies();
	killing();
	internal_processes();
	return 0;
}
