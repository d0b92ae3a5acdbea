// SPDX-License-Identifier: Apache-2.0
/*
 * cgroup.event_control of v1: eventfds that are told of memory. mm/memcontrol-v1.c.
 *
 * We hold a duplicate of each, so that it is not noticed when its maker closes it: it is told on until its group is gone. When all rows are taken the
 * oldest is given up. Limit: a guest that fills an eventfd's counter between our look at it and our write makes the supervisor wait for the guest.
 */
#include <poll.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cgroup_enforcer_int.h"

static void signal_event(const struct cgroup_event *event)
{
	struct pollfd poll_fd = { .fd = event->fd, .events = POLLOUT };
	u64 one = 1;

	if (poll(&poll_fd, 1, 0) == 1 && (poll_fd.revents & POLLOUT))
		(void)!write(event->fd, &one, sizeof(one));
}

static bool is_gone(const struct cgroup_state *s, const struct cgroup_event *event)
{
	return s->group[event->group].generation != event->generation ||
	       __atomic_load_n(&s->group[event->group].state, __ATOMIC_ACQUIRE) != CGROUP_READY;
}

static void drop(struct cgroup_event *event)
{
	signal_event(event);
	(void)close(take_fd(&event->fd));
}

/* A free row. */
static struct cgroup_event *take_row(struct cgroup_enforcer *e)
{
	for (u32 i = 0; i < e->event_count; i++)
		if (e->events[i].fd < 0)
			return &e->events[i];
	if (e->event_count < EVENTS_MAX)
		return &e->events[e->event_count++];
	drop(&e->events[0]);
	for (u32 i = 1; i < EVENTS_MAX; i++)
		e->events[i - 1] = e->events[i];
	return &e->events[EVENTS_MAX - 1];
}

void cgroup_enforcer_event(void *enforcer, u64 group, u64 threshold, int eventfd)
{
	struct cgroup_enforcer *e = enforcer;
	struct cgroup_event event = {
		.fd = eventfd, .group = (u32)group, .generation = (u32)(group >> 32), .threshold = threshold
	};

	if (event.group >= CGROUP_GROUPS_MAX) {
		(void)close(eventfd);
		return;
	}
	event.above = threshold != CGROUP_NO_LIMIT && cgroup_used_memory(e, event.group) >= threshold;
	*take_row(e) = event;
}

void cgroup_events_oom(struct cgroup_enforcer *e, u32 group)
{
	for (u32 i = 0; i < e->event_count; i++) {
		const struct cgroup_event *event = &e->events[i];

		if (event->fd >= 0 && event->threshold == CGROUP_NO_LIMIT && cgroup_is_below(e->state, event->group, group))
			signal_event(event);
	}
}

void cgroup_events_look(struct cgroup_enforcer *e)
{
	for (u32 i = 0; i < e->event_count; i++) {
		struct cgroup_event *event = &e->events[i];
		bool above;

		if (event->fd < 0)
			continue;
		if (is_gone(e->state, event)) {
			drop(event);
			continue;
		}
		above = event->threshold != CGROUP_NO_LIMIT && cgroup_used_memory(e, event->group) >= event->threshold;
		if (above != event->above)
			signal_event(event);
		event->above = above;
	}
}

void cgroup_events_free(struct cgroup_enforcer *e)
{
	for (u32 i = 0; i < e->event_count; i++)
		close_fd(&e->events[i].fd);
}
