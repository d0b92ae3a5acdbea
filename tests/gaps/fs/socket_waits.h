/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that wait for room in somebody's socket: a stop does not end that, a handler does, with SA_RESTART it begins again, but where SO_SNDTIMEO limits it. */
#ifndef SOCKET_WAITS_H
#define SOCKET_WAITS_H

#include "fs_test.h"

#define PLACE "/t/full"

static volatile sig_atomic_t handled;
static struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = PLACE };

static void handler(int sig)
{
	(void)sig;
	handled = handled + 1;
}

/* The ways to wait for it. */
static long by_connect(int fd)
{
	return connect(fd, (struct sockaddr *)&name, sizeof(name));
}

static long by_sendto(int fd)
{
	return sendto(fd, "one", 3, 0, (struct sockaddr *)&name, sizeof(name));
}

struct way {
	const char *what;
	long (*call)(int fd);
	int type;
};

/* A socket at the path that has no room. */
static int full(int type)
{
	static const char large[4096];
	int server = (int)MUST(socket(AF_UNIX, type, 0)), client = (int)MUST(socket(AF_UNIX, type | SOCK_NONBLOCK, 0));

	(void)unlink(PLACE);
	MUST(bind(server, (struct sockaddr *)&name, sizeof(name)));
	if (type == SOCK_STREAM)
		MUST(listen(server, 0));
	else /* gVisor counts bytes, and messages of one byte would take it long */
		while (sendto(client, large, sizeof(large), 0, (struct sockaddr *)&name, sizeof(name)) >= 0)
			;
	while (type == SOCK_STREAM ? by_connect(client) == 0 : by_sendto(client) >= 0)
		if (type == SOCK_STREAM) /* the others are in the queue */
			client = (int)MUST(socket(AF_UNIX, type | SOCK_NONBLOCK, 0));
	say("  full: %s", errno_name(errno));
	close(client);
	return server;
}

static void room(int server, int type)
{
	char bytes[16];

	if (type == SOCK_STREAM)
		while (accept4(server, NULL, NULL, SOCK_CLOEXEC) >= 0)
			;
	else
		while (recv(server, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0)
			;
}

/* In the child: waits, and tells how that ended. */
static void waits(const struct way *way, int flags, bool limited)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
	struct timeval limit = { .tv_sec = 1000 };
	int fd = (int)MUST(socket(AF_UNIX, way->type, 0));
	long r;

	MUST(sigaction(SIGUSR1, &action, NULL));
	if (limited)
		MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)));
	r = way->call(fd);
	if (r < 0)
		say("  %s, handled %d", errno_name(errno), handled);
	else
		say("  %ld, handled %d", r, handled);
	_exit(0);
}

static void try(const struct way *way, const char *how, int flags, bool limited, int first, int second, bool ends)
{
	int server, status;
	pid_t pid;

	say("%s, %s", way->what, how);
	server = full(way->type);
	pid = fork_or_die();
	if (pid == 0)
		waits(way, flags, limited);
	wait_asleep(pid);
	MUST(kill(pid, first));
	if (second) {
		wait_state(pid, pid, 'T');
		MUST(kill(pid, second));
	}
	if (ends)
		wait_state(pid, pid, 'Z');
	else
		wait_asleep(pid);
	if (waitpid(pid, &status, WNOHANG) == 0) {
		say("  it waits on");
		MUST(fcntl(server, F_SETFL, O_NONBLOCK));
		while (waitpid(pid, &status, WNOHANG) == 0) {
			room(server, way->type);
			pause_ms(1);
		}
	}
	close(server);
}

static void try_all(const struct way *way)
{
	try(way, "a stop", 0, false, SIGSTOP, SIGCONT, false);
	try(way, "a handler", 0, false, SIGUSR1, 0, true);
	try(way, "a handler that restarts", SA_RESTART, false, SIGUSR1, 0, false);
	try(way, "a handler that restarts, limited", SA_RESTART, true, SIGUSR1, 0, true);
}

#endif
