// SPDX-License-Identifier: Apache-2.0
/* Limits of a cage: see the header. */
#include "cage/cage_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cell_process.h"

#define GROUP_NAME "cage"
#define AGAIN_MS 100
#define PATIENCE_MS 1000
#define LOOK_MOST_MS 1000000
#define PAGE 4096u

static s64 now_ms(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (s64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

size_t cage_rlimits(const struct cage_limits *limits, struct launch_limit ret[CAGE_RLIMITS])
{
	rlim_t seconds = (limits->cpu_time + 999) / 1000;
	const struct launch_limit wanted[CAGE_RLIMITS] = {
		{ RLIMIT_CORE, { 0, 0 } },
		{ RLIMIT_NOFILE, { limits->open_files, limits->open_files } },
		{ RLIMIT_FSIZE, { limits->file_size, limits->file_size } },
		{ RLIMIT_CPU, { seconds, seconds ? seconds + 1 : 0 } },
	};
	size_t count = 0;

	for (size_t i = 0; i < CAGE_RLIMITS; i++)
		if (wanted[i].resource == RLIMIT_CORE || wanted[i].limit.rlim_cur)
			ret[count++] = wanted[i];
	return count;
}

static struct cell_resources resources_of(const struct cage_limits *limits)
{
	return (struct cell_resources){
		.memory = limits->memory, .memory_swap = (s64)limits->memory, .cpus = limits->cpu, .pids = limits->processes
	};
}

void cage_limits_plan(const struct cage_limits *limits, struct cell_enforcement *ret)
{
	struct cell_resources resources = resources_of(limits);

	cell_resources_plan(&resources, ret);
}

/* Notes the first limit that is hit, and ends the guest. */
static void end_by(struct cage_run_limits *run, const char *limit)
{
	const char *none = NULL;

	(void)__atomic_compare_exchange_n(&run->hit, &none, limit, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
	(void)kill(run->guest, SIGKILL); /* what else is there is killed when it has ended */
}

/* --- output -------------------------------------------------------------------------------------------------------------------------------- */

/* Waits until something can be read or written. False: that cannot, and a limit has ended the command. */
static bool wait_for(const struct cage_run_limits *run, int fd, short events)
{
	struct pollfd ends[] = { { .fd = fd, .events = events }, { .fd = run->enough, .events = POLLIN } };

	while (poll(ends, ARRAY_SIZE(ends), -1) < 0 || !(ends[0].revents | ends[1].revents))
		;
	if (!ends[0].revents) {
		s64 left = run->patience - now_ms();

		(void)poll(ends, 1, left > 0 ? (int)left : 0);
	}
	return ends[0].revents != 0;
}

/* Writes what goes in without waiting: a pipe in which there is room takes PIPE_BUF bytes. Returns how many, 0, or -1 with errno. */
static ssize_t write_some(struct cage_run_limits *run, int fd, const char *bytes, size_t size)
{
	struct pollfd end = { .fd = fd, .events = POLLOUT };
	ssize_t n = 0;

	(void)pthread_mutex_lock(&run->writing);
	if (poll(&end, 1, 0) > 0)
		n = write(fd, bytes, size < PIPE_BUF ? size : PIPE_BUF);
	(void)pthread_mutex_unlock(&run->writing);
	return n;
}

static bool write_all(struct cage_run_limits *run, int fd, const char *bytes, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = write_some(run, fd, bytes + done, size - done);

		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return false;
		if (n <= 0 && !wait_for(run, fd, POLLOUT))
			return false;
		done += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* A thread: hands on what comes, up to the limit; then the pipe is closed, so that writers get SIGPIPE. */
static void *pump(void *data)
{
	struct cage_stream *stream = data;
	struct cage_run_limits *run = stream->of;
	u64 limit = run->limits->output;
	char bytes[16384];

	while (wait_for(run, stream->from, POLLIN)) {
		ssize_t n = read(stream->from, bytes, sizeof(bytes));
		u64 before;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		before = __atomic_fetch_add(&run->written, (u64)n, __ATOMIC_RELAXED);
		if (before < limit &&
		    !write_all(run, stream->to, bytes, limit - before < (u64)n ? (size_t)(limit - before) : (size_t)n))
			break;
		if (before + (u64)n > limit) {
			end_by(run, "output");
			break;
		}
	}
	(void)close(take_fd(&stream->from));
	return NULL;
}

static int make_pipes(struct cage_run_limits *run, struct launch_setup *setup)
{
	(void)pthread_mutex_init(&run->writing, NULL);
	run->enough = eventfd(0, EFD_CLOEXEC);
	if (run->enough < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		int ends[2], target = setup->stdio[i + 1] >= 0 ? setup->stdio[i + 1] : i + 1;

		if (pipe2(ends, O_CLOEXEC) < 0)
			return -errno;
		run->streams[i] = (struct cage_stream){ .of = run, .from = ends[0], .to = target };
		run->ends[i] = ends[1];
		setup->stdio[i + 1] = ends[1];
	}
	return 0;
}

static int start_pumps(struct cage_run_limits *run)
{
	for (int i = 0; i < 2; i++) {
		int r = run->streams[i].from >= 0 ? pthread_create(&run->streams[i].thread, NULL, pump, &run->streams[i]) : ESRCH;

		run->streams[i].started = r == 0;
		if (r != 0 && run->streams[i].from >= 0)
			return -r;
		close_fd(&run->ends[i]);
		run->ends[i] = FD_NONE;
	}
	return 0;
}

/* --- clocks and looks ------------------------------------------------------------------------------------------------------------------------- */

static int tick_wall(void *data)
{
	struct cage_run_limits *run = data;
	s64 left = run->deadline - now_ms();

	if (left > 0)
		return left > LOOK_MOST_MS ? LOOK_MOST_MS : (int)left;
	end_by(run, "wall");
	return AGAIN_MS;
}

/*
 * gVisor keeps RLIMIT_CPU only of who has set it, or executed something since, not of who was forked: whoever has had more than that is ended here. Each process
 * for itself, as by the kernel. The next look is when one could have had as much. Older than the guest is lichen-proxy.
 */
static int tick_cpu_time(void *data)
{
	struct cage_run_limits *run = data;
	struct cell_process *all = NULL;
	int count = cell_processes("", getpid(), CELL_BY_PARENT, &all, NULL);
	u64 limit = (run->limits->cpu_time + 999) / 1000 * 1000, most = 0, left;
	u64 second = (u64)sysconf(_SC_CLK_TCK), processors = (u64)sysconf(_SC_NPROCESSORS_ONLN);

	for (int i = 0; i < count && !run->begun; i++)
		if (all[i].pid == run->guest)
			run->begun = all[i].started;
	for (int i = 0; i < count; i++) {
		u64 used = all[i].ticks * 1000 / second;

		if (!run->begun || all[i].started < run->begun)
			continue;
		if (used > limit)
			run->over_time |= kill(all[i].pid, SIGKILL) == 0;
		else if (used > most)
			most = used;
	}
	free(all);
	left = (limit - most) / (processors ? processors : 1) + AGAIN_MS;
	return count < 0 || !run->begun ? AGAIN_MS : left > LOOK_MOST_MS ? LOOK_MOST_MS : (int)left;
}

/* What the look at the disk has stopped, stays so. */
static int tick_sampler(void *data)
{
	struct cage_run_limits *run = data;
	int r = AGAIN_MS;

	if (!run->limits->disk)
		return cell_sampler_tick(&run->sampler);
	if (pthread_mutex_trylock(&run->disk.stopping) != 0)
		return AGAIN_MS;
	if (!__atomic_load_n(&run->disk.over, __ATOMIC_ACQUIRE))
		r = cell_sampler_tick(&run->sampler);
	(void)pthread_mutex_unlock(&run->disk.stopping);
	return r;
}

/* --- disk ------------------------------------------------------------------------------------------------------------------------------------ */

static void end_by_disk(void *data)
{
	struct cage_run_limits *run = data;
	eventfd_t ignored;

	(void)eventfd_read(run->disk.told, &ignored);
	end_by(run, "disk");
}

/* The most that a file may have now: what the largest one has. */
static u64 largest_file(const struct cage_run_limits *run, const struct launch_setup *setup)
{
	u64 largest = run->disk.largest;
	struct stat st;

	for (int i = 0; i < 3; i++)
		if (fstat(setup->stdio[i] >= 0 ? setup->stdio[i] : i, &st) == 0 && S_ISREG(st.st_mode) && (u64)st.st_size > largest)
			largest = (u64)st.st_size;
	return largest;
}

/* No file grows by more than the limit, and the page that shows it. */
static int limit_files(struct cage_run_limits *run, struct launch_setup *setup)
{
	struct rlimit least;
	u64 most = largest_file(run, setup) + run->limits->disk + PAGE;

	run->rlimits = calloc(setup->limit_count + 1, sizeof(*run->rlimits));
	if (!run->rlimits || getrlimit(RLIMIT_FSIZE, &least) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < setup->limit_count; i++) {
		run->rlimits[i] = setup->limits[i];
		if (setup->limits[i].resource == RLIMIT_FSIZE)
			least = setup->limits[i].limit;
	}
	if (most < least.rlim_max)
		least.rlim_max = most;
	if (most < least.rlim_cur)
		least.rlim_cur = most;
	run->rlimits[setup->limit_count++] = (struct launch_limit){ RLIMIT_FSIZE, least };
	setup->limits = run->rlimits;
	return 0;
}

static int begin_disk(struct cage_run_limits *run, const struct disk_place *place, struct launch_setup *setup, const char **why)
{
	int r = disk_watch_begin(&run->disk, run->limits->disk, place, why);

	if (r < 0)
		return r;
	*why = NULL;
	return limit_files(run, setup);
}

static int watch_disk(struct cage_run_limits *run, bool init, struct supervisor *supervisor)
{
	struct service over = { .ready = end_by_disk, .data = run };
	int r = disk_watch_start(&run->disk, run->guest, init);

	if (r < 0)
		return r;
	supervisor->held = true;
	over.fd = run->disk.told;
	return supervise_add(supervisor, &over);
}

int cage_limits_begin(struct cage_run_limits *run, const struct cage_limits *limits, const struct cell_enforcement *by,
		      const struct disk_place *place, struct launch_setup *setup, const char **why)
{
	static const struct cage_stream none = { .from = FD_NONE, .to = FD_NONE };
	int r = 0;

	*why = NULL;
	*run = (struct cage_run_limits){ .limits = limits,
					 .resources = resources_of(limits),
					 .streams = { none, none },
					 .ends = { FD_NONE, FD_NONE },
					 .enough = FD_NONE };
	run->sampler = (struct cell_sampler){ .id = GROUP_NAME, .search = CELL_BY_PARENT, .limits = &run->resources, .by = by };
	if (limits->disk)
		r = begin_disk(run, place, setup, why);
	if (r == 0)
		r = cell_cgroup_make(GROUP_NAME, &run->resources, by, &run->cgroup);
	if (r == 0)
		setup->cgroup = &run->cgroup;
	return r == 0 && limits->output ? make_pipes(run, setup) : r;
}

int cage_limits_watch(struct cage_run_limits *run, pid_t guest, bool init, struct supervisor *supervisor)
{
	struct service wall = { .fd = FD_NONE, .tick = tick_wall, .data = run };
	struct service time = { .fd = FD_NONE, .tick = tick_cpu_time, .data = run };
	struct service look = { .fd = FD_NONE, .tick = tick_sampler, .data = run };
	int r = 0;

	run->guest = guest;
	if (run->limits->wall) {
		run->deadline = now_ms() + (s64)run->limits->wall;
		r = supervise_add(supervisor, &wall);
	}
	if (r == 0 && run->limits->cpu_time)
		r = supervise_add(supervisor, &time);
	if (r == 0 && cell_sampled(run->sampler.by)) {
		if (run->sampler.by->by[CELL_CPUS] == CELL_SAMPLED)
			supervisor->held = true;
		r = supervise_add(supervisor, &look);
	}
	if (r == 0 && run->limits->disk)
		r = watch_disk(run, init, supervisor);
	return r == 0 ? start_pumps(run) : r;
}

void cage_limits_end(struct cage_run_limits *run)
{
	if (run->enough >= 0 && run->hit) {
		run->patience = now_ms() + PATIENCE_MS;
		(void)eventfd_write(run->enough, 1);
	}
	for (int i = 0; i < 2; i++) {
		close_fd(&run->ends[i]);
		if (run->streams[i].started)
			(void)pthread_join(run->streams[i].thread, NULL);
		close_fd(&run->streams[i].from);
	}
	close_fd(&run->enough);
	run->enough = FD_NONE;
	if (run->limits && run->limits->disk) {
		if (disk_watch_end(&run->disk) && !run->hit)
			run->hit = "disk";
		disk_watch_done(&run->disk);
	}
	free(run->rlimits);
	if (!run->hit && (cell_cgroup_oom_kills(&run->cgroup) || run->sampler.killed_for_memory))
		run->hit = "memory";
	cell_sampler_end(&run->sampler);
	cell_cgroup_remove(&run->cgroup);
}
