// SPDX-License-Identifier: Apache-2.0
/* lichen-proxy, started, heard and ended; and the socket that it serves. */
#include "cage/cage_proxy.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/write_bytes.h"
#include "host/network.h"
#include "proxy/proxy_rule.h"

#define READY_MS 30000 /* a loaded machine; a helper that does not start ends before */
#define BACKLOG 128
#define URL "http://127.0.0.1:3128"

static_assert(CAGE_PROXY_PORT == 3128, "URL");

int cage_proxy_find(char path[PATH_MAX])
{
	return helper_find("lichen-proxy", path);
}

static json_t *list_of(const struct cage_words *words)
{
	json_t *list = json_array();
	for (size_t i = 0; i < words->count && list; i++)
		if (json_array_append_new(list, json_string(words->word[i]))) {
			json_decref(list);
			list = NULL;
		}
	return list;
}

static int send_rules(int control, const struct cage_policy *policy)
{
	json_t *rules =
		json_pack("{so so}", "allow", list_of(&policy->network.allow), "private", list_of(&policy->network.private));
	CLEANUP_FREE char *line = rules ? json_dumps(rules, JSON_COMPACT) : NULL;
	json_decref(rules);
	if (!line)
		return -ENOMEM;
	int r = send_bytes(control, line, strlen(line));
	return r ? r : send_bytes(control, "\n", 1);
}

/* Waits for something to read. 0 or negative errno. */
static int wait_for(int fd, int milliseconds)
{
	struct pollfd one = { .fd = fd, .events = POLLIN };
	int r;
	do
		r = poll(&one, 1, milliseconds);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return -ETIMEDOUT;
	return r < 0 ? -errno : 0;
}

/* Whether the first line says that it is ready. */
static void take_ready(void *data, const struct cage_proxy_decision *decision)
{
	const char *event = json_string_value(json_object_get(decision->event, "event"));
	if (event && strcmp(event, "ready") == 0)
		*(bool *)data = true;
}

static int await_ready(struct cage_proxy *proxy)
{
	bool ready = false;
	const struct cage_proxy_reader reader = { take_ready, &ready };
	int r = 0;
	while (!ready && r == 0) {
		r = wait_for(proxy->helper.out, READY_MS);
		if (r == 0)
			r = cage_proxy_read(proxy, &reader);
	}
	return ready ? 0 : r < 0 ? r : -EPIPE;
}

static void set_problem(char problem[CAGE_PROXY_PROBLEM], const char *what, const char *more)
{
	(void)snprintf(problem, CAGE_PROXY_PROBLEM, "%s%s", what, more);
}

/* What it said on its standard error when it gave up. */
static void give_up(struct cage_proxy *proxy, int error, char problem[CAGE_PROXY_PROBLEM])
{
	char words[256] = "";
	(void)kill(proxy->helper.pid, SIGKILL);
	if (helper_wait(&proxy->helper) >= 0) {
		ssize_t n = read(proxy->helper.err, words, sizeof(words) - 1);
		words[n > 0 ? n : 0] = '\0';
		words[strcspn(words, "\n")] = '\0';
	}
	if (*words)
		set_problem(problem, words, "");
	else
		set_problem(problem, "lichen-proxy did not get ready: ", strerror(-error));
	helper_close(&proxy->helper);
	close_fd(&proxy->control);
}

int cage_proxy_start(const struct cage_policy *policy, struct cage_proxy *ret, char problem[CAGE_PROXY_PROBLEM])
{
	struct cage_proxy proxy = CAGE_PROXY_NONE;
	char path[PATH_MAX], name[] = "lichen-proxy", option[32];
	char *const argv[] = { name, option, NULL };
	int ends[2];
	int r = cage_proxy_find(path);
	if (r) {
		(void)snprintf(problem, CAGE_PROXY_PROBLEM,
			       "lichen-proxy is not there: it belongs beside lichen (%.300s) or into " LICHEN_LIBEXEC, path);
		return r;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) {
		r = -errno;
		set_problem(problem, "socketpair: ", strerror(-r));
		return r;
	}
	CLEANUP_FD int theirs = ends[1];
	proxy.control = ends[0];
	(void)snprintf(option, sizeof(option), "--control=%d", theirs);
	r = helper_start(path, argv, theirs, &proxy.helper);
	if (r) {
		set_problem(problem, "lichen-proxy cannot be started: ", strerror(-r));
		close_fd(&proxy.control);
		return r;
	}
	close_fd(&theirs);
	theirs = FD_NONE; /* so that we see its end */
	r = fcntl(proxy.helper.out, F_SETFL, O_NONBLOCK) < 0 ? -errno : send_rules(proxy.control, policy);
	if (r == 0)
		r = await_ready(&proxy);
	if (r)
		give_up(&proxy, r, problem);
	else
		*ret = proxy;
	return r;
}

static int send_descriptor(int control, char byte, int fd)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} ancillary = { .room = { 0 } };
	struct iovec data = { &byte, 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = &ancillary, .msg_controllen = sizeof(ancillary)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	ssize_t n;
	do
		n = sendmsg(control, &message, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int cage_proxy_listen(struct cage_proxy *proxy)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(CAGE_PROXY_PORT),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	CLEANUP_FD int control = take_fd(&proxy->control);
	network_loopback_up();
	if (network_has_way_out())
		return -EXDEV;
	CLEANUP_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, BACKLOG))
		return -errno;
	return send_descriptor(control, 'l', fd);
}

int cage_proxy_hand(struct cage_proxy *proxy, int door)
{
	CLEANUP_FD int control = take_fd(&proxy->control);

	return send_descriptor(control, 'd', door);
}

/* Whether the guest may ask for the machine's loopback, which then must not be taken for its own. */
static bool names_loopback(const struct cage_policy *policy)
{
	for (size_t i = 0; i < policy->network.private.count; i++) {
		struct proxy_rule rule;
		const char *why;
		if (proxy_rule_parse(policy->network.private.word[i], true, &rule, &why))
			continue;
		if (strcmp(rule.host.text, "localhost") == 0 ||
		    (rule.kind == PROXY_RULE_NETWORK &&
		     (rule.bits < 8 || proxy_address_class(&rule.host.address) == ADDRESS_LOOPBACK)))
			return true;
	}
	return false;
}

size_t cage_proxy_environment(const struct cage_policy *policy, struct cage_variable to[CAGE_PROXY_VARIABLES])
{
	static const char *const proxies[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	/* what the guest itself serves in its namespace is reached without the proxy */
	const char *none = names_loopback(policy) ? "" : "localhost,127.0.0.1,::1";
	size_t count = 0;
	for (; count < ARRAY_SIZE(proxies); count++)
		to[count] = (struct cage_variable){ proxies[count], URL };
	to[count++] = (struct cage_variable){ "no_proxy", none };
	to[count++] = (struct cage_variable){ "NO_PROXY", none };
	return count;
}

static const char *member(const json_t *event, const char *name)
{
	return json_string_value(json_object_get(event, name));
}

static void take_line(const char *line, size_t length, const struct cage_proxy_reader *reader)
{
	json_t *event = json_loadb(line, length, 0, NULL);
	const char *name = member(event, "event");
	if (name) {
		struct cage_proxy_decision decision = { .event = event,
							.reason = member(event, "reason"),
							.target = member(event, "target") };
		bool malformed = strcmp(name, "malformed") == 0;
		if (!decision.target)
			decision.target = member(event, "raw");
		/* a target that is none was refused, too; a request without one asks for nothing */
		if (decision.reason && strcmp(decision.reason, "no rule allows it") == 0)
			decision.reason = NULL;
		decision.denied = strcmp(name, "denied") == 0 || (malformed && decision.target);
		reader->take(reader->data, &decision);
	}
	json_decref(event);
}

/* Hands out the lines that are whole. -EMSGSIZE: one is longer than the helper writes. */
static int take_lines(struct cage_proxy *proxy, const struct cage_proxy_reader *reader)
{
	char *at = proxy->line, *end = at + proxy->have, *newline;
	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		take_line(at, (size_t)(newline - at), reader);
		at = newline + 1;
	}
	proxy->have = (size_t)(end - at);
	memmove(proxy->line, at, proxy->have);
	return proxy->have < sizeof(proxy->line) ? 0 : -EMSGSIZE;
}

/* What is polled stays a descriptor, on which nothing will ever come. */
static int end_reading(struct cage_proxy *proxy, int result)
{
	CLEANUP_FD int silent = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	proxy->ended = true;
	if (silent >= 0)
		(void)dup3(silent, proxy->helper.out, O_CLOEXEC);
	return result;
}

int cage_proxy_read(struct cage_proxy *proxy, const struct cage_proxy_reader *reader)
{
	ssize_t n;
	if (proxy->ended)
		return 1;
	do
		n = read(proxy->helper.out, proxy->line + proxy->have, sizeof(proxy->line) - proxy->have);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return end_reading(proxy, n < 0 ? -errno : 1);
	proxy->have += (size_t)n;
	int r = take_lines(proxy, reader);
	return r ? end_reading(proxy, r) : 0;
}

/* A signal, unless somebody has waited for it already: its number may be another's then. */
static void send_signal(pid_t pid, int sig)
{
	siginfo_t info;
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		(void)kill(pid, sig);
}

int cage_proxy_stop(struct cage_proxy *proxy, const struct cage_proxy_reader *reader)
{
	int r = 0;
	send_signal(proxy->helper.pid, SIGTERM);
	send_signal(proxy->helper.pid, SIGCONT); /* whoever stopped it */
	close_fd(&proxy->control);
	proxy->control = FD_NONE;
	while (r == 0 && !proxy->ended) {
		r = wait_for(proxy->helper.out, READY_MS);
		if (r == 0)
			r = cage_proxy_read(proxy, reader);
	}
	if (r < 0)
		send_signal(proxy->helper.pid, SIGKILL);
	int status = helper_wait(&proxy->helper);
	helper_close(&proxy->helper);
	return r < 0 ? r : status;
}
