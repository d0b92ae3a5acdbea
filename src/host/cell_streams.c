/* SPDX-License-Identifier: Apache-2.0 */
/* The streams of a cell's command, where its monitor looks after them: in the background, and where it has a terminal of its own. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cell_monitor_int.h"
#include "host/pty.h"

static void output(void *data, enum cell_stream stream, const char *bytes, size_t size)
{
	struct monitor *monitor = data;
	u64 lost = monitor->log.lost;

	cell_log_add(&monitor->log, stream, bytes, size);
	if (monitor->log.lost != lost)
		monitor_write_state(monitor);
}

/* Of a client. Between two runs, what would end the command ends the cell. */
static void take_signal(void *data, int sig)
{
	struct monitor *monitor = data;

	if (!monitor->guest && (sig == SIGTERM || sig == SIGINT || sig == SIGHUP || sig == SIGQUIT))
		monitor->stopping = true;
	(void)monitor_signal(monitor, sig, false);
}

/* Whoever started the cell was killed, and would have taken it along. */
static void starter_lost(void *data)
{
	(void)monitor_signal(data, SIGKILL, true);
}

static void console_source_ready(struct monitor *monitor, struct monitor_source *source)
{
	(void)source;
	console_ready(monitor->console);
}

int monitor_streams_begin(struct monitor *monitor, int client)
{
	const struct cell_config *config = monitor->run->config;
	struct console_owner owner = { output, take_signal, starter_lost, monitor };

	if (!config->detached && client < 0)
		return 0;
	cell_log_open(&monitor->log, monitor->run->dir, config->log_size);
	monitor->console = console_new(&owner);
	if (!monitor->console)
		return -ENOMEM;
	monitor->console_source = (struct monitor_source){ console_source_ready, console_fd(monitor->console) };
	if (client >= 0)
		console_attach(monitor->console, client, CONSOLE_STARTER);
	return monitor_listen(monitor, &monitor->console_source);
}

static int make_terminal(struct monitor *monitor, int ends[3])
{
	int master, r = pty_new(0, &master, &ends[0]);

	if (r < 0)
		return r;
	r = console_terminal(monitor->console, master, monitor->run->config->interactive);
	for (int i = 1; i < 3 && r == 0; i++) {
		ends[i] = fcntl(ends[0], F_DUPFD_CLOEXEC, 3);
		r = ends[i] < 0 ? -errno : 0;
	}
	return r;
}

static int make_pipe(int *ret_read, int *ret_write)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	*ret_read = pair[0];
	*ret_write = pair[1];
	return 0;
}

int monitor_streams_make(struct monitor *monitor, int ends[3])
{
	const struct cell_run *run = monitor->run;
	int outputs[CELL_STREAMS] = { FD_NONE, FD_NONE }, input = FD_NONE, r = 0;

	if (!monitor->console)
		return 0;
	if (run->config->tty)
		return make_terminal(monitor, ends);
	if (run->attendant || !run->config->interactive) {
		ends[0] =
			run->attendant ? fcntl(run->attendant->input, F_DUPFD_CLOEXEC, 3) : open("/dev/null", O_RDONLY | O_CLOEXEC);
		r = ends[0] < 0 ? -errno : 0;
	} else {
		r = make_pipe(&ends[0], &input);
	}
	for (int i = 0; i < CELL_STREAMS && r == 0; i++)
		r = make_pipe(&outputs[i], &ends[i + 1]);
	if (r == 0)
		return console_pipes(monitor->console, outputs, input);
	close_fd(&input);
	close_fd(&outputs[CELL_STDOUT]);
	close_fd(&outputs[CELL_STDERR]);
	return r;
}

void monitor_streams_end(struct monitor *monitor)
{
	if (!monitor->console)
		return;
	console_drain(monitor->console);
	cell_log_flush(&monitor->log);
}
