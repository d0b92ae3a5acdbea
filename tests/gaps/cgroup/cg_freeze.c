// SPDX-License-Identifier: Apache-2.0
/* The freezer: who stands still, what ends him, and what cgroup.events and inotify(7) tell of it. */
#include "cgroup_test.h"

#include <sys/inotify.h>

static volatile unsigned long *counter;

static pid_t start_counting(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;) {
			(*counter)++;
			usleep(500);
		}
	return pid;
}

static void wait_line(const char *path, const char *line)
{
	int i;

	for (i = 0; i < 20000 && !has_line(path, line); i++)
		usleep(1000);
	say("%s has \"%s\": %s", path, line, i < 20000 ? "yes" : "no");
}

static bool moves(void)
{
	unsigned long before = *counter;

	for (int i = 0; i < 300 && *counter == before; i++)
		usleep(1000);
	return *counter != before;
}

static void freezing(pid_t child)
{
	MUST(mkdir("a", 0755));
	MUST(mkdir("a/b", 0755));
	say("move: %s", errno_name(put_pid("a/b/cgroup.procs", child)));
	FACT(moves());
	try_put("a/cgroup.freeze", "1");
	wait_line("a/cgroup.events", "frozen 1");
	wait_line("a/b/cgroup.events", "frozen 1");
	show("a/b/cgroup.freeze");
	show("cgroup.events");
	FACT(!moves());
	try_put("a/b/cgroup.freeze", "1");
	try_put("a/cgroup.freeze", "0");
	wait_line("a/b/cgroup.events", "frozen 1");
	wait_line("a/cgroup.events", "frozen 0");
	FACT(!moves());
	try_put("a/b/cgroup.freeze", "0");
	wait_line("a/b/cgroup.events", "frozen 0");
	while (!moves())
		;
	say("it moves again");
}

/* Into a frozen group, and out of it. */
static void joining(pid_t child)
{
	MUST(mkdir("cold", 0755));
	try_put("cold/cgroup.freeze", "1");
	wait_line("cold/cgroup.events", "frozen 1");
	say("move: %s", errno_name(put_pid("cold/cgroup.procs", child)));
	wait_line("cold/cgroup.events", "populated 1");
	wait_line("cold/cgroup.events", "frozen 1");
	FACT(!moves());
	say("move: %s", errno_name(put_pid("a/cgroup.procs", child)));
	while (!moves())
		;
	say("it moves again");
	OK(rmdir("cold"));
}

/* What a watch on cgroup.events sees of the last one's death. */
static void watching(pid_t child)
{
	char buffer[4096], text[64];
	int status, watch = MUST(inotify_init1(IN_CLOEXEC)), events = MUST(open("a/cgroup.events", O_RDONLY | O_CLOEXEC));

	OK(inotify_add_watch(watch, "a/cgroup.events", IN_MODIFY));
	try_put("a/cgroup.freeze", "1");
	wait_line("a/cgroup.events", "frozen 1");
	try_put("a/cgroup.kill", "1");
	MUST(waitpid(child, &status, 0));
	say("killed by %d", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	do {
		struct inotify_event *event = (struct inotify_event *)(void *)buffer;

		MUST(read(watch, buffer, sizeof(buffer)));
		if (event->mask != IN_MODIFY)
			say("event %x", event->mask);
		ssize_t n = pread(events, text, sizeof(text) - 1, 0);
		text[n < 0 ? 0 : n] = '\0';
	} while (!strstr(text, "populated 0"));
	say("a watch and an open file told the end");
	close(watch);
	close(events);
	OK(rmdir("a/b"));
	OK(rmdir("a"));
}

int main(void)
{
	enter_group();
	counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t child = start_counting();

	freezing(child);
	joining(child);
	watching(child);
	return 0;
}
