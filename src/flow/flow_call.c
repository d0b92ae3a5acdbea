// SPDX-License-Identifier: Apache-2.0
/* HTTP for flows, by lichen-fetch. */
#include "flow/flow_call.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "flow/call_frames.h"
#include "host/helper.h"

#define NANO 1000000000ull
#define GRACE (2 * NANO) /* what the helper has to say after its own time limit */

struct exchange {
	const struct flow_call *call;
	struct flow_reply *reply;
	u64 deadline;
	bool own_time; /* the deadline is that of the call, not that of the run */
};

u64 flow_clock(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (u64)now.tv_sec * NANO + (u64)now.tv_nsec;
}

static void end(struct flow_reply *reply, enum flow_outcome outcome, const char *text)
{
	reply->outcome = outcome;
	snprintf(reply->text, sizeof(reply->text), "%s", text);
}

/* --- what the helper says --------------------------------------------------------------------------------------------------------- */

static enum flow_outcome outcome_of(const char *kind)
{
	return strcmp(kind, "denied") == 0   ? FLOW_DENIED
	     : strcmp(kind, "usage") == 0    ? FLOW_WRONG
	     : strcmp(kind, "internal") == 0 ? FLOW_BROKEN
					     : FLOW_FAILED;
}

static int take_event(void *user, const char *event, const json_t *frame)
{
	struct exchange *exchange = user;
	struct flow_reply *reply = exchange->reply;
	if (strcmp(event, "answer") == 0) {
		reply->status = (long)json_integer_value(json_object_get(frame, "status"));
		json_decref(reply->headers);
		reply->headers = json_incref(json_object_get(frame, "headers"));
	} else if (strcmp(event, "end") == 0) {
		reply->outcome = FLOW_OK;
	} else {
		const char *kind = json_string_value(json_object_get(frame, "kind")),
			   *message = json_string_value(json_object_get(frame, "message"));
		if (!kind || !message)
			return -EPROTO;
		reply->sent = !json_is_false(json_object_get(frame, "sent"));
		end(reply, outcome_of(kind), message);
		if (strcmp(kind, "timeout") == 0)
			end(reply, exchange->own_time ? FLOW_FAILED : FLOW_TIME, "the answer did not come in time");
	}
	return 0;
}

static int take_data(void *user, const char *bytes, size_t size)
{
	struct exchange *exchange = user;
	return exchange->call->data(exchange->call->user, bytes, size);
}

/* --- the helper at work ----------------------------------------------------------------------------------------------------------- */

/* Waits for output. Returns 1, 0 at the helper's end, -ETIME, -EINTR (stop), or negative errno. */
static int wait_output(const struct exchange *exchange, int out)
{
	struct pollfd fds[2] = { { .fd = out, .events = POLLIN }, { .fd = exchange->call->stop, .events = POLLIN } };
	u64 now = flow_clock(), limit = exchange->deadline + GRACE;
	if (now >= limit)
		return -ETIME;
	u64 left = (limit - now) / 1000000 + 1;
	int n = poll(fds, 2, left > 3600000 ? 3600000 : (int)left);
	if (n < 0 && errno != EINTR)
		return -errno;
	if (n > 0 && fds[1].revents)
		return -EINTR;
	return n > 0 && fds[0].revents ? 1 : -EAGAIN;
}

static int follow(struct exchange *exchange, int out)
{
	char bytes[16384];
	struct call_frames frames = { .sink = { .event = take_event, .data = take_data, .user = exchange } };
	int error = 0;
	while (!error) {
		error = wait_output(exchange, out);
		if (error == -EAGAIN) {
			error = 0;
			continue;
		}
		if (error < 0)
			break;
		ssize_t n = read(out, bytes, sizeof(bytes));
		error = n < 0 ? (errno == EINTR ? 0 : -errno) : n == 0 ? -ENODATA : call_frames_feed(&frames, bytes, (size_t)n);
	}
	bool whole = frames.ended;
	call_frames_done(&frames);
	return error == -ENODATA && whole ? 0 : error;
}

static void judge(struct exchange *exchange, int error)
{
	struct flow_reply *reply = exchange->reply;
	if (error == 0)
		return;
	if (error == -ETIME)
		end(reply, exchange->own_time ? FLOW_FAILED : FLOW_TIME, "the answer did not come in time");
	else if (error == -EINTR)
		end(reply, FLOW_STOPPED, "the run was stopped");
	else if (error == -ECANCELED)
		end(reply, FLOW_OK, "");
	else if (error == -ENODATA || error == -EPROTO)
		end(reply, FLOW_BROKEN, "lichen-fetch ended without saying how the call went");
	else
		end(reply, error == -ENOMEM ? FLOW_BROKEN : FLOW_FAILED, strerror(-error));
	reply->cut = error == -ECANCELED;
	reply->error = error;
}

/* A sealed copy of the request: a pipe would fill while the helper still starts. */
static int request_file(const json_t *request)
{
	CLEANUP_FREE char *text = json_dumps(request, JSON_COMPACT);
	CLEANUP_FD int fd = memfd_create("request", MFD_CLOEXEC);
	if (!text)
		return -ENOMEM;
	if (fd < 0)
		return -errno;
	int r = write_bytes(fd, text, strlen(text));
	if (r < 0)
		return r;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : take_fd(&fd);
}

static int start(const struct flow_call *call, struct helper *helper, struct flow_reply *reply)
{
	char path[PATH_MAX];
	char *const argv[] = { (char[]){ "lichen-fetch" }, (char[]){ "call" }, NULL };
	if (helper_find("lichen-fetch", path)) {
		end(reply, FLOW_BROKEN, "lichen-fetch, the program that makes connections, is not there: it belongs beside lichen");
		return -ENOENT;
	}
	CLEANUP_FD int request = request_file(call->request);
	int error = request < 0 ? request : helper_start_input(path, argv, request, FD_NONE, helper);
	if (error)
		snprintf(reply->text, sizeof(reply->text), "lichen-fetch cannot be run: %s", strerror(-error));
	return error;
}

void flow_call(const struct flow_call *call, struct flow_reply *ret)
{
	struct helper helper = { .out = FD_NONE, .err = FD_NONE };
	u64 now = flow_clock();
	struct exchange exchange = { .call = call, .reply = ret, .deadline = call->deadline };
	*ret = (struct flow_reply){ .outcome = FLOW_BROKEN };
	if (now >= call->deadline) {
		end(ret, FLOW_TIME, "there is no time left for the call");
		return;
	}
	if (call->timeout < call->deadline - now) {
		exchange.deadline = now + call->timeout;
		exchange.own_time = true;
	}
	u64 ms = (exchange.deadline - now) / 1000000;
	json_object_set_new(call->request, "timeout_ms", json_integer((json_int_t)(ms < 1 ? 1 : ms > 3600000 ? 3600000 : ms)));
	if (start(call, &helper, ret))
		return;
	ret->sent = true; /* until it says otherwise */
	int error = follow(&exchange, helper.out);
	if (error)
		(void)kill(helper.pid, SIGKILL);
	(void)!helper_wait(&helper);
	helper_close(&helper);
	judge(&exchange, error);
}

void flow_reply_done(struct flow_reply *reply)
{
	json_decref(reply->headers);
	reply->headers = NULL;
}
