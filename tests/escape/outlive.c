/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes that stay when the run has ended: daemons with sessions of their own, stopped ones, ones that no signal asks, and ones that are
 * gone before they are found. Each holds a
 * lock of a file in WORK, which holds its pid, and by which the test sees it live.
 */
#include "attack.h"

#include <sys/file.h>
#include <time.h>

/* A daemon in the usual two steps; says that it holds its lock. */
static int daemonize(const struct attack *a, const char *name, bool stopped, bool deaf)
{
	char path[4096], byte;
	int ready[2];

	if (pipe2(ready, O_CLOEXEC) < 0)
		return errno;
	(void)below(path, sizeof(path), a->work, name);
	if (fork() == 0) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		(void)setsid();
		if (fork() != 0)
			_exit(0);
		(void)alarm(0);
		for (int i = 1; deaf && i < 65; i++)
			(void)signal(i, SIG_IGN);
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			_exit(1);
		(void)dprintf(fd, "%d", (int)getpid());
		for (int i = 0; i < 3; i++)
			(void)close(i);
		(void)!write(ready[1], "x", 1);
		(void)close(ready[1]);
		(void)signal(SIGHUP, SIG_IGN); /* which the stopped of an orphaned group get */
		for (;;)
			(void)(stopped ? raise(SIGSTOP) : pause());
	}
	(void)close(ready[1]);
	return read(ready[0], &byte, 1) == 1 ? 0 : NOTHING;
}

static int daemon_plain(const struct attack *a)
{
	return daemonize(a, "daemon", false, false);
}

static int daemon_stopped(const struct attack *a)
{
	return daemonize(a, "stopped", true, false);
}

static int daemon_deaf(const struct attack *a)
{
	return daemonize(a, "deaf", false, true);
}

#define STORM 4
#define STORM_SECONDS 20
#define STORM_STEP 2000 /* microseconds a process: more would fill the machine with zombies where nobody reaps them */

/* Processes that are followed by a child at once and end: whoever looks for their pids comes late. They end when WORK/end is there, or WORK is not. */
static int storm(const struct attack *a)
{
	char path[4096], end[4096], byte;
	int ready[2], fd;

	fd = open(below(path, sizeof(path), a->work, "storm"), O_RDWR | O_CREAT, 0644);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || pipe2(ready, O_CLOEXEC) < 0)
		return errno;
	(void)below(end, sizeof(end), a->work, "end");
	for (int i = 0; i < STORM; i++)
		if (fork() == 0) {
			time_t last = time(NULL) + STORM_SECONDS;

			(void)setsid();
			for (int j = 0; j < 3; j++)
				(void)close(j);
			for (int round = 0; access(end, F_OK) < 0 && access(path, F_OK) == 0 && time(NULL) < last; round++) {
				if (round == 3)
					(void)!write(ready[1], "x", 1);
				if (round == 3)
					(void)close(ready[1]);
				if (fork() != 0)
					_exit(0);
				(void)usleep(STORM_STEP);
			}
			_exit(0);
		}
	(void)close(ready[1]);
	return read(ready[0], &byte, 1) == 1 ? 0 : NOTHING;
}

static const struct way ways[] = {
	{ "daemon", daemon_plain },
	{ "stopped", daemon_stopped },
	{ "deaf", daemon_deaf },
	{ "storm", storm },
};

ATTACK_MAIN(ways)
