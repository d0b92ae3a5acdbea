/* SPDX-License-Identifier: Apache-2.0 */
/* The broker served by hand: watches, log streams, and guests that send what no agent sends. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#include "abi/broker.h"
#include "host/broker_host.h"
#include "host/kmsg.h"

static int members; /* the guests' end */
static struct broker *broker;
static struct service service;

static int open_broker(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	members = pair[1];
	assert_int_equal(broker_new(pair[0], 0, &broker), 0);
	service = broker_service(broker);
	return 0;
}

static int close_broker(void **state)
{
	(void)state;
	broker_free(broker);
	(void)close(members);
	return 0;
}

/* What the supervisor does, for a while; until the broker has nothing to do. */
static void serve(int milliseconds)
{
	for (;;) {
		struct pollfd ready = { .fd = service.fd, .events = POLLIN };
		int wish = service.tick(service.data);

		if (poll(&ready, 1, wish >= 0 && wish < milliseconds ? wish : milliseconds) == 1)
			service.ready(service.data);
		else if (wish < 0 || (milliseconds -= wish) <= 0)
			return;
	}
}

static int ask(const void *request, size_t size, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(32 * sizeof(int))];
	} control;
	struct iovec vector = { (void *)(uintptr_t)request, size };
	struct msghdr message = { .msg_iov = &vector, .msg_iovlen = 1 };
	struct cmsghdr *c;

	memset(&control, 0, sizeof(control));
	if (count) {
		message.msg_control = &control;
		message.msg_controllen = CMSG_SPACE(count * sizeof(int));
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(members, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Our end of a pair whose other end went to the broker with a request. */
static int ask_pair(u32 kind, s64 a, s64 b)
{
	struct broker_request request = { .kind = kind, .a = a, .b = b };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(ask(&request, sizeof(request), &pair[1], 1), 0);
	(void)close(pair[1]);
	serve(20);
	return pair[0];
}

static bool is_open(int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };

	(void)poll(&end, 1, 0);
	return !(end.revents & POLLHUP);
}

/* Our end of a pair whose other end went to the broker, owned by a process. */
static int watch(pid_t owner)
{
	struct broker_request request = { .kind = BROKER_WATCH_PID };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(owner ? fcntl(pair[1], F_SETOWN, owner) : 0, 0);
	assert_int_equal(ask(&request, sizeof(request), &pair[1], 1), 0);
	(void)close(pair[1]);
	serve(20);
	return pair[0];
}

static short polled(int fd)
{
	struct pollfd end = { .fd = fd, .events = POLLIN };

	(void)poll(&end, 1, 0);
	return end.revents;
}

static pid_t sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			(void)pause();
	return pid;
}

static void test_watch_ends_with_the_process(void **state)
{
	pid_t pid = sleeper();
	int fd = watch(pid), late;

	(void)state;
	assert_int_equal(polled(fd), 0);
	(void)kill(pid, SIGKILL);
	serve(100);
	assert_int_equal(polled(fd), POLLIN); /* a zombie has ended */
	late = watch(pid);
	assert_int_equal(polled(late), POLLIN);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(polled(fd), POLLIN);
	(void)close(fd);
	(void)close(late);
}

static void test_watch_without_an_owner_is_over(void **state)
{
	pid_t pid = sleeper();
	int fd = watch(0), pair[2];
	struct broker_request request = { .kind = BROKER_WATCH_PID };

	(void)state;
	assert_int_equal(polled(fd), POLLIN);
	(void)close(fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(fcntl(pair[1], F_SETOWN, pid), 0);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(ask(&request, sizeof(request), &pair[1], 1), 0);
	serve(20);
	assert_int_equal(polled(pair[0]), POLLIN); /* though a copy of the other end is open here */
	(void)close(pair[0]);
	(void)close(pair[1]);
	assert_int_equal(pipe2(pair, O_CLOEXEC), 0); /* not what an agent sends: closed */
	assert_int_equal(ask(&request, sizeof(request), &pair[1], 1), 0);
	(void)close(pair[1]);
	serve(20);
	assert_int_equal(polled(pair[0]), POLLHUP);
	(void)close(pair[0]);
}

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 65536; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_watches_are_bounded_and_dropped(void **state)
{
	int before = descriptors(), fds[BROKER_WATCHES_MAX + 8], open = 0;

	(void)state;
	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = watch(getpid());
	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		open += is_open(fds[i]);
	assert_int_equal(open, BROKER_WATCHES_MAX);
	for (u32 i = 0; i < ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
	serve(20);
	assert_int_equal(descriptors(), before);
}

static void read_record(int fd, char *text, size_t size)
{
	ssize_t n = recv(fd, text, size - 1, 0);

	text[n < 0 ? 0 : n] = 0;
}

static void test_log_reaches_readers_old_and_new(void **state)
{
	char text[KMSG_RECORD_MAX];
	int writer = ask_pair(BROKER_KMSG, BROKER_KMSG_WRITE, 0), reader = ask_pair(BROKER_KMSG, BROKER_KMSG_READ, 0);

	(void)state;
	read_record(reader, text, sizeof(text));
	assert_int_equal(strncmp(text, "14,0,", 5), 0); /* user.info, the first: what this log is */
	assert_int_equal(send(writer, "<3>one\n", 7, 0), 7);
	serve(20);
	read_record(reader, text, sizeof(text));
	assert_int_equal(strncmp(text, "11,1,", 5), 0);
	assert_string_equal(strchr(text, ';'), ";one\n");
	(void)close(reader);
	reader = ask_pair(BROKER_KMSG, BROKER_KMSG_READ | BROKER_KMSG_ONCE, 0);
	read_record(reader, text, sizeof(text));
	read_record(reader, text, sizeof(text));
	assert_string_equal(strchr(text, ';'), ";one\n");
	assert_int_equal(recv(reader, text, sizeof(text), 0), 0);
	(void)close(reader);
	(void)close(writer);
}

static void test_slow_reader_goes_on_with_the_oldest(void **state)
{
	char text[KMSG_RECORD_MAX], line[900];
	int writer = ask_pair(BROKER_KMSG, BROKER_KMSG_WRITE, 0), reader = ask_pair(BROKER_KMSG, BROKER_KMSG_READ, 0);
	unsigned long last = 0, number, gaps = 0, count = 0;

	(void)state;
	memset(line, 'x', sizeof(line));
	for (u32 i = 0; i < 8 * KMSG_RECORDS; i++) {
		assert_int_equal(send(writer, line, sizeof(line), 0), sizeof(line));
		serve(0);
	}
	for (;; serve(0), count++) {
		read_record(reader, text, sizeof(text));
		if (!text[0])
			break;
		number = strtoul(strchr(text, ',') + 1, NULL, 10);
		gaps += number > last + 1;
		assert_true(!last || number > last);
		last = number;
	}
	assert_int_equal(last, 8 * KMSG_RECORDS);
	assert_int_equal(gaps, 1);
	assert_true(count > KMSG_RECORDS);
	(void)close(reader);
	(void)close(writer);
}

static void test_seek(void **state)
{
	char text[KMSG_RECORD_MAX], seek[9] = { 0 };
	int stream = ask_pair(BROKER_KMSG, BROKER_KMSG_READ | BROKER_KMSG_WRITE, 0);
	u64 end = UINT64_MAX;

	(void)state;
	assert_int_equal(send(stream, "two", 3, 0), 3);
	memcpy(seek + 1, &end, 8);
	serve(20);
	assert_int_equal(send(stream, seek, 9, 0), 9);
	serve(20);
	do
		assert_int_not_equal(recv(stream, text, sizeof(text), 0), -1);
	while (text[0]);
	assert_int_equal(recv(stream, text, sizeof(text), 0), -1);
	memset(seek, 0, 9);
	assert_int_equal(send(stream, seek, 9, 0), 9);
	serve(20);
	assert_int_equal(recv(stream, text, sizeof(text), 0), 1);
	read_record(stream, text, sizeof(text));
	assert_int_equal(strncmp(text, "14,0,", 5), 0);
	(void)close(stream);
}

/* A member that could not wait for the answer has decided that there is a filter, and relies on it. */
static void test_network_is_decided_once(void **state)
{
	u32 network = NETWORK_BY_FILTER;

	(void)state;
	broker_knows_network(broker, &network);
	(void)close(ask_pair(BROKER_NETWORK, 0, 0));
	assert_int_equal(network, NETWORK_BY_FILTER);
	broker_knows_network(broker, NULL);
}

static void test_malformed_requests_are_dropped(void **state)
{
	struct broker_request request = { .kind = 77 };
	int before = descriptors(), pair[2], many[20];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	for (u32 i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = pair[1];
	for (size_t count = 0; count <= ARRAY_SIZE(many); count++)
		for (size_t size = 1; size <= sizeof(request); size += 23) {
			request.kind = (u32)(count % 3);
			if (count == 1 && request.kind && size == sizeof(request))
				continue;
			assert_int_equal(ask(&request, size, many, count), 0);
			serve(1);
		}
	request.kind = BROKER_KMSG; /* not a stream of records */
	assert_int_equal(ask(&request, sizeof(request), many, 1), 0);
	serve(20);
	(void)close(pair[0]);
	(void)close(pair[1]);
	assert_int_equal(descriptors(), before);
}

static void test_flood_is_survived(void **state)
{
	int before = descriptors(), writer = ask_pair(BROKER_KMSG, BROKER_KMSG_WRITE, 0), pair[2], refused = 0;
	struct broker_request request = { .kind = BROKER_KMSG, .a = 7 };

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	for (int i = 0; i < 20000; i++) {
		refused += ask(&request, sizeof(request), &pair[i % 2], 1) < 0;
		(void)send(writer, "x", 1, 0);
		(void)send(pair[0], "y", 1, 0);
		if (i % 64 == 0)
			service.ready(service.data);
	}
	assert_true(refused > 0);
	(void)close(pair[0]);
	(void)close(pair[1]);
	(void)close(writer);
	broker_free(broker);
	(void)close(members);
	assert_int_equal(open_broker(state), 0);
	assert_true(descriptors() <= before + 1); /* the old broker's socket */
}

static void test_descriptor_that_could_block_ends_the_service(void **state)
{
	struct broker_request request = { .kind = BROKER_KMSG, .a = BROKER_KMSG_READ };
	int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), fd;

	(void)state;
	assert_int_equal(ask(&request, sizeof(request), &file, 1), 0);
	serve(20);
	fd = ask_pair(BROKER_KMSG, BROKER_KMSG_READ, 0);
	assert_true(is_open(fd)); /* nobody took it */
	(void)close(fd);
	(void)close(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_watch_ends_with_the_process, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_watch_without_an_owner_is_over, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_watches_are_bounded_and_dropped, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_log_reaches_readers_old_and_new, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_slow_reader_goes_on_with_the_oldest, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_seek, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_network_is_decided_once, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_malformed_requests_are_dropped, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_flood_is_survived, open_broker, close_broker),
		cmocka_unit_test_setup_teardown(test_descriptor_that_could_block_ends_the_service, open_broker, close_broker),
	};
	struct rlimit limit;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192; /* the asker's own ends lie here, too */
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
