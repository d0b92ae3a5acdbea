/* SPDX-License-Identifier: Apache-2.0 */
/* SA_RESTART: which calls start again after a handler and which say EINTR; without it all say EINTR. */
#include "difftest.h"

#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>

static volatile sig_atomic_t handled;
static int pipe_fd[2], pair[2], sem, file;
static pid_t child;

static void handler(int sig)
{
	(void)sig;
	handled++;
	semget(some_key(1), 0, 0);
}

static long call(int kind)
{
	struct pollfd pfd = { .fd = pipe_fd[0], .events = POLLIN };
	struct timespec ts = { 600, 0 };
	char byte;

	switch (kind) {
	case 0:
		return read(pipe_fd[0], &byte, 1);
	case 1:
		return recv(pair[0], &byte, 1, 0);
	case 2:
		return waitpid(child, NULL, 0) > 0;
	case 3:
		return poll(&pfd, 1, -1);
	case 4:
		return sem_do(sem, 0, -1, 0);
	case 5:
		return nanosleep(&ts, NULL);
	case 6:
		return flock(file, LOCK_EX);
	default:
		return pause();
	}
}

static const char *const names[] = { "read", "recv", "waitpid", "poll", "semop", "nanosleep", "flock", "pause" };

/* What makes the call succeed once it has started again. */
static void satisfy(int kind, int lock)
{
	switch (kind) {
	case 0:
		MUST(write(pipe_fd[1], "x", 1));
		break;
	case 1:
		MUST(write(pair[1], "x", 1));
		break;
	case 6:
		flock(lock, LOCK_UN);
		break;
	default:
		break;
	}
}

static void one(int kind, int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };
	char name[] = "/tmp/difftest-XXXXXX";
	int lock = (int)MUST(mkstemp(name));
	struct gate go = gate_new();
	pid_t pid;

	MUST(flock(lock, LOCK_EX));
	pid = fork_or_die();
	if (pid == 0) {
		long result;

		handled = 0;
		file = (int)MUST(open(name, O_RDWR)); /* its own lock */
		sigaction(SIGUSR1, &sa, NULL);
		child = fork_or_die();
		if (child == 0) {
			gate_wait(&go);
			_exit(0);
		}
		result = call(kind);
		say("%s %s: %ld %s, handled %d", names[kind], flags ? "with SA_RESTART" : "without", result,
		    result < 0 ? errno_name(errno) : "", handled);
		gate_open(&go);
		_exit(0);
	}
	wait_asleep(pid);
	kill(pid, SIGUSR1);
	if (flags && (kind <= 2 || kind == 6)) {
		wait_asleep(pid);
		if (kind == 2)
			gate_open(&go);
		satisfy(kind, lock);
	}
	reap(pid);
	close(lock);
	unlink(name);
}

int main(void)
{
	MUST(pipe(pipe_fd));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	sem = sem_new(1);
	for (int kind = 0; kind < (int)COUNT(names); kind++) {
		one(kind, 0);
		one(kind, SA_RESTART);
	}
	sem_remove(sem);
	return 0;
}
