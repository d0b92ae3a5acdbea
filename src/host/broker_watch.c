/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BROKER_WATCH_PID: tells over a socket when the process (or thread) that owns it (F_SETOWN_EX) has ended, by shutting it down for sending:
 * the other end is readable from then on, however many copies of this one there are. By a pidfd where the kernel has them, else by looking
 * at /proc/PID/stat, which stays open, every 10 ms and one more per watch: a read costs up to 75 us in gVisor, so looking takes less than
 * a tenth of a processor. A watch lasts until the asker has closed its end; one for a pid namespace (BROKER_WATCH_SPACE) until the owner has ended.
 *
 * BROKER_WATCH_CHILD: the same for who adopts the process where the kernel does not let it: it is sent SIGCHLD, and the watch ends.
 *
 * The owner is a reference that the kernel holds: as our pid namespace numbers it, 0 once it has been reaped; a pid used again is no
 * owner. A process whose first thread alone has ended goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/broker_int.h"

#define LOOK_MS 10

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

struct watch {
	struct source ended;   /* on the pidfd */
	struct source dropped; /* on the asker's descriptor */
	struct watch *next, **link;
	int pidfd, fd;
	int stat;     /* /proc/PID/stat, where there is no pidfd; may be missing */
	bool polled;  /* it is looked at: no pidfd, and not ended */
	u32 space;    /* BROKER_WATCH_SPACE: the namespace that ends with it; 0: the asker is told */
	s32 child_of; /* BROKER_WATCH_CHILD: who is sent SIGCHLD; 0: nobody */
};

static void drop(int *fd)
{
	close_fd(fd);
	*fd = FD_NONE;
}

static void watch_free(struct broker *broker, struct watch *watch)
{
	*watch->link = watch->next;
	if (watch->next)
		watch->next->link = watch->link;
	broker->watch_count--;
	broker->polled_watches -= watch->polled;
	/* the asker's descriptor may be open elsewhere, too: closing would not take it off the list */
	(void)epoll_ctl(broker->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	close_fd(&watch->pidfd);
	close_fd(&watch->stat);
	close_fd(&watch->fd);
	free(watch);
}

/* Tells the asker. What is no socket cannot be shut down. */
static void watch_end(struct broker *broker, struct watch *watch)
{
	broker->polled_watches -= watch->polled;
	watch->polled = false;
	drop(&watch->pidfd);
	drop(&watch->stat);
	if (watch->space)
		broker_space_ends(broker, watch->space);
	if (watch->child_of)
		(void)kill(watch->child_of, SIGCHLD);
	if (watch->space || watch->child_of || shutdown(watch->fd, SHUT_WR) < 0)
		watch_free(broker, watch);
}

static void watch_ended(struct broker *broker, struct source *source, u32 events)
{
	(void)events;
	watch_end(broker, (struct watch *)source); /* its first member */
}

static void watch_dropped(struct broker *broker, struct source *source, u32 events)
{
	(void)events;
	watch_free(broker, (struct watch *)(void *)((char *)source - offsetof(struct watch, dropped)));
}

static struct f_owner_ex owner_of(int fd)
{
	struct f_owner_ex owner = { F_OWNER_PID, 0 };

	return fcntl(fd, F_GETOWN_EX, &owner) < 0 ? (struct f_owner_ex){ F_OWNER_PID, 0 } : owner;
}

static int open_stat(int fd)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", owner_of(fd).pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Whether a stat file tells of a process that goes on: also one whose first thread alone has ended. */
static bool stat_runs(const char *text, bool *ret_zombie)
{
	const char *at = strrchr(text, ')');

	if (!at || at[1] != ' ')
		return false;
	*ret_zombie = at[2] == 'Z' || at[2] == 'X';
	for (int field = 2; field < 20 && at; field++)
		at = strchr(at + 1, ' ');
	return !*ret_zombie || (at && strtol(at, NULL, 10) > 1);
}

/* Where /proc tells nothing, that there is an owner decides; and of a thread that has ended beside others. */
static bool running(const struct watch *watch)
{
	char text[1024];
	bool zombie = true;
	ssize_t n = watch->stat < 0 ? 0 : pread(watch->stat, text, sizeof(text) - 1, 0);

	if (n > 0) {
		text[n] = 0;
		if (!stat_runs(text, &zombie))
			return false;
	}
	return !zombie || owner_of(watch->fd).pid > 0;
}

static int open_pidfd(int fd)
{
	struct f_owner_ex owner = owner_of(fd);

	return owner.pid > 0 ? (int)syscall(SYS_pidfd_open, owner.pid, owner.type == F_OWNER_TID ? PIDFD_THREAD : 0) : -1;
}

void broker_watch_pid(struct broker *broker, int fd, u32 space, s32 child_of)
{
	struct watch *watch = broker->watch_count < BROKER_WATCHES_MAX ? calloc(1, sizeof(*watch)) : NULL;

	if (!watch) {
		(void)close(fd);
		return;
	}
	*watch = (struct watch){ .ended.ready = watch_ended,
				 .dropped.ready = watch_dropped,
				 .next = broker->watches,
				 .link = &broker->watches,
				 .pidfd = open_pidfd(fd),
				 .fd = fd,
				 .space = space,
				 .child_of = child_of,
				 .stat = FD_NONE };
	if (watch->next)
		watch->next->link = &watch->next;
	broker->watches = watch;
	broker->watch_count++;
	if (watch->pidfd >= 0 && broker_listen(broker, watch->pidfd, EPOLLIN, &watch->ended) < 0)
		drop(&watch->pidfd);
	watch->polled = watch->pidfd < 0;
	if (watch->polled)
		watch->stat = open_stat(fd);
	broker->polled_watches += watch->polled;
	if (!space && !child_of && broker_listen(broker, fd, 0, &watch->dropped) < 0)
		watch_free(broker, watch);
	/* asked only now: what was opened is the owner's, as long as there is one */
	else if (owner_of(fd).pid <= 0 || (watch->polled && !running(watch)))
		watch_end(broker, watch);
}

int broker_watch_tick(struct broker *broker)
{
	struct watch *next;

	if (!broker->polled_watches)
		return -1;
	for (struct watch *watch = broker->watches; watch; watch = next) {
		next = watch->next;
		if (watch->polled && !running(watch))
			watch_end(broker, watch);
	}
	return broker->polled_watches ? LOOK_MS + (int)broker->polled_watches : -1;
}

void broker_watch_free(struct broker *broker)
{
	struct watch *next;

	for (struct watch *watch = broker->watches; watch; watch = next) {
		next = watch->next;
		watch_free(broker, watch);
	}
}
