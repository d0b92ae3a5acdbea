/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the monitor. */
#ifndef LICHEN_HOST_CELL_MONITOR_INT_H
#define LICHEN_HOST_CELL_MONITOR_INT_H

#include "host/cell_control.h"
#include "host/cell_log.h"
#include "host/cell_monitor.h"
#include "host/cell_state.h"

struct monitor;

/* One descriptor that the monitor listens to. */
struct monitor_source {
	void (*ready)(struct monitor *monitor, struct monitor_source *source);
	int fd;
};

struct connection;

struct monitor {
	const struct cell_run *run;
	struct cell_state state;
	int state_fd, epoll;
	struct monitor_source listener;
	struct connection *connections; /* cell_serve.c */
	struct monitor_source outputs[CELL_STREAMS];
	int input; /* the end of the command's input that nothing is written to, negative = none */
	struct cell_log log;
	pid_t guest;                   /* 0 = none runs */
	const struct cell_fds *fds;    /* of the running guest */
	struct supervisor *supervisor; /* of it; valid with `guest` */
	bool adopts;                   /* orphans of the cell become our children */
	bool joined;                   /* there have been members that are no descendants of ours */
	bool stopping;                 /* it is not to be restarted */
	int told;                      /* where cell_monitor_detach() waits; negative when it has been told */
};

/* Listens to source->fd. 0 or negative errno. */
int monitor_listen(struct monitor *monitor, struct monitor_source *source) MUST_CHECK;
/* Ends that, and closes it. */
void monitor_drop(struct monitor *monitor, struct monitor_source *source);

/* cell_serve.c: the socket. */
int monitor_serve(struct monitor *monitor) MUST_CHECK;
/* Tells those who wait, and ends all connections. */
void monitor_serve_end(struct monitor *monitor);

#endif
