// SPDX-License-Identifier: Apache-2.0
/* Runs a tool, and takes its output: see the header. */
#include "flow/flow_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "flow/flow_call.h"
#include "host/cell_process.h"

#define READS_MAX 128 /* of a stream between looks at time and signals: more than a pipe of 1 MiB holds */

/* A stream that is taken. */
struct stream {
	int fd;
	char *bytes;
	size_t size, most;
	bool cut; /* there was more */
};

/* LIFE: nothing is written to it; the keeper alone holds it, so that its end is seen. */
enum stream_id { OUT, ERR, REPORT, LIFE, STREAMS };

struct work {
	const struct flow_tool *tool;
	struct stream streams[STREAMS];
	pid_t pid;
};

/* --- the child -------------------------------------------------------------------------------------------------------------------------- */

static NORETURN void child(const struct flow_tool *tool, int out, int err, int report)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setsid();
	for (int signal_number = 1; signal_number < 32; signal_number++)
		(void)signal(signal_number, SIG_DFL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(125);
	if (tool->task->no_sandbox)
		flow_tool_uncaged(tool, report);
	tool->task->caged(tool, report);
	_exit(125);
}

static int exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Waits for the tool's process, or for SIGTERM, which comes when lichen ends, too. Returns what it ended with. */
static int keep_watch(pid_t tool, const sigset_t *signals)
{
	int status = 0;

	for (;;) {
		int number = sigwaitinfo(signals, NULL);

		if (number == SIGTERM)
			return 128 + SIGTERM;
		for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
			if (pid == tool)
				return exit_code(status);
	}
}

/* Between lichen and the tool: whatever the tool leaves behind becomes its child, and does not outlive it, however lichen itself ends. */
static NORETURN void keeper(const struct flow_tool *tool, const int ends[STREAMS], pid_t lichen)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != lichen)
		_exit(125);
	(void)setsid(); /* what a terminal sends is for lichen to decide on */
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ends[LIFE]);
		child(tool, ends[OUT], ends[ERR], ends[REPORT]);
	}
	for (int i = 0; i < LIFE; i++)
		(void)close(ends[i]);
	int status = pid < 0 ? 125 : keep_watch(pid, &signals);
	(void)cell_processes_kill("", getpid(), CELL_BY_PARENT);
	_exit(status);
}

static int start(struct work *work)
{
	int ends[STREAMS] = { FD_NONE, FD_NONE, FD_NONE }, r = 0;
	pid_t lichen = getpid();

	for (int i = 0; r == 0 && i < STREAMS; i++) {
		int both[2];

		r = pipe2(both, O_CLOEXEC) < 0 ? -errno : 0;
		if (r == 0) {
			work->streams[i].fd = both[0];
			ends[i] = both[1];
			(void)fcntl(both[0], F_SETFL, O_NONBLOCK);
		}
	}
	work->pid = r == 0 ? fork() : -1;
	if (work->pid == 0)
		keeper(work->tool, ends, lichen);
	if (r == 0 && work->pid < 0)
		r = -errno;
	for (int i = 0; i < STREAMS; i++)
		close_fd(&ends[i]);
	return r;
}

/* --- the parent ------------------------------------------------------------------------------------------------------------------------- */

/* Takes what is there, but not for ever. 0; or negative errno. */
static int take(struct stream *stream)
{
	char bytes[16384];
	ssize_t n;
	int reads = 0;

	while (stream->fd >= 0 && (n = read(stream->fd, bytes, sizeof(bytes))) != 0) {
		size_t room = stream->most - stream->size, part = (size_t)n < room ? (size_t)n : room;

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		stream->cut |= part < (size_t)n;
		char *more = part ? realloc(stream->bytes, stream->size + part + 1) : stream->bytes;
		if (part && !more)
			return -ENOMEM;
		if (part)
			memcpy(more + stream->size, bytes, part);
		stream->bytes = more;
		stream->size += part;
		if (++reads == READS_MAX)
			return 0;
	}
	close_fd(&stream->fd);
	stream->fd = FD_NONE;
	return 0;
}

/* Ends it, and whatever it has started. */
static void end(const struct work *work)
{
	(void)kill(work->pid, SIGTERM);
	while (waitpid(work->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Once it has closed LIFE, which it does by ending, this waits for the rest of its end. */
static bool has_ended(const struct work *work, int *ret_status)
{
	int status;

	if (waitpid(work->pid, &status, work->streams[LIFE].fd < 0 ? 0 : WNOHANG) != work->pid)
		return false;
	*ret_status = exit_code(status);
	return true;
}

/* Milliseconds until its time is over. */
static int wait_time(const struct work *work, u64 at)
{
	u64 left = work->tool->deadline > at ? (work->tool->deadline - at) / 1000000 + 1 : 0;

	return (int)(left < INT_MAX ? left : INT_MAX);
}

/* Takes its streams until it has ended, or has to end. */
static int follow(struct work *work, struct flow_tool_result *ret)
{
	bool ended = false;
	int r = 0;

	while (!ended && r == 0) {
		struct pollfd fds[] = {
			{ .fd = work->tool->task->stop, .events = POLLIN }, { .fd = work->streams[OUT].fd, .events = POLLIN },
			{ .fd = work->streams[ERR].fd, .events = POLLIN },  { .fd = work->streams[REPORT].fd, .events = POLLIN },
			{ .fd = work->streams[LIFE].fd, .events = POLLIN },
		};
		u64 at = flow_clock();

		(void)poll(fds, ARRAY_SIZE(fds), wait_time(work, at));
		if (fds[1 + LIFE].revents) /* the other streams last: all that it has written is there then */
			r = take(&work->streams[LIFE]);
		ended = has_ended(work, &ret->status);
		for (int i = 0; r == 0 && i < LIFE; i++)
			r = take(&work->streams[i]);
		if (ended)
			break;
		if (fds[0].revents & POLLIN)
			ret->end = FLOW_TOOL_STOPPED;
		else if (flow_clock() >= work->tool->deadline)
			ret->end = FLOW_TOOL_TIME;
		else if (work->streams[OUT].cut)
			ret->end = FLOW_TOOL_OUTPUT;
		if (ret->end != FLOW_TOOL_ENDED)
			break;
	}
	if (!ended)
		end(work);
	return r;
}

void flow_tool_report(int report, enum flow_tool_says says, const char *what, const char *why)
{
	char text[256];
	int size = snprintf(text, sizeof(text), "%c%s%s%s", says, what,
			    !*why                           ? ""
			    : says == FLOW_TOOL_SAYS_DENIED ? " "
							    : ": ",
			    why);

	size = size < (int)sizeof(text) ? size : (int)sizeof(text) - 1;
	while (write(report, text, (size_t)size) < 0 && errno == EINTR)
		;
}

/* What the child has said. */
static void read_report(const struct work *work, struct flow_tool_result *ret)
{
	const struct stream *report = &work->streams[REPORT];

	if (report->size == 0 || ret->end != FLOW_TOOL_ENDED)
		return;
	switch ((enum flow_tool_says)report->bytes[0]) {
	case FLOW_TOOL_SAYS_LAYER:
		ret->end = FLOW_TOOL_LAYER;
		break;
	case FLOW_TOOL_SAYS_LOG:
		ret->end = FLOW_TOOL_LOG;
		break;
	case FLOW_TOOL_SAYS_DENIED:
		ret->end = FLOW_TOOL_DENIED;
		break;
	case FLOW_TOOL_SAYS_FAILED:
	default:
		ret->end = FLOW_TOOL_FAILED;
	}
	(void)snprintf(ret->detail, sizeof(ret->detail), "%.*s", (int)report->size - 1, report->bytes + 1);
}

int flow_tool_run(const struct flow_tool *tool, struct flow_tool_result *ret)
{
	struct work work = {
		.tool = tool,
		.streams = { [OUT] = { .fd = FD_NONE, .most = tool->output_max },
			     [ERR] = { .fd = FD_NONE, .most = FLOW_TOOL_ERR_MAX },
			     [REPORT] = { .fd = FD_NONE, .most = sizeof(ret->detail) },
			     [LIFE] = { .fd = FD_NONE } },
	};
	struct flow_tool_result result = { .end = FLOW_TOOL_ENDED };
	int r = start(&work);

	if (r == 0)
		r = follow(&work, &result);
	if (r == 0 && work.streams[OUT].cut && result.end == FLOW_TOOL_ENDED)
		result.end = FLOW_TOOL_OUTPUT;
	read_report(&work, &result);
	for (int i = 0; i < STREAMS; i++)
		close_fd(&work.streams[i].fd);
	free(work.streams[REPORT].bytes);
	if (r < 0) {
		free(work.streams[OUT].bytes);
		free(work.streams[ERR].bytes);
		return r;
	}
	result.out = work.streams[OUT].bytes;
	result.out_size = work.streams[OUT].size;
	result.err = work.streams[ERR].bytes;
	result.err_size = work.streams[ERR].size;
	*ret = result;
	return 0;
}
