/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's side of a cell's socket. Nothing here blocks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cell_monitor_int.h"
#include "host/native.h"
#include "host/supervise.h"

struct connection {
	struct monitor_source source; /* the first member */
	struct connection *next, **link;
	bool waits; /* for the cell's end */
	bool holds; /* the cell stands as long as it is open */
};

static void end(struct monitor *monitor, struct connection *connection)
{
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	monitor_drop(monitor, &connection->source);
	if (connection->holds)
		monitor_let_go(monitor);
	free(connection);
}

int monitor_signal(struct monitor *monitor, int sig, bool stop)
{
	if ((stop || sig == SIGKILL) && monitor_resume(monitor) == 0) /* it could not end otherwise */
		monitor->stopping = true;
	if (stop || sig == SIGKILL || sig == monitor->run->config->stop_signal)
		monitor->stopping = true;
	if (!monitor->guest)
		return monitor->stopping ? 0 : -ESRCH; /* between two runs: there will be no other */
	return supervise_signal(monitor->supervisor, monitor->guest, sig);
}

static int monitor_pidfd(pid_t guest)
{
	int fd = (int)syscall(SYS_pidfd_open, guest, 0);

	return fd < 0 ? -errno : fd;
}

/* The connection becomes one of the command's console, after the answer. */
static void attach(struct monitor *monitor, struct connection *connection, struct cell_reply *reply)
{
	int again = fcntl(connection->source.fd, F_DUPFD_CLOEXEC, 3);

	reply->result = again < 0 ? -errno : 0;
	reply->streams = (console_has_terminal(monitor->console) ? CELL_HAS_TERMINAL : 0) |
			 (console_takes_input(monitor->console) ? CELL_TAKES_INPUT : 0);
	if (again < 0)
		return;
	(void)cell_control_reply(connection->source.fd, reply, NULL, FD_NONE);
	console_attach(monitor->console, again, CONSOLE_GUEST);
}

static void answer(struct monitor *monitor, struct connection *connection, const struct cell_request *request)
{
	const struct launch *launch = &monitor->run->launch;
	struct cell_reply reply = { 0 };
	const struct cell_fds *fds = NULL;
	CLEANUP_FD int native = FD_NONE;

	switch (request->version == CELL_CONTROL_VERSION ? request->kind : 0) {
	case CELL_SIGNAL:
	case CELL_STOP:
		reply.result = monitor_signal(monitor, request->value, request->kind == CELL_STOP);
		break;
	case CELL_WAIT:
		connection->waits = true;
		return;
	case CELL_PAUSE:
		reply.result = monitor_pause(monitor);
		break;
	case CELL_RESUME:
		reply.result = monitor_resume(monitor);
		break;
	case CELL_UPDATE:
		reply.result = monitor_update(monitor);
		break;
	case CELL_HOLD:
		reply.result = monitor_hold(monitor);
		if (reply.result < 0)
			break;
		connection->holds = true;
		(void)cell_control_reply(connection->source.fd, &reply, NULL, FD_NONE);
		return;
	case CELL_ATTACH:
		if (monitor->console)
			attach(monitor, connection, &reply);
		else
			reply.result = -EOPNOTSUPP;
		if (reply.result < 0)
			break;
		end(monitor, connection);
		return;
	case CELL_JOIN:
		if (!monitor->guest || !monitor->fds || monitor->state.flags & CELL_PAUSED) {
			reply.result = monitor->guest && monitor->fds ? -EBUSY : -ESRCH;
			break;
		}
		fds = monitor->fds;
		monitor->joined = true;
		if (launch->native) {
			native = monitor_pidfd(monitor->guest);
			reply.result = native < 0 ? native : 0;
			reply.identity = launch->native->identity;
			reply.capabilities = launch->native->capabilities;
		}
		reply.mapped = fds->mapped;
		reply.text_size = fds->text_size;
		reply.emulate = launch->emulate;
		reply.refuse = launch->refuse;
		break;
	default:
		reply.result = -EPROTO;
	}
	(void)cell_control_reply(connection->source.fd, &reply, fds, native);
	end(monitor, connection);
}

static void connection_ready(struct monitor *monitor, struct monitor_source *source)
{
	struct connection *connection = (struct connection *)source;
	struct cell_request request;
	ssize_t n = recv(source->fd, &request, sizeof(request), MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n == (ssize_t)sizeof(request) && !connection->waits && !connection->holds)
		answer(monitor, connection, &request);
	else
		end(monitor, connection);
}

static void listener_ready(struct monitor *monitor, struct monitor_source *source)
{
	CLEANUP_FD int fd = cell_control_accept(source->fd);
	struct connection *connection = fd < 0 ? NULL : calloc(1, sizeof(*connection));

	if (!connection)
		return;
	*connection = (struct connection){ .source = { connection_ready, take_fd(&fd) },
					   .next = monitor->connections,
					   .link = &monitor->connections };
	if (connection->next)
		connection->next->link = &connection->next;
	monitor->connections = connection;
	if (monitor_listen(monitor, &connection->source) < 0)
		end(monitor, connection);
}

int monitor_serve(struct monitor *monitor)
{
	int fd = cell_control_listen(monitor->run->dir);

	if (fd < 0)
		return fd;
	monitor->listener = (struct monitor_source){ listener_ready, fd };
	return monitor_listen(monitor, &monitor->listener);
}

void monitor_serve_end(struct monitor *monitor)
{
	struct cell_reply reply = { .result = monitor->state.exit };
	struct connection *next;

	if (monitor->listener.fd >= 0)
		(void)unlinkat(monitor->run->dir, "socket", 0);
	while (monitor->listener.fd >= 0) { /* who is about to ask is told as well */
		struct connection *before = monitor->connections;

		listener_ready(monitor, &monitor->listener);
		if (monitor->connections == before)
			monitor_drop(monitor, &monitor->listener);
	}
	for (struct connection *connection = monitor->connections; connection; connection = next) {
		next = connection->next;
		if (!connection->waits)
			connection_ready(monitor, &connection->source);
	}
	for (struct connection *connection = monitor->connections; connection; connection = next) {
		next = connection->next;
		if (connection->waits)
			(void)cell_control_reply(connection->source.fd, &reply, NULL, FD_NONE);
		end(monitor, connection);
	}
}
