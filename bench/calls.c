// SPDX-License-Identifier: Apache-2.0
// System calls timed from inside: prints nanoseconds per operation. Run natively and under lichen or a peer by bench.py.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct message {
	long type;
	char text[64];
};

static void die(const char *what)
{
	fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

// A call that no gap wants: what the loaded filter costs.
static void getppid_untouched(long count)
{
	for (long i = 0; i < count; i++)
		syscall(SYS_getppid);
}

// What `lichen why` lets through after a look: a call that works.
static void fcntl_works(long count)
{
	for (long i = 0; i < count; i++)
		syscall(SYS_fcntl, 0, F_GETFD);
}

// What `lichen why` records.
static void open_refused(long count)
{
	for (long i = 0; i < count; i++)
		if (open("/nonexistent/file", O_RDONLY) >= 0)
			exit(1);
}

// fork, execve of a program that does nothing, wait.
static void fork_exec(long count)
{
	static char *const argv[] = { "true", NULL };
	for (long i = 0; i < count; i++) {
		int status;
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0) {
			execv("/bin/true", argv);
			_exit(99);
		}
		if (waitpid(pid, &status, 0) != pid || status != 0)
			die("true");
	}
}

static void operate(int id, unsigned short number, short change)
{
	struct sembuf op = { number, change, 0 };
	while (semop(id, &op, 1))
		if (errno != EINTR)
			die("semop");
}

// Nobody waits: up and down count as two operations.
static void sem_alone(long count)
{
	int id = semget(IPC_PRIVATE, 1, 0600);
	if (id < 0)
		die("semget");
	for (long i = 0; i < count; i += 2) {
		operate(id, 0, 1);
		operate(id, 0, -1);
	}
	semctl(id, 0, IPC_RMID);
}

// Two processes hand a token to each other; one operation is there and back.
static void sem_pingpong(long count)
{
	int id = semget(IPC_PRIVATE, 2, 0600);
	if (id < 0)
		die("semget");
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	for (long i = 0; i < count; i++) {
		if (pid) {
			operate(id, 0, 1);
			operate(id, 1, -1);
		} else {
			operate(id, 0, -1);
			operate(id, 1, 1);
		}
	}
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	semctl(id, 0, IPC_RMID);
}

static void send_one(int id, long type)
{
	struct message m = { .type = type };
	if (msgsnd(id, &m, sizeof(m.text), 0))
		die("msgsnd");
}

static void receive_one(int id, long type)
{
	struct message m;
	if (msgrcv(id, &m, sizeof(m.text), type, 0) != (ssize_t)sizeof(m.text))
		die("msgrcv");
}

// A message to itself: sent and received count as two operations.
static void msg_alone(long count)
{
	int id = msgget(IPC_PRIVATE, 0600);
	if (id < 0)
		die("msgget");
	for (long i = 0; i < count; i += 2) {
		send_one(id, 1);
		receive_one(id, 1);
	}
	msgctl(id, IPC_RMID, NULL);
}

static void msg_pingpong(long count)
{
	int id = msgget(IPC_PRIVATE, 0600);
	if (id < 0)
		die("msgget");
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	for (long i = 0; i < count; i++) {
		if (pid) {
			send_one(id, 1);
			receive_one(id, 2);
		} else {
			receive_one(id, 1);
			send_one(id, 2);
		}
	}
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	msgctl(id, IPC_RMID, NULL);
}

static const struct {
	const char *name;
	void (*run)(long count);
} table[] = {
	{ "getppid", getppid_untouched }, { "fcntl", fcntl_works },         { "refused", open_refused },
	{ "fork-exec", fork_exec },       { "sem-alone", sem_alone },       { "sem-pingpong", sem_pingpong },
	{ "msg-alone", msg_alone },       { "msg-pingpong", msg_pingpong },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 3 && i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(argv[1], table[i].name) != 0)
			continue;
		long count = atol(argv[2]);
		table[i].run(count / 10 + 2); // warms caches, and whatever patches or learns
		double began = now();
		table[i].run(count);
		printf("%.1f\n", (now() - began) / (double)count);
		return 0;
	}
	fprintf(stderr, "usage: calls NAME COUNT\n");
	return 64;
}
