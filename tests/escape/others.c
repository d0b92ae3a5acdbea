/* SPDX-License-Identifier: Apache-2.0 */
/* What one may do to other processes besides signals: limits, priority, scheduling, their place in a process group, their memory's place. */
#include "attack.h"

#include <sched.h>
#include <sys/resource.h>

/* The limit it has: to set it anew takes the right to set any. */
static int limits(const struct attack *a)
{
	struct rlimit limit;
	pid_t pid = target_of(a);

	if (prlimit(pid, RLIMIT_NOFILE, NULL, &limit) < 0)
		return errno;
	return outcome(prlimit(pid, RLIMIT_NOFILE, &limit, NULL));
}

static int nice_value(const struct attack *a)
{
	return outcome(setpriority(PRIO_PROCESS, (id_t)target_of(a), 1));
}

/* Of all that the user runs: 'user' must be asked for, for the test may do so only as a user of its own. */
static int nice_values(const struct attack *a)
{
	return a->more[0] && a->more[1] ? outcome(setpriority(PRIO_USER, 0, 1)) : NOT_ASKED;
}

static int io_priorities(const struct attack *a)
{
	return a->more[0] && a->more[1] ? outcome(syscall(SYS_ioprio_set, 3 /* IOPRIO_WHO_USER */, getuid(), 2 << 13 | 7))
					: NOT_ASKED;
}

static int affinity(const struct attack *a)
{
	cpu_set_t set;
	pid_t pid = target_of(a);

	if (sched_getaffinity(pid, sizeof(set), &set) < 0)
		return errno;
	return outcome(sched_setaffinity(pid, sizeof(set), &set));
}

static int scheduler(const struct attack *a)
{
	struct sched_param none = { 0 };

	return outcome(sched_setscheduler(target_of(a), SCHED_BATCH, &none));
}

static int io_priority(const struct attack *a)
{
	return outcome(syscall(SYS_ioprio_set, 1, target_of(a), 2 << 13 | 7));
}

static int pages(const struct attack *a)
{
	unsigned long node = 1;

	return outcome(syscall(SYS_migrate_pages, target_of(a), 8, &node, &node));
}

static int score(const struct attack *a)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)target_of(a));
	return write_file(path, "10");
}

static int look(const struct attack *a)
{
	char path[64], text[8];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)target_of(a));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? errno : outcome(read(fd, text, sizeof(text)));
}

static const struct way ways[] = {
	{ "prlimit", limits },
	{ "setpriority", nice_value },
	{ "setpriority_user", nice_values },
	{ "ioprio_user", io_priorities },
	{ "sched_setaffinity", affinity },
	{ "sched_setscheduler", scheduler },
	{ "ioprio_set", io_priority },
	{ "migrate_pages", pages },
	{ "oom_score_adj", score },
	{ "cmdline", look },
};

ATTACK_MAIN(ways)
