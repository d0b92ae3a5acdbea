// SPDX-License-Identifier: Apache-2.0
/*
 * What v1 tells by itself: notify_on_release and release_agent, which runs in the cell, and cgroup.event_control, by eventfds. A hierarchy of no
 * controller is the test's own; memory is the machine's.
 */
#include "cgroup_test.h"

#include <poll.h>
#include <sys/eventfd.h>

#define TREE PLACE "/named"
#define MEMORY PLACE "/memory"

static char agent_path[64], told_path[64];

static void mounting(void)
{
	char options[64];

	umask(022);
	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("test", "/mnt", "tmpfs", 0, "mode=755"));
	MUST(mkdir(PLACE, 0755));
	MUST(mkdir(TREE, 0755));
	MUST(mkdir(MEMORY, 0755));
	snprintf(options, sizeof(options), "none,name=lichen-events-%d", (int)getpid());
	MUST(mount("groups", TREE, "cgroup", 0, options));
	MUST(mount("groups", MEMORY, "cgroup", 0, "memory"));
	snprintf(group_name, sizeof(group_name), "lichen-test-%d", (int)getpid());
}

/* Lines that the release agent has written so far; in *last the last one. */
static int lines_told(char last[128])
{
	char text[4096], *rest = text, *word;
	int count = 0;

	last[0] = '\0';
	if (get(told_path, text, sizeof(text)) < 0)
		return 0;
	while ((word = strsep(&rest, "\n")))
		if (rest) {
			snprintf(last, 128, "%.100s", word);
			count++;
		}
	return count;
}

static void wait_told(int count)
{
	char last[128];
	int i;

	for (i = 0; i < 20000 && lines_told(last) < count; i++)
		usleep(1000);
	say("told %d: %s", count, i < 20000 ? last : "nothing");
}

/* A shell script outside of the mounts that this test made, for it runs elsewhere. */
static void write_agent(void)
{
	char text[512];

	snprintf(told_path, sizeof(told_path), "/tmp/lichen-told-%d", (int)getpid());
	snprintf(agent_path, sizeof(agent_path), "/tmp/lichen-agent-%d", (int)getpid());
	snprintf(text, sizeof(text), "#!/bin/sh\necho \"$# $1 uid $(id -u) HOME $HOME PATH $PATH in $(pwd)\" >>%s\n", told_path);
	FILE *file = fopen(agent_path, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) || chmod(agent_path, 0755))
		say("no agent");
}

static void in_and_out(const char *group)
{
	char procs[64];
	pid_t child = start_sleeper();

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
	say("move: %s", errno_name(put_pid(procs, child)));
	end_sleeper(child);
}

static void releasing(void)
{
	char last[128];

	write_agent();
	MUST(chdir(TREE));
	show("release_agent");
	show("notify_on_release");
	MUST(mkdir("a", 0755));
	try_put("a/notify_on_release", "1");
	in_and_out("a"); /* there is no agent yet */
	usleep(300000);  /* the kernel looks for one in a worker of its own, some time later */
	say("release_agent: %s", errno_name(put("release_agent", agent_path)));
	MUST(mkdir("a/b", 0755));
	show("a/b/notify_on_release"); /* inherited */
	in_and_out("a/b");
	wait_told(1);
	in_and_out("a"); /* has a group in it */
	OK(rmdir("a/b"));
	wait_told(2); /* of a, which has lost its last */
	try_put("a/notify_on_release", "0");
	in_and_out("a");
	MUST(mkdir("a/c", 0755));
	show("a/c/notify_on_release");
	try_put("a/c/notify_on_release", "1"); /* nobody has been in it */
	try_put("a/notify_on_release", "1");
	pid_t child = start_sleeper();
	say("move: %s", errno_name(put_pid("a/c/tasks", child)));
	say("move: %s", errno_name(put_pid("tasks", child)));
	wait_told(3);
	end_sleeper(child);
	OK(rmdir("a/c"));
	wait_told(4);
	OK(rmdir("a"));
	FACT(lines_told(last) == 4);
	unlink(agent_path);
	unlink(told_path);
	MUST(chdir("/"));
}

static void try_control(int event, const char *name, const char *rest)
{
	char text[96];
	int fd = name ? MUST(open(name, O_RDONLY | O_CLOEXEC)) : -1;

	snprintf(text, sizeof(text), "%d %d%s", event, fd, rest);
	int error = put("cgroup.event_control", text);
	say("%s%s: %s", name ? name : "nothing", rest, error ? errno_name(error) : "ok");
	if (fd >= 0)
		close(fd);
}

static void refused(int event)
{
	int other = MUST(open("/dev/null", O_RDONLY | O_CLOEXEC));

	try_put("cgroup.event_control", "");
	try_put("cgroup.event_control", "x");
	try_put("cgroup.event_control", "0");
	try_control(event, NULL, "");
	try_control(999, "memory.oom_control", "");
	try_control(other, "memory.oom_control", "");
	try_control(event, "/dev/null", "");
	try_control(event, "cgroup.procs", "");
	try_control(event, "memory.stat", "");
	try_control(event, "../memory.oom_control", "");
	try_control(event, "memory.usage_in_bytes", "");
	try_control(event, "memory.usage_in_bytes", " x");
	try_control(event, "memory.pressure_level", " medium");
	try_control(event, "memory.pressure_level", " low,local");
	try_control(event, "memory.pressure_level", " lowest");
	try_control(event, "memory.oom_control", "x");
	close(other);
}

/* Uses memory until it is killed. */
static void use_memory(size_t most)
{
	char *bytes = mmap(NULL, most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t at = 0; at < most; at += PAGE)
		bytes[at] = 1;
	for (;;)
		pause();
}

static void telling(void)
{
	int oom = MUST(eventfd(0, EFD_CLOEXEC)), usage = MUST(eventfd(0, EFD_CLOEXEC)), status;
	uint64_t count;
	struct pollfd both[2] = { { .fd = oom, .events = POLLIN }, { .fd = usage, .events = POLLIN } };

	snprintf(group_top, sizeof(group_top), MEMORY "/%s", group_name);
	MUST(mkdir(group_top, 0755));
	MUST(chdir(group_top));
	refused(oom);
	try_control(usage, "memory.usage_in_bytes", " 8M");
	try_control(oom, "memory.oom_control", "");
	say("events: %d", poll(both, 2, 0));
	try_put("memory.limit_in_bytes", "33554432");
	put("memory.memsw.limit_in_bytes", "33554432"); /* nothing is swapped out instead */
	pid_t child = fork();
	if (child == 0) {
		put("cgroup.procs", "0");
		use_memory(64u << 20);
	}
	MUST(waitpid(child, &status, 0));
	say("killed by %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	FACT(read(oom, &count, sizeof(count)) == sizeof(count));
	FACT(read(usage, &count, sizeof(count)) == sizeof(count));
	FACT(!has_line("memory.oom_control", "oom_kill 0"));
	MUST(chdir("/"));
	for (int i = 0; i < 5000 && rmdir(group_top); i++)
		usleep(1000);
	FACT(access(group_top, F_OK) < 0);
	FACT(read(oom, &count, sizeof(count)) == sizeof(count)); /* its group is gone */
	FACT(read(usage, &count, sizeof(count)) == sizeof(count));
}

int main(void)
{
	mounting();
	releasing();
	telling();
	return 0;
}
