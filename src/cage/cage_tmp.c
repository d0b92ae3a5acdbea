// SPDX-License-Identifier: Apache-2.0
/* A run's own temporary directory, and /dev/shm: see the header. */
#include "cage/cage_tmp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Lets what is written somewhere be executed as well? */
static bool lets_execute_written(const struct cage_policy *policy)
{
	for (size_t i = 0; i < policy->files.write.count; i++) {
		const char *real = policy->files.write.path[i].real;

		if (real && cage_policy_allows(policy, CAGE_EXECUTE, real, NULL, NULL))
			return true;
	}
	return false;
}

static int add_rule(struct cage_paths *paths, const char *path, const char *real)
{
	struct cage_path rule = { .written = "files.tmp", .path = strdup(path), .real = strdup(real) };
	struct cage_path *more = reallocarray(paths->path, paths->count + 1, sizeof(*more));

	if (more)
		paths->path = more;
	if (!more || !rule.path || !rule.real) {
		free(rule.path);
		free(rule.real);
		return -ENOMEM;
	}
	more[paths->count++] = rule;
	return 0;
}

/* What the policy itself sets goes before. */
static int add_variable(struct cage_policy *policy, const char *path)
{
	struct cage_variable *more;

	for (size_t i = 0; i < policy->environment.set_count; i++)
		if (strcmp(policy->environment.set[i].name, "TMPDIR") == 0)
			return 0;
	more = reallocarray(policy->environment.set, policy->environment.set_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	policy->environment.set = more;
	more[policy->environment.set_count++] = (struct cage_variable){ "TMPDIR", path };
	return 0;
}

/* By descriptors: who may write where it lies, another guest maybe, could put a link to somewhere else in its place. */
static int make(const struct cage_policy *policy, struct cage_tmp *tmp)
{
	int r = mount_scratch_make_on_disk(&tmp->scratch);
	char link[64];
	ssize_t n;

	if (r < 0)
		return r;
	if (mkdirat(tmp->scratch.lock, "tmp", 0700) < 0)
		return -errno;
	CLEANUP_FD int fd = openat(tmp->scratch.lock, "tmp", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (policy->processes.user_given && fchown(fd, policy->processes.uid, policy->processes.gid) < 0))
		return -errno;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, tmp->path, sizeof(tmp->path) - 1);
	if (n <= 0 || tmp->path[0] != '/' || (size_t)n == sizeof(tmp->path) - 1)
		return n < 0 ? -errno : -ENAMETOOLONG;
	tmp->path[n] = 0;
	return 0;
}

int cage_tmp_begin(struct cage_policy *policy, struct cage_tmp *ret)
{
	bool executes;
	int r;

	*ret = CAGE_TMP_NONE;
	if (!policy->files.tmp)
		return 0;
	executes = lets_execute_written(policy); /* before it is one of them itself */
	r = make(policy, ret);
	if (r == 0)
		r = add_rule(&policy->files.write, ret->path, ret->path);
	if (r == 0 && executes)
		r = add_rule(&policy->files.execute, ret->path, ret->path);
	return r == 0 ? add_variable(policy, ret->path) : r;
}

/* --- /dev/shm ----------------------------------------------------------------------------------------------------------------------------------- */

static bool says_something(const struct cage_paths *rules, const char *place)
{
	for (size_t i = 0; i < rules->count; i++)
		if (policy_within(CAGE_SHM, rules->path[i].path) ||
		    (rules->path[i].real && policy_within(place, rules->path[i].real)))
			return true;
	return false;
}

/* Whether the policy has rules for the machine's, or lets it be written, or denies it. */
static bool means_machines(const struct cage_policy *policy, const char *place)
{
	const struct cage_paths *const lists[] = { &policy->files.read, &policy->files.execute, &policy->files.write,
						   &policy->files.deny, &policy->network.sockets };
	const struct cage_path *rule;
	const char *list = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (says_something(lists[i], place))
			return true;
	return cage_policy_allows(policy, CAGE_WRITE, place, &rule, &list) || (list && strcmp(list, "files.deny") == 0);
}

static u64 size_of(const struct cage_limits *limits, const char *place)
{
	u64 page = (u64)sysconf(_SC_PAGESIZE), size = limits->memory / 2;
	struct statfs fs;
	struct sysinfo machine;

	if (!size)
		size = sysinfo(&machine) == 0 ? (u64)machine.totalram * machine.mem_unit / 2 : CAGE_LIMIT_MEMORY;
	if (statfs(place, &fs) == 0 && fs.f_type == TMPFS_MAGIC && fs.f_blocks && fs.f_blocks < size / (u64)fs.f_bsize)
		size = fs.f_blocks * (u64)fs.f_bsize;
	if (limits->disk && limits->disk < size)
		size = limits->disk;
	return size < page ? page : size / page * page;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool cage_tmp_has_shm(const struct cage_host *host)
{
	return host->view || (host->mounts && is_directory(CAGE_SHM));
}

int cage_tmp_shm(struct cage_policy *policy, const struct cage_host *host, struct cage_shm *ret)
{
	CLEANUP_FREE char *real = realpath(CAGE_SHM, NULL);
	const char *place = real ? real : CAGE_SHM;

	*ret = (struct cage_shm){ .size = 0 };
	if (!policy->files.tmp || !cage_tmp_has_shm(host) || means_machines(policy, place))
		return 0;
	if (real ? !is_directory(real)
		 : cage_policy_allows(policy, CAGE_READ, place, NULL, NULL)) /* no place for it can be made there */
		return 0;
	(void)snprintf(ret->path, sizeof(ret->path), "%s", place);
	ret->size = size_of(&policy->limits, place);
	return add_rule(&policy->files.write, CAGE_SHM, place);
}

/* --- its end ------------------------------------------------------------------------------------------------------------------------------------ */

static void *sweep(void *data)
{
	mount_scratch_sweep_disk();
	return data;
}

void cage_tmp_sweep(struct cage_tmp *tmp)
{
	sigset_t all, before;

	if (!*tmp->path)
		return;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	tmp->sweeps = pthread_create(&tmp->sweeper, NULL, sweep, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void cage_tmp_end(struct cage_tmp *tmp)
{
	if (tmp->sweeps)
		(void)pthread_join(tmp->sweeper, NULL);
	tmp->sweeps = false;
	mount_scratch_end(&tmp->scratch);
}
