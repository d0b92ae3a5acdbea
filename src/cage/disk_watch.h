/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits.disk: by how much the space below what may be written (disk_usage.h) may grow while a command runs. Nothing in the kernel keeps that for any directory of any
 * file system, so a thread of lichen's looks:
 *
 *   1 at the start it counts what is there
 *   2 it counts again every 100 ms, less often where counting takes more than a fortieth of a processor or a quarter of the time, but at once when the free space of
 *     the file systems has shrunk by what is left of the limit (once between two regular looks); nobody is stopped for that
 *   3 if it has grown too much, or free space has shrunk by more than the limit and the count does not tell why, all processes are stopped (SIGSTOP) and it is counted
 *     exactly: files that were moved meanwhile may have been counted twice, or not at all
 *   4 if that is too much, or cannot be counted, they stay stopped until they are killed; else they go on
 *   5 at the end, when nobody is left, it is counted a last time
 *
 * So a writer exceeds the limit by what it writes between two looks, and while one lasts; RLIMIT_FSIZE keeps each file for itself from that.
 */
#ifndef LICHEN_CAGE_DISK_WATCH_H
#define LICHEN_CAGE_DISK_WATCH_H

#include <pthread.h>

#include "cage/disk_usage.h"
#include "host/cell_sampler.h"

#define DISK_OTHERS 16u

/* What the command may write, canonical, and of that what it cannot reach. */
struct disk_place {
	const char *const *roots, *const *masks;
	size_t root_count, mask_count;
};

struct disk_watch {
	struct disk_usage usage;
	u64 limit, base;           /* bytes; base: at the start */
	u64 largest;               /* the size of the largest file then */
	u64 free, explained;       /* at the start; what has gone of it that others took */
	s64 grown;                 /* at the last look */
	u64 grown_free;            /* free space then */
	s64 longest;               /* ms that a look may take */
	s64 next;                  /* ms, monotonic: of the next regular look */
	bool early;                /* there was one before its time since the last regular one */
	pid_t unseen;              /* lichen's own first process of a pid namespace, which has nothing open; 0: none */
	pid_t others[DISK_OTHERS]; /* children of ours that are not the command's */
	size_t other_count;
	pthread_mutex_t stopping; /* held while processes are stopped for a look: nobody else may continue them */
	struct cell_held held;
	pthread_t thread;
	bool started, end; /* end: the thread is to end (atomic) */
	int wake, told;    /* eventfd(2): for the thread to end; from the thread: it is exceeded */
	bool over;         /* atomic */
	const char *why;   /* what could not be counted: half a sentence; NULL: it was */
};

/* Counts what is there. 0 or negative errno, with *why set (half a sentence); disk_watch_done() in any case. */
int disk_watch_begin(struct disk_watch *watch, u64 limit, const struct disk_place *place, const char **why) MUST_CHECK;
/* When the guest's first process is there; init: it is lichen's own. From then on watch->told can be read when the limit is exceeded. 0 or negative errno. */
int disk_watch_start(struct disk_watch *watch, pid_t guest, bool init) MUST_CHECK;
/* When all of it has ended: the last look. Whether the limit was exceeded, or it could not be told (watch->why). */
bool disk_watch_end(struct disk_watch *watch);
void disk_watch_done(struct disk_watch *watch);

#endif
