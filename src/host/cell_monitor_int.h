/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the monitor. */
#ifndef LICHEN_HOST_CELL_MONITOR_INT_H
#define LICHEN_HOST_CELL_MONITOR_INT_H

#include "host/cell_cgroup.h"
#include "host/cell_control.h"
#include "host/cell_log.h"
#include "host/cell_monitor.h"
#include "host/cell_sampler.h"
#include "host/cell_state.h"
#include "host/console.h"

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
	struct console *console;        /* NULL = the command's streams are those of whoever started us */
	struct monitor_source console_source;
	struct cell_log log;
	pid_t guest;                   /* 0 = none runs */
	const struct cell_fds *fds;    /* of the running guest */
	struct supervisor *supervisor; /* of it; valid with `guest` */
	bool adopts;                   /* orphans of the cell become our children */
	bool joined;                   /* there have been members that are no descendants of ours */
	bool stopping;                 /* it is not to be restarted */
	enum cell_restart restart;     /* as config.json has it now, … */
	u32 restart_max;
	struct cell_resources resources;
	struct cell_enforcement enforcement;
	struct cell_cgroup cgroup;
	struct cell_sampler sampler;
	struct cell_held held; /* processes that stand, because the cell is paused or held */
	unsigned holders;      /* connections that hold it */
	int told;              /* where cell_monitor_detach() waits; negative when it has been told */
};

/* Listens to source->fd. 0 or negative errno. */
int monitor_listen(struct monitor *monitor, struct monitor_source *source) MUST_CHECK;
/* Ends that, and closes it. */
void monitor_drop(struct monitor *monitor, struct monitor_source *source);

/* Which processes are looked for. */
enum cell_search monitor_search(const struct monitor *monitor);

/* cell_limits.c: limits and standing still. */

/* What config.json says of limits and restarts. 0 or negative errno. */
int monitor_read_limits(struct monitor *monitor) MUST_CHECK;
/* The same while it runs: limits are set anew. 0 or negative errno. */
int monitor_update(struct monitor *monitor) MUST_CHECK;
/* Before each run: makes cgroups. 0 or negative errno. After it: notes what they tell, and removes them. */
int monitor_limits_begin(struct monitor *monitor) MUST_CHECK;
void monitor_limits_end(struct monitor *monitor);
/* Looks at members, where limits are sampled. Returns the milliseconds until it wants to look again, negative: never. */
int monitor_tick(void *data);
/* Stops the cell's processes, or lets them go on if nobody wants them to stand any more. 0 or negative errno. */
int monitor_pause(struct monitor *monitor) MUST_CHECK;
int monitor_resume(struct monitor *monitor) MUST_CHECK;
int monitor_hold(struct monitor *monitor) MUST_CHECK;
void monitor_let_go(struct monitor *monitor);

/* cell_monitor.c: writes down what has changed. */
void monitor_write_state(struct monitor *monitor);

/* Sends the command a signal, as CELL_SIGNAL and CELL_STOP have it. 0 or negative errno. */
int monitor_signal(struct monitor *monitor, int sig, bool stop);

/* cell_streams.c: the command's streams. */

/* Where they are ours to look after. client: the connection of whoever started the cell, negative = none. 0 or negative errno. */
int monitor_streams_begin(struct monitor *monitor, int client) MUST_CHECK;
/* Those of one run: ends[] are for the command, the caller's; those that are negative are as ours. 0 or negative errno. */
int monitor_streams_make(struct monitor *monitor, int ends[3]) MUST_CHECK;
/* The command has ended. */
void monitor_streams_end(struct monitor *monitor);

/* cell_serve.c: the socket. */
int monitor_serve(struct monitor *monitor) MUST_CHECK;
/* Tells those who wait, and ends all connections. */
void monitor_serve_end(struct monitor *monitor);

#endif
