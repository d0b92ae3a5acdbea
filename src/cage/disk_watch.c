// SPDX-License-Identifier: Apache-2.0
/* Watches over limits.disk: see the header. */
#include "cage/disk_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cell_process.h"

#define PERIOD_MS 100
#define LOOK_SHARE 40 /* regular looks take this part of a processor, and those before their time as much … */
#define WAIT_SHARE 4  /* … and of the time, with what they wait for the disk */
#define LOOK_MS 10000 /* a look may take so long, … */
#define LOOK_TIMES 10 /* … or so many times what the first one took */

static s64 clock_ms(clockid_t clock)
{
	struct timespec time;

	(void)clock_gettime(clock, &time);
	return (s64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static s64 now_ms(void)
{
	return clock_ms(CLOCK_MONOTONIC);
}

/* --- one look ------------------------------------------------------------------------------------------------------------------------------------ */

static bool is_other(const struct disk_watch *watch, const struct cell_process *process)
{
	if (process->pid == watch->unseen)
		return true;
	for (size_t i = 0; i < watch->other_count; i++)
		if (watch->others[i] == process->pid || watch->others[i] == process->parent)
			return true;
	return false;
}

/* What processes have open or mapped. */
static int count_unnamed(struct disk_watch *watch, struct disk_total *total)
{
	CLEANUP_FREE struct cell_process *all = NULL;
	int found = cell_processes("", getpid(), CELL_BY_PARENT, &all, NULL), r = found < 0 ? found : 0;

	total->why = "its processes cannot be listed";
	for (int i = 0; i < found && r == 0; i++)
		if (!is_other(watch, &all[i]))
			r = disk_usage_add_open(&watch->usage, all[i].pid, total);
	for (int i = 0; i < found && r == 0; i++)
		if (!is_other(watch, &all[i]))
			r = disk_usage_add_mapped(&watch->usage, cell_process_thread(&all[i]), total);
	return r;
}

/* Fills watch->grown. 0 or negative errno with watch->why. */
static int count(struct disk_watch *watch, bool processes)
{
	struct disk_total total;
	int r = disk_usage_walk(&watch->usage, now_ms() + watch->longest, &total);

	if (r == 0 && processes)
		r = count_unnamed(watch, &total);
	watch->why = r < 0 ? total.why : NULL;
	watch->grown = (s64)(total.bytes - watch->base);
	watch->grown_free = disk_usage_free(&watch->usage);
	return r;
}

static bool is_too_much(const struct disk_watch *watch)
{
	return watch->grown > 0 && (u64)watch->grown > watch->limit;
}

/* By how much free space has shrunk that nobody else is known to have taken. */
static s64 shrunk(const struct disk_watch *watch, u64 free)
{
	return (s64)(watch->free - free - watch->explained);
}

/* While all are stopped. Whether it is too much: then they stay so. */
static bool look_exactly(struct disk_watch *watch)
{
	bool over;
	int r;

	(void)pthread_mutex_lock(&watch->stopping);
	r = cell_hold("", CELL_BY_PARENT, &watch->held);
	if (r == 0)
		r = count(watch, true);
	else
		watch->why = "its processes cannot be stopped";
	over = (r < 0 && r != -EINTR) || (r == 0 && is_too_much(watch));
	__atomic_store_n(&watch->over, over, __ATOMIC_RELEASE);
	if (!over)
		cell_release(&watch->held);
	(void)pthread_mutex_unlock(&watch->stopping);
	watch->explained = watch->free - watch->grown_free - (u64)watch->grown;
	return over;
}

static bool look(struct disk_watch *watch)
{
	int r = count(watch, true);

	if (r == -EINTR)
		return false;
	if (r == 0 && !is_too_much(watch) && shrunk(watch, watch->grown_free) <= (s64)watch->limit)
		return false;
	return look_exactly(watch);
}

/* --- the thread ---------------------------------------------------------------------------------------------------------------------------------- */

/* Whether what is left of the limit may have been written since the last look. */
static bool is_urgent(const struct disk_watch *watch)
{
	s64 gone = (s64)(watch->grown_free - disk_usage_free(&watch->usage));

	return gone > 0 && gone > (s64)watch->limit - watch->grown;
}

static s64 larger(s64 a, s64 b)
{
	return a > b ? a : b;
}

/* Looks, if it is time. Whether the limit is exceeded. */
static bool tick(struct disk_watch *watch)
{
	s64 began = now_ms(), used = clock_ms(CLOCK_THREAD_CPUTIME_ID), pause;
	bool due = began >= watch->next, over;

	if (!due && (watch->early || !is_urgent(watch)))
		return false;
	over = look(watch);
	pause = larger((clock_ms(CLOCK_THREAD_CPUTIME_ID) - used) * LOOK_SHARE, (now_ms() - began) * WAIT_SHARE);
	watch->early = !due;
	if (due)
		watch->next = began + larger(pause, PERIOD_MS);
	return over;
}

static void *watch_all(void *data)
{
	struct disk_watch *watch = data;
	struct pollfd wake = { .fd = watch->wake, .events = POLLIN };

	while (poll(&wake, 1, PERIOD_MS) <= 0)
		if (tick(watch)) {
			(void)eventfd_write(watch->told, 1);
			break;
		}
	return NULL;
}

/* --- the run ------------------------------------------------------------------------------------------------------------------------------------- */

int disk_watch_begin(struct disk_watch *watch, u64 limit, const struct disk_place *place, const char **why)
{
	struct disk_total total = { .why = "memory ran out" };
	s64 began = now_ms();
	int r;

	*watch = (struct disk_watch){ .limit = limit, .wake = FD_NONE, .told = FD_NONE };
	(void)pthread_mutex_init(&watch->stopping, NULL);
	*why = "what may be written cannot be opened";
	r = disk_usage_open(&watch->usage, place->roots, place->root_count, place->masks, place->mask_count);
	if (r < 0)
		return r;
	r = disk_usage_walk(&watch->usage, 0, &total);
	*why = total.why;
	watch->usage.stop = &watch->end;
	watch->base = total.bytes;
	watch->largest = total.largest;
	watch->free = watch->grown_free = disk_usage_free(&watch->usage);
	watch->longest = (now_ms() - began) * LOOK_TIMES;
	if (watch->longest < LOOK_MS)
		watch->longest = LOOK_MS;
	return r;
}

/* The children that we have beside the guest: lichen-proxy. */
static int find_others(struct disk_watch *watch, pid_t guest)
{
	CLEANUP_FREE struct cell_process *all = NULL;
	int found = cell_processes("", getpid(), CELL_BY_PARENT, &all, NULL);

	for (int i = 0; i < found; i++)
		if (all[i].parent == getpid() && all[i].pid != guest && watch->other_count < DISK_OTHERS)
			watch->others[watch->other_count++] = all[i].pid;
	return found < 0 ? found : 0;
}

int disk_watch_start(struct disk_watch *watch, pid_t guest, bool init)
{
	int r = find_others(watch, guest);

	if (r < 0)
		return r;
	watch->unseen = init ? guest : 0;
	watch->wake = eventfd(0, EFD_CLOEXEC);
	watch->told = eventfd(0, EFD_CLOEXEC);
	if (watch->wake < 0 || watch->told < 0)
		return -errno;
	r = pthread_create(&watch->thread, NULL, watch_all, watch);
	watch->started = r == 0;
	return -r;
}

bool disk_watch_end(struct disk_watch *watch)
{
	bool started = watch->started;

	if (!started)
		return false;
	__atomic_store_n(&watch->end, true, __ATOMIC_RELAXED);
	(void)eventfd_write(watch->wake, 1);
	(void)pthread_join(watch->thread, NULL);
	watch->started = false;
	watch->usage.stop = NULL;
	if (!watch->over)
		watch->over = count(watch, false) < 0 || is_too_much(watch);
	return watch->over;
}

void disk_watch_done(struct disk_watch *watch)
{
	free(watch->held.pids); /* they are dead */
	close_fd(&watch->wake);
	close_fd(&watch->told);
	disk_usage_close(&watch->usage);
	watch->held = (struct cell_held){ 0 };
}
