/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BROKER_WATCH_PID: keeps a descriptor open until a process has ended. By a pidfd where the kernel has them, else by looking at
 * /proc/PID/stat every 10 ms while there is something to look for. A watch whose asker has closed its end is dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/broker_int.h"

#define LOOK_MS 10

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

struct watch {
	struct source ended;   /* on the pidfd */
	struct source dropped; /* on the asker's descriptor */
	struct watch *next, **link;
	int pidfd, fd;
	pid_t pid;
	u64 start_time;
};

static void watch_end(struct broker *broker, struct watch *watch)
{
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	broker->watch_count--;
	broker->polled_watches -= watch->pidfd < 0;
	/* the asker's descriptor may be open elsewhere, too: closing would not take it off the list */
	(void)epoll_ctl(broker->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	close_fd(&watch->pidfd);
	close_fd(&watch->fd);
	free(watch);
}

static void watch_ended(struct broker *broker, struct source *source, u32 events)
{
	(void)events;
	watch_end(broker, (struct watch *)source); /* its first member */
}

static void watch_dropped(struct broker *broker, struct source *source, u32 events)
{
	(void)events;
	watch_end(broker, (struct watch *)(void *)((char *)source - offsetof(struct watch, dropped)));
}

/* State and start time of a process by /proc/PID/stat. 0, or negative errno: -ENOENT or -ESRCH when there is none. */
static int read_stat(pid_t pid, char *state, u64 *start_time)
{
	char path[32], text[1024], *at;
	CLEANUP_FD int fd = FD_NONE;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = 0;
	at = strrchr(text, ')');
	if (!at || !at[1])
		return -EIO;
	*state = at[2];
	for (int field = 2; field < 22 && at; field++)
		at = strchr(at + 1, ' ');
	*start_time = at ? strtoull(at, NULL, 10) : 0;
	return 0;
}

/* Where /proc tells nothing about it, kill(2) decides. */
static bool running(pid_t pid, u64 start_time)
{
	char state;
	u64 started;

	if (read_stat(pid, &state, &started) == 0)
		return state != 'Z' && state != 'X' && started == start_time;
	return access("/proc/self/stat", R_OK) < 0 && (kill(pid, 0) == 0 || errno == EPERM);
}

void broker_watch_pid(struct broker *broker, pid_t pid, u64 start_time, int fd)
{
	struct watch *watch = pid > 0 && broker->watch_count < BROKER_WATCHES_MAX ? calloc(1, sizeof(*watch)) : NULL;

	if (!watch) {
		(void)close(fd);
		return;
	}
	*watch = (struct watch){ .ended.ready = watch_ended,
				 .dropped.ready = watch_dropped,
				 .next = broker->watches,
				 .link = &broker->watches,
				 .pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
				 .fd = fd,
				 .pid = pid,
				 .start_time = start_time };
	if (watch->next)
		watch->next->link = &watch->next;
	broker->watches = watch;
	broker->watch_count++;
	if (watch->pidfd >= 0 && broker_listen(broker, watch->pidfd, EPOLLIN, &watch->ended) < 0)
		close_fd(&watch->pidfd), watch->pidfd = FD_NONE;
	broker->polled_watches += watch->pidfd < 0;
	/* asked only now, when the pidfd says which process is meant */
	if (!running(pid, start_time) || broker_listen(broker, fd, 0, &watch->dropped) < 0)
		watch_end(broker, watch);
}

int broker_watch_tick(struct broker *broker)
{
	struct watch *next;

	if (!broker->polled_watches)
		return -1;
	for (struct watch *watch = broker->watches; watch; watch = next) {
		next = watch->next;
		if (watch->pidfd < 0 && !running(watch->pid, watch->start_time))
			watch_end(broker, watch);
	}
	return broker->polled_watches ? LOOK_MS : -1;
}

void broker_watch_free(struct broker *broker)
{
	while (broker->watches)
		watch_end(broker, broker->watches);
}
