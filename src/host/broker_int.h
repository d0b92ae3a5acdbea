/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the broker. */
#ifndef LICHEN_HOST_BROKER_INT_H
#define LICHEN_HOST_BROKER_INT_H

#include <sys/resource.h>

#include "abi/broker.h"
#include "host/broker_host.h"
#include "host/kmsg.h"

/* One descriptor that the broker listens to; first member of what owns it. */
struct source {
	void (*ready)(struct broker *broker, struct source *source, u32 events);
};

struct watch;
struct stream;
struct served;

struct broker {
	int socket, epoll;
	int offence; /* the descriptor that ended the service, else negative */
	struct source requests;
	struct watch *watches; /* broker_watch.c */
	u32 watch_count, polled_watches;
	struct stream *streams; /* broker_kmsg.c */
	struct served *served;  /* broker_device.c */
	u32 stream_count;       /* of both */
	struct kmsg_log log;
	broker_group_event *group_event; /* NULL: there are no groups */
	void *group_data;
	struct view_state *views; /* of the commons, and what members execute: broker_knows_members() */
	int agent;
	u32 *network; /* of the commons; NULL: nobody wants to know */
	bool network_tried;
	struct rlimit limit; /* RLIMIT_NOFILE as it was */
};

/* Listens to fd for events (0: only for its end). 0 or negative errno. */
int broker_listen(struct broker *broker, int fd, u32 events, struct source *source) MUST_CHECK;

/* Requests: own fd from here on. */
void broker_watch_pid(struct broker *broker, int fd, u32 space, s32 child_of);
void broker_kmsg(struct broker *broker, u32 flags, u64 number, int fd);
void broker_device(struct broker *broker, u32 device, u64 flags, bool trusted, int fd);

/* Kills the members of a pid namespace whose init has ended (broker_space.c). */
void broker_space_ends(struct broker *broker, u32 space);

/* Looks at the watches that no descriptor tells of. Milliseconds until the next look, -1 = none needed. */
int broker_watch_tick(struct broker *broker);

void broker_watch_free(struct broker *broker);
void broker_kmsg_free(struct broker *broker);
void broker_device_free(struct broker *broker);

#endif
