// SPDX-License-Identifier: Apache-2.0
/* lichen-proxy beside a caged command: started before it, heard while it runs, ended after it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_int.h"
#include "host/supervise.h"

void cage_hear_network(struct cage *cage, const struct cage_proxy_reader *reader)
{
	cage->network = *reader;
}

const char *cage_network_problem(const struct cage *cage)
{
	return cage->problem;
}

/* One at a time: another thread tells of connections that did not go to the proxy. */
static void take(void *data, const struct cage_proxy_decision *decision)
{
	struct cage *cage = data;

	(void)pthread_mutex_lock(&cage->hearing);
	cage->network.take(cage->network.data, decision);
	(void)pthread_mutex_unlock(&cage->hearing);
}

/* An end that was not asked for is looked at when the command has ended, too. */
static void hear(void *data)
{
	struct cage *cage = data;

	const struct cage_proxy_reader reader = { take, cage };

	(void)!cage_proxy_read(&cage->proxy, &reader);
}

/* Without anybody who listens to the proxy it waits, and the command has no network. */
static void forked(void *data, pid_t pid, const struct cell_fds *fds, struct supervisor *supervisor)
{
	struct cage *cage = data;
	const struct service service = { .fd = cage->proxy.helper.out, .ready = hear, .data = cage };

	close_fd(&cage->proxy.control); /* the command's process has its own, for as long as it needs it */
	cage->proxy.control = FD_NONE;
	if (supervise_add(supervisor, &service) < 0)
		(void)snprintf(cage->problem, sizeof(cage->problem), "nobody could listen to lichen-proxy");
	if (cage->outer && cage->outer->forked)
		cage->outer->forked(cage->outer->data, pid, fds, supervisor);
}

static int permit(void *data, struct launch_result *result)
{
	const struct cage *cage = data;

	return cage->outer->permit(cage->outer->data, result);
}

static void released(void *data)
{
	const struct cage *cage = data;

	cage->outer->released(cage->outer->data);
}

static void started(void *data)
{
	const struct cage *cage = data;

	cage->outer->started(cage->outer->data);
}

/* Connections are made by us: the proxy gets a door for them. 0, or negative errno; the proxy has ended then. */
static int open_door(struct cage *cage)
{
	const struct cage_proxy_reader reader = { take, cage };
	int r = cage_proxy_hand(&cage->proxy, cage->notify.door[1]);

	if (r < 0)
		(void)!cage_proxy_stop(&cage->proxy, &reader);
	close_fd(&cage->notify.door[1]);
	cage->notify.door[1] = FD_NONE;
	return r;
}

int cage_network_begin(struct cage *cage, struct launch *launch, struct launch_result *result)
{
	int r;

	if (!cage_uses_proxy(cage))
		return 0;
	r = cage->network.take ? cage_proxy_start(cage->policy, &cage->proxy, cage->problem) : -EINVAL;
	if (r == 0 && cage_makes_connections(cage))
		r = open_door(cage);
	if (r < 0) {
		*result = (struct launch_result){ .status = 125, .stage = "starting the proxy of the cage", .error = -r };
		(void)snprintf(result->detail, sizeof(result->detail), "%.255s", cage->problem);
		return r;
	}
	cage->outer = launch->hooks;
	cage->hooks = (struct launch_hooks){ .permit = cage->outer && cage->outer->permit ? permit : NULL,
					     .forked = forked,
					     .released = cage->outer && cage->outer->released ? released : NULL,
					     .started = cage->outer && cage->outer->started ? started : NULL,
					     .data = cage };
	launch->hooks = &cage->hooks;
	return 0;
}

void cage_network_end(struct cage *cage, bool ran)
{
	const struct cage_proxy_reader reader = { take, cage };
	int status;

	if (!cage_uses_proxy(cage))
		return;
	status = cage_proxy_stop(&cage->proxy, &reader);
	if (ran && status && !cage->problem[0])
		(void)snprintf(cage->problem, sizeof(cage->problem), "lichen-proxy ended before the command (%s %d)",
			       status < 0 ? "error" : "status", status < 0 ? -status : status);
}
