/* SPDX-License-Identifier: Apache-2.0 */
/* cgroups(7), v1 (Documentation/admin-guide/cgroup-v1) and v2 (cgroup-v2.rst). */
#include "host/cell_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cgroup_own.h"

#define OURS "lichen"
#define PERIOD_US 100000
#define MAKE_TRIES 10
#define REMOVE_STEPS 500
#define REMOVE_STEP_NS 2000000
#define PROBE_LIMIT ((size_t)8 << 20)
#define PROBE_USE ((size_t)32 << 20)
#define PROBE_CPU_MS 120
#define PROBE_PERIOD_US 10000

static const char *const controllers[CELL_RESOURCES] = { [CELL_MEMORY] = "memory", [CELL_CPUS] = "cpu", [CELL_PIDS] = "pids" };

/* --- where ------------------------------------------------------------------------------------------------------------------------------ */

static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ','))
		if (strcspn(list, ",") == length && strncmp(list, word, length) == 0)
			return true;
	return false;
}

/* Where a hierarchy is mounted: proc(5), mountinfo. *root: which of its cgroups the mount point is. */
static bool mount_of(const char *controller, char point[PATH_MAX], char root[PATH_MAX])
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[3 * PATH_MAX], type[64], options[512], at[PATH_MAX], from[PATH_MAX];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *rest = strstr(line, " - ");

		if (!rest || sscanf(line, "%*d %*d %*s %4095s %4095s", from, at) != 2 ||
		    sscanf(rest, " - %63s %*s %511s", type, options) != 2)
			continue;
		found = *controller ? strcmp(type, "cgroup") == 0 && has_word(options, controller) : strcmp(type, "cgroup2") == 0;
	}
	if (file)
		(void)fclose(file);
	if (found) {
		memcpy(point, at, sizeof(at));
		memcpy(root, from, sizeof(from));
	}
	return found;
}

/* The directory of our own cgroup. hierarchy: a controller's name, "" = v2. False: it cannot be reached. */
static bool own_directory(const char *hierarchy, char dir[PATH_MAX])
{
	char own[PATH_MAX], point[PATH_MAX], root[PATH_MAX];
	size_t cut;

	if (!cgroup_own_path(hierarchy, own) || !mount_of(hierarchy, point, root))
		return false;
	cut = strcmp(root, "/") != 0 ? strlen(root) : 0;
	if (strncmp(own, root, cut) != 0) /* a cgroup namespace, or one above the mount */
		cut = strlen(own);
	return snprintf(dir, PATH_MAX, "%s%s", point, strcmp(own + cut, "/") != 0 ? own + cut : "") < PATH_MAX - 256;
}

static int write_file(const char *dir, const char *name, const char *text)
{
	char path[PATH_MAX + 64];
	CLEANUP_FD int fd = FD_NONE;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

static int write_number(const char *dir, const char *name, s64 number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%lld", (long long)number);
	return write_file(dir, name, text);
}

/* Whether v2 has the controller for cgroups below `dir`; switched on if need be. */
static int enable(const char *dir, const char *controller)
{
	char path[PATH_MAX + 64], text[512], word[32];
	CLEANUP_FD int fd = FD_NONE;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	for (char *at = text; *at; at++)
		if (*at == ' ' || *at == '\n')
			*at = ',';
	if (has_word(text, controller))
		return 0;
	(void)snprintf(word, sizeof(word), "+%s", controller);
	return write_file(dir, "cgroup.subtree_control", word); /* EBUSY: processes are in it, and it is not the root */
}

/* Ours, for cells below it, made if need be: `path`. *v2: which kind. 0 or negative errno. */
static int ours(enum cell_resource resource, char path[PATH_MAX], bool *v2)
{
	const char *controller = controllers[resource] ? controllers[resource] : "";
	char own[PATH_MAX];
	int r;

	*v2 = !own_directory(controller, own);
	if (*v2 && !own_directory("", own))
		return -ENOENT;
	if (snprintf(path, PATH_MAX, "%s/" OURS, own) >= PATH_MAX)
		return -ENAMETOOLONG;
	r = *v2 ? enable(own, controller) : 0;
	if (r < 0)
		return r;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return -errno;
	return *v2 ? enable(path, controller) : 0;
}

/* Cells whose monitor is gone. Those that are not empty stay. */
static void clear_stale(const char *dir)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;

	while (stream && (entry = readdir(stream))) {
		const char *dot = strchr(entry->d_name, '.');
		long pid = dot ? strtol(dot + 1, NULL, 10) : 0;

		if (pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
			(void)unlinkat(dirfd(stream), entry->d_name, AT_REMOVEDIR);
	}
	if (stream)
		(void)closedir(stream);
}

static int make(enum cell_resource resource, const char *name, char path[PATH_MAX], bool *v2)
{
	char dir[PATH_MAX];
	int r = 0;

	for (int i = 0; i < MAKE_TRIES; i++) { /* another lichen may just remove ours, which is empty */
		r = ours(resource, dir, v2);
		if (r < 0)
			return r;
		clear_stale(dir);
		if (snprintf(path, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
			return -ENAMETOOLONG;
		if (mkdir(path, 0755) == 0 || errno == EEXIST)
			return 0;
		r = -errno;
		if (r != -ENOENT)
			break;
	}
	return r;
}

/* --- what ------------------------------------------------------------------------------------------------------------------------------- */

static bool is_v2(const char *path)
{
	char text[PATH_MAX + 64];

	(void)snprintf(text, sizeof(text), "%s/cgroup.controllers", path);
	return access(text, F_OK) == 0;
}

/* v1: the limit of both must never be below that of memory. Where swap is not accounted, memory alone is limited, as docker has it. */
static int set_memory(const char *path, const struct cell_resources *resources)
{
	s64 memory = resources->memory ? (s64)resources->memory : -1;
	s64 both = resources->memory_swap ? resources->memory_swap : memory > 0 ? 2 * memory : -1;
	int r;

	if (is_v2(path)) {
		r = memory < 0 ? write_file(path, "memory.max", "max") : write_number(path, "memory.max", memory);
		if (r == 0)
			(void)(both < 0 ? write_file(path, "memory.swap.max", "max")
					: write_number(path, "memory.swap.max", both - memory));
		return r;
	}
	(void)write_number(path, "memory.memsw.limit_in_bytes", -1);
	r = write_number(path, "memory.limit_in_bytes", memory);
	if (r == 0)
		(void)write_number(path, "memory.memsw.limit_in_bytes", both);
	return r;
}

static int set_cpus(const char *path, u32 cpus, int period_us)
{
	s64 quota = (s64)cpus * period_us / 1000;
	char text[64];

	if (is_v2(path)) {
		if (cpus)
			(void)snprintf(text, sizeof(text), "%lld %d", (long long)quota, period_us);
		return write_file(path, "cpu.max", cpus ? text : "max");
	}
	(void)write_number(path, "cpu.cfs_period_us", period_us);
	return write_number(path, "cpu.cfs_quota_us", cpus ? quota : -1);
}

static int set_one(enum cell_resource resource, const char *path, const struct cell_resources *resources)
{
	switch (resource) {
	case CELL_MEMORY:
		return set_memory(path, resources);
	case CELL_CPUS:
		return set_cpus(path, resources->cpus, PERIOD_US);
	case CELL_PIDS:
		return resources->pids ? write_number(path, "pids.max", resources->pids) : write_file(path, "pids.max", "max");
	default:
		return -EINVAL;
	}
}

static int enter(const char *path)
{
	return write_file(path, "cgroup.procs", "0");
}

static void remove_one(const char *path)
{
	char dir[PATH_MAX];
	static const struct timespec step = { 0, REMOVE_STEP_NS };

	for (int i = 0; i < REMOVE_STEPS && rmdir(path) < 0 && errno == EBUSY; i++)
		(void)nanosleep(&step, NULL); /* the last of them are being reaped */
	if (snprintf(dir, sizeof(dir), "%s", path) < PATH_MAX && strrchr(dir, '/')) {
		*strrchr(dir, '/') = '\0';
		(void)rmdir(dir); /* the last one; else it is not empty */
	}
}

/* --- does it work ----------------------------------------------------------------------------------------------------------------------- */

static s64 clock_ms(clockid_t clock)
{
	struct timespec time;

	(void)clock_gettime(clock, &time);
	return (s64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* The number behind a key, in a file of keys and numbers. */
static u64 read_key(const char *dir, const char *file, const char *key)
{
	char path[PATH_MAX + 64], name[64];
	unsigned long long value, found = 0;
	FILE *stream;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	stream = fopen(path, "re");
	while (stream && fscanf(stream, "%63s %llu", name, &value) == 2)
		if (strcmp(name, key) == 0)
			found = value;
	if (stream)
		(void)fclose(stream);
	return found;
}

/* Uses a processor until the kernel says that it has taken it away, which gVisor never does; or, where it does not tell, is seen to have. */
static bool is_throttled(const char *path)
{
	for (s64 end = clock_ms(CLOCK_MONOTONIC) + PROBE_CPU_MS, next = 0; clock_ms(CLOCK_MONOTONIC) < end;) {
		if (clock_ms(CLOCK_MONOTONIC) < next)
			continue;
		if (read_key(path, "cpu.stat", "nr_throttled"))
			return true;
		next = clock_ms(CLOCK_MONOTONIC) + 1;
	}
	return clock_ms(CLOCK_PROCESS_CPUTIME_ID) <= PROBE_CPU_MS / 2;
}

/* In a scratch child: what the limit does not let happen. Its status is 0 when the limit was seen, unless it was killed. */
static NORETURN void try_limit(enum cell_resource resource, const char *path)
{
	volatile char *memory;
	pid_t pid;

	if (enter(path) < 0)
		_exit(2);
	switch (resource) {
	case CELL_MEMORY:
		memory = mmap(NULL, PROBE_USE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		for (size_t at = 0; memory != MAP_FAILED && at < PROBE_USE; at += 4096)
			memory[at] = 1;
		_exit(1);
	case CELL_CPUS:
		_exit(!is_throttled(path));
	default:
		pid = fork();
		if (pid == 0)
			_exit(0);
		_exit(pid > 0);
	}
}

int cell_cgroup_probe(enum cell_resource resource, char why[128])
{
	/* a tenth of a processor, a single process */
	const struct cell_resources small = { .memory = PROBE_LIMIT, .memory_swap = PROBE_LIMIT, .cpus = 100, .pids = 1 };
	char name[32], path[PATH_MAX];
	int status = 0, r;
	pid_t pid;
	bool v2;

	(void)snprintf(name, sizeof(name), "probe%d.%d", (int)resource, getpid());
	r = make(resource, name, path, &v2);
	if (r == 0)
		r = resource == CELL_CPUS ? set_cpus(path, small.cpus, PROBE_PERIOD_US) : set_one(resource, path, &small);
	if (r < 0) {
		(void)snprintf(why, 128, "no cgroup of %s can be made here (%s)", controllers[resource], strerrorname_np(-r));
		return r;
	}
	pid = fork();
	if (pid == 0)
		try_limit(resource, path);
	r = pid < 0 ? -errno : waitpid(pid, &status, 0) < 0 ? -errno : 0;
	remove_one(path);
	if (r == 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0)
		r = -EOPNOTSUPP;
	if (r < 0)
		(void)snprintf(why, 128, "cgroups of %s do not limit anything here", controllers[resource]);
	return r;
}

/* --- a cell's --------------------------------------------------------------------------------------------------------------------------- */

int cell_cgroup_make(const char *id, const struct cell_resources *resources, const struct cell_enforcement *by,
		     struct cell_cgroup *ret)
{
	char name[64];
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	(void)snprintf(name, sizeof(name), "%s.%d", id, getpid());
	for (enum cell_resource i = 0; i < CELL_RESOURCES && r == 0; i++) {
		bool v2;

		if (by->by[i] != CELL_BY_CGROUP)
			continue;
		r = make(i, name, ret->path[i], &v2);
		if (r == 0)
			r = set_one(i, ret->path[i], resources);
	}
	if (r < 0)
		cell_cgroup_remove(ret);
	return r;
}

int cell_cgroup_set(const struct cell_cgroup *cgroup, const struct cell_resources *resources)
{
	int r = 0;

	for (enum cell_resource i = 0; i < CELL_RESOURCES && r == 0; i++)
		if (cgroup->path[i][0])
			r = set_one(i, cgroup->path[i], resources);
	return r;
}

int cell_cgroup_enter(const struct cell_cgroup *cgroup, const char *cpuset)
{
	int r = cell_cpuset_choose(cpuset);

	for (enum cell_resource i = 0; cgroup && i < CELL_RESOURCES && r == 0; i++)
		if (cgroup->path[i][0])
			r = enter(cgroup->path[i]);
	return r;
}

int cell_cgroup_save(const struct cell_cgroup *cgroup, int dir)
{
	CLEANUP_FD int fd = openat(dir, "cgroup", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++) {
		char line[PATH_MAX + 1];
		int length = snprintf(line, sizeof(line), "%s\n", cgroup->path[i]);

		if (write(fd, line, (size_t)length) != length)
			return -EIO;
	}
	return 0;
}

void cell_cgroup_load(int dir, struct cell_cgroup *ret)
{
	int fd = openat(dir, "cgroup", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");

	memset(ret, 0, sizeof(*ret));
	if (!file)
		close_fd(&fd);
	for (enum cell_resource i = 0; file && i < CELL_RESOURCES && fgets(ret->path[i], PATH_MAX, file); i++)
		ret->path[i][strcspn(ret->path[i], "\n")] = '\0';
	if (file)
		(void)fclose(file);
}

u64 cell_cgroup_oom_kills(const struct cell_cgroup *cgroup)
{
	const char *dir = cgroup->path[CELL_MEMORY];

	return *dir ? read_key(dir, is_v2(dir) ? "memory.events" : "memory.oom_control", "oom_kill") : 0;
}

void cell_cgroup_remove(const struct cell_cgroup *cgroup)
{
	for (enum cell_resource i = 0; i < CELL_RESOURCES; i++)
		if (cgroup->path[i][0])
			remove_one(cgroup->path[i]);
}
