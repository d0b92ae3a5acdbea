// SPDX-License-Identifier: Apache-2.0
/* poll(2) of cgroup.events: POLLPRI when it says something else than what was read last. */
#include "cgroup_test.h"

#include <poll.h>

static void ask(const char *what, int fd, short events, int timeout)
{
	struct pollfd ask = { .fd = fd, .events = events };
	int n = poll(&ask, 1, timeout);

	say("%s: %s %x", what, n < 0 ? errno_name(errno) : n ? "ready" : "not", (unsigned)ask.revents);
}

/* Reads it whole, from its start; its first line. */
static const char *read_again(int fd)
{
	static char text[128];

	MUST(lseek(fd, 0, SEEK_SET));
	ssize_t n = MUST(read(fd, text, sizeof(text) - 1));
	text[n] = '\0';
	for (char extra[8]; read(fd, extra, sizeof(extra)) > 0;)
		;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static void ready(int fd)
{
	ask("unread", fd, POLLPRI, 0);
	ask("unread, all", fd, POLLIN | POLLOUT | POLLPRI, 0);
	say("%s", read_again(fd));
	ask("read", fd, POLLPRI, 0);
	ask("read, waits", fd, POLLPRI, 20);
	ask("read, in", fd, POLLIN, -1);
	ask("read, nothing asked", fd, 0, 0);
}

/* Waits until it says so, by poll alone. */
static void until(int fd, const char *line)
{
	struct pollfd ask = { .fd = fd, .events = POLLPRI };
	int times = 0;

	for (; strcmp(read_again(fd), line) && times < 20; times++)
		if (poll(&ask, 1, 20000) != 1 || ask.revents != (POLLPRI | POLLERR))
			break;
	say("%s", read_again(fd));
	do /* the kernel tells no more often than every 10 ms, and then once more */
		read_again(fd);
	while (poll(&ask, 1, 100));
}

static void changes(int fd)
{
	pid_t child = start_sleeper();

	MUST(put_pid("a/cgroup.procs", child));
	until(fd, "populated 1");
	ask("read", fd, POLLPRI, 0);
	end_sleeper(child);
	until(fd, "populated 0");
	char text[64];
	child = start_sleeper();
	MUST(put_pid("a/cgroup.procs", child));
	struct pollfd wait = { .fd = fd, .events = POLLPRI };
	say("ppoll: %d", ppoll(&wait, 1, NULL, NULL));
	FACT(pread(fd, text, sizeof(text), 0) > 0);
	ask("read by pread", fd, POLLPRI, 0);
	end_sleeper(child);
	until(fd, "populated 0");
}

/* Beside a pipe, and in a thread that a signal interrupts. */
static void nothing(int sig)
{
	(void)sig;
}

static void others(int fd)
{
	int ends[2];
	struct pollfd both[3] = { { .fd = fd, .events = POLLPRI }, { .events = POLLIN }, { .fd = -1, .events = POLLIN } };

	MUST(pipe(ends));
	both[1].fd = ends[0];
	say("both: %d", poll(both, 3, 10));
	pid_t child = fork();
	if (child == 0) {
		usleep(50000);
		_exit(write(ends[1], "x", 1) != 1);
	}
	say("both: %d", poll(both, 3, 20000));
	say("%x %x %x", (unsigned)both[0].revents, (unsigned)both[1].revents, (unsigned)both[2].revents);
	waitpid(child, NULL, 0);
	struct sigaction action = { .sa_handler = nothing };
	sigaction(SIGUSR1, &action, NULL);
	pid_t self = getpid();
	child = fork();
	if (child == 0)
		for (;;) {
			usleep(20000);
			kill(self, SIGUSR1);
		}
	ask("signal", fd, POLLPRI, -1);
	end_sleeper(child);
	struct pollfd bad = { .fd = 999, .events = POLLIN };
	say("none: %d %x", poll(&bad, 1, 0), (unsigned)bad.revents);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	enter_group();
	MUST(mkdir("a", 0755));
	int fd = MUST(open("a/cgroup.events", O_RDONLY | O_CLOEXEC));
	ready(fd);
	changes(fd);
	others(fd);
	OK(rmdir("a"));
	ask("removed", fd, POLLPRI, 0);
	close(fd);
	return 0;
}
