// SPDX-License-Identifier: Apache-2.0
/* Control groups enforced from outside: the look at all members, processor time, freezing. */
#include "host/cgroup_enforcer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cgroup_enforcer_int.h"

static s64 now_ms(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (s64)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- members ---------------------------------------------------------------------------------------------------------------------------- */

/* proc_pid_stat(5): state, and what it used so far, which its row takes. False: it is gone, or a zombie. */
static bool look_at(struct cgroup_enforcer *e, pid_t pid, u32 row, struct cgroup_member *ret)
{
	struct cgroup_task *task = &e->state->task[row];
	unsigned long user = 0, system = 0;
	int threads = 1; /* of which the first may have ended alone */
	char path[32], text[512];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	const char *at = strrchr(text, ')');
	*ret = (struct cgroup_member){ .pid = pid, .row = row };
	/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers */
	if (!at || sscanf(at + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %d", &ret->state, &user,
			  &system, &threads) < 3)
		return false;
	task->last_user = user * 1000000 / (unsigned long)sysconf(_SC_CLK_TCK);
	task->last_system = system * 1000000 / (unsigned long)sysconf(_SC_CLK_TCK);
	return (ret->state != 'Z' && ret->state != 'X') || threads > 1;
}

static bool is_in_a_group(const struct cgroup_state *s, u32 row)
{
	for (u32 t = 0; t < CGROUP_TREES_MAX; t++)
		if (s->tree[t].state == CGROUP_READY && s->task[row].place[t])
			return true;
	return false;
}

/* Frees the row of a process that is gone, as members do (gaps/cgroup/cgroup_tasks.c), before a stranger gets its number. Not of one that was making a child,
 * which finds there what groups it is in. */
static void collect(struct cgroup_state *s, u32 row, pid_t pid)
{
	struct cgroup_task *task = &s->task[row];
	s32 from = pid;

	if (kill(pid, 0) == 0 || errno != ESRCH || __atomic_load_n(&task->forking, __ATOMIC_ACQUIRE) ||
	    !__atomic_compare_exchange_n(&s->pid[row], &from, -getpid(), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return;
	cgroup_settle(s, task);
	__atomic_store_n(&s->pid[row], 0, __ATOMIC_RELEASE);
}

static void look_at_members(struct cgroup_enforcer *e)
{
	struct cgroup_state *s = e->state;

	e->member_count = 0;
	for (u32 i = 0; i < CGROUP_TASKS_MAX; i++) {
		pid_t pid = __atomic_load_n(&s->pid[i], __ATOMIC_ACQUIRE);

		if (pid <= 0 || pid == getpid() || !is_in_a_group(s, i))
			continue;
		if (look_at(e, pid, i, &e->members[e->member_count]))
			e->member_count++;
		else
			collect(s, i, pid);
	}
}

bool cgroup_member_in(const struct cgroup_enforcer *e, const struct cgroup_member *member, u32 group)
{
	const struct cgroup_state *s = e->state;

	return cgroup_is_below(s, cgroup_of_task(s, &s->task[member->row], s->group[group].tree % CGROUP_TREES_MAX), group);
}

/* --- telling ------------------------------------------------------------------------------------------------------------------------------ */

int cgroup_path(const struct cgroup_state *s, u32 group, char path[GROUP_PATH_SIZE])
{
	char copy[GROUP_PATH_SIZE];

	path[0] = '\0';
	CGROUP_EACH_UP(s, g, group)
	{
		memcpy(copy, path, sizeof(copy));
		if (snprintf(path, GROUP_PATH_SIZE, "/%.*s%s", (int)CGROUP_NAME_SIZE - 1, s->group[g].name, copy) >=
		    GROUP_PATH_SIZE)
			return -ENAMETOOLONG;
	}
	return 0;
}

/* The path of a group's file. 0 or negative errno. */
static int path_of(const struct cgroup_state *s, u32 group, const char *file, char *path, size_t size)
{
	char below[GROUP_PATH_SIZE];

	if (cgroup_path(s, group, below) < 0)
		return -ENAMETOOLONG;
	if (snprintf(path, size, "%.*s%s/%s", (int)sizeof(s->tree[0].path) - 1,
		     s->tree[s->group[group].tree % CGROUP_TREES_MAX].path, below, file) >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}

void cgroup_tell(const struct cgroup_enforcer *e, u32 group, enum cgroup_told which, const char *text)
{
	static const char *const files[] = { [CGROUP_TOLD_EVENTS] = "cgroup.events",
					     [CGROUP_TOLD_MEMORY] = "memory.events",
					     [CGROUP_TOLD_MEMORY_LOCAL] = "memory.events.local" };
	size_t size = strlen(text);
	char path[1600], has[256];

	if (path_of(e->state, group, files[which], path, sizeof(path)) < 0)
		return;
	CLEANUP_FD int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, has, sizeof(has), 0);
	if (n < 0 || ((size_t)n == size && memcmp(has, text, size) == 0))
		return;
	if (pwrite(fd, text, size, 0) == (ssize_t)size && (size_t)n > size)
		(void)!ftruncate(fd, (off_t)size);
	(void)__atomic_add_fetch(&e->state->group[group].told[which], 1, __ATOMIC_ACQ_REL);
	(void)__atomic_add_fetch(&e->state->changes, 1, __ATOMIC_ACQ_REL);
	(void)syscall(SYS_futex, &e->state->changes, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Whether somebody is in the group or below it; whether all of them are stopped. */
static void look_at_group(const struct cgroup_enforcer *e, u32 group, bool *populated, bool *all_stopped)
{
	*populated = false;
	*all_stopped = true;
	for (u32 i = 0; i < e->member_count; i++)
		if (cgroup_member_in(e, &e->members[i], group)) {
			*populated = true;
			if (e->members[i].state != 'T' && e->members[i].state != 't' && e->members[i].state != 'Z')
				*all_stopped = false;
		}
}

static bool is_frozen(const struct cgroup_state *s, u32 group)
{
	CGROUP_EACH_UP(s, g, group)
	if (s->group[g].set[CGROUP_SET_FREEZE])
		return true;
	return false;
}

static void tell_events(struct cgroup_enforcer *e, u32 group, s64 elapsed)
{
	struct cgroup *g = &e->state->group[group];
	bool populated, all_stopped;
	char text[48];

	look_at_group(e, group, &populated, &all_stopped);
	bool frozen = is_frozen(e->state, group) && all_stopped;
	if (frozen && g->count[CGROUP_COUNT_FROZEN])
		g->count[CGROUP_COUNT_FROZEN_US] += (u64)elapsed * 1000;
	g->count[CGROUP_COUNT_FROZEN] = frozen;
	if (g->tree) {
		cgroup_release(e, group, populated);
		return;
	}
	(void)snprintf(text, sizeof(text), "populated %d\nfrozen %d\n", populated, frozen);
	cgroup_tell(e, group, CGROUP_TOLD_EVENTS, text);
}

/* --- stopping ----------------------------------------------------------------------------------------------------------------------------- */

static void release(struct cgroup_enforcer *e, u32 row)
{
	(void)kill(e->held[row], SIGCONT);
	e->held[row] = 0;
	e->held_count--;
}

/* Whether one of the groups that a process is in is to stand still. */
static bool is_to_stop(const struct cgroup_enforcer *e, const struct cgroup_member *member)
{
	const struct cgroup_state *s = e->state;

	for (u32 t = 0; t < CGROUP_TREES_MAX; t++) {
		if (s->tree[t].state != CGROUP_READY || !s->task[member->row].place[t])
			continue;
		CGROUP_EACH_UP(s, g, cgroup_of_task(s, &s->task[member->row], t))
		if (s->group[g].set[CGROUP_SET_FREEZE] || e->known[g].stopped)
			return true;
	}
	return false;
}

static void stop_and_go(struct cgroup_enforcer *e)
{
	const struct cgroup_state *s = e->state;

	for (u32 i = 0; i < e->member_count; i++) {
		struct cgroup_member *member = &e->members[i];
		bool stop = is_to_stop(e, member), stopped = member->state == 'T' || member->state == 't';

		if (stop && !stopped && kill(member->pid, SIGSTOP) == 0 && e->held[member->row] != member->pid) {
			e->held_count += !e->held[member->row];
			e->held[member->row] = member->pid;
		}
		if (!stop && e->held[member->row] == member->pid)
			release(e, member->row);
	}
	for (u32 i = 0; e->held_count && i < CGROUP_TASKS_MAX; i++) /* who has left all groups, or has ended */
		if (e->held[i] && (s->pid[i] != e->held[i] || !is_in_a_group(s, i)))
			release(e, i);
	e->supervisor->held |= e->held_count != 0;
}

/* --- processor time ------------------------------------------------------------------------------------------------------------------------ */

static u64 used_time(const struct cgroup_enforcer *e, u32 group)
{
	const struct cgroup_state *s = e->state;
	u32 tree = s->group[group].tree % CGROUP_TREES_MAX;
	u64 sum = 0;

	for (u32 i = 0; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++)
		if (s->group[i].state == CGROUP_READY && cgroup_is_below(s, i, group))
			sum += s->group[i].count[CGROUP_COUNT_CPU_USER] + s->group[i].count[CGROUP_COUNT_CPU_SYSTEM];
	for (u32 i = 0; i < CGROUP_TASKS_MAX; i++) /* the dead that nobody has collected, too */
		if (s->pid[i] > 0 && cgroup_is_below(s, cgroup_of_task(s, &s->task[i], tree), group)) {
			const struct cgroup_task *task = &s->task[i];

			sum += task->last_user + task->last_system - task->user[tree] - task->system[tree];
		}
	return sum;
}

static void enforce_cpu(struct cgroup_enforcer *e, u32 group, s64 elapsed)
{
	struct cgroup *g = &e->state->group[group];
	struct cgroup_known *known = &e->known[group];
	u64 quota = g->set[CGROUP_SET_CPU_QUOTA], period = g->set[CGROUP_SET_CPU_PERIOD], used;

	if (known->generation != g->generation || quota == CGROUP_NO_LIMIT || !period) {
		*known = (struct cgroup_known){ .generation = g->generation };
		if (quota == CGROUP_NO_LIMIT || !period)
			return;
	}
	s64 most = 2 * quota > ACCOUNT_US ? (s64)(2 * quota) : ACCOUNT_US;
	used = used_time(e, group);
	if (known->begun) {
		known->account += (s64)((u64)elapsed * 1000 * quota / period);
		known->account -= used > known->used ? (s64)(used - known->used) : 0;
		known->owed += elapsed * 1000;
		g->count[CGROUP_COUNT_CPU_PERIODS] += (u64)known->owed / period;
		if (known->stopped) {
			g->count[CGROUP_COUNT_CPU_THROTTLED] += (u64)known->owed / period;
			g->count[CGROUP_COUNT_CPU_THROTTLED_US] += (u64)elapsed * 1000;
		}
		known->owed %= (s64)period;
	}
	known->begun = true;
	known->used = used;
	if (known->account > most)
		known->account = most;
	known->stopped = known->account < 0;
}

/* --- the look ------------------------------------------------------------------------------------------------------------------------------ */

static void look(struct cgroup_enforcer *e, s64 now)
{
	struct cgroup_state *s = e->state;
	s64 elapsed = e->last ? now - e->last : 0;

	look_at_members(e);
	cgroup_events_look(e); /* of what is used, not of what is left when somebody has been killed for it */
	cgroup_cpu_look(e);
	for (u32 i = 1; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++) {
		if (__atomic_load_n(&s->group[i].state, __ATOMIC_ACQUIRE) != CGROUP_READY || s->group[i].parent == i) {
			e->known[i].stopped = false;
			continue;
		}
		cgroup_enforce_memory(e, i);
		enforce_cpu(e, i, elapsed);
	}
	stop_and_go(e);
	for (u32 i = 1; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++)
		if (__atomic_load_n(&s->group[i].state, __ATOMIC_ACQUIRE) == CGROUP_READY && s->group[i].parent != i)
			tell_events(e, i, elapsed);
}

static int tick(void *data)
{
	struct cgroup_enforcer *e = data;
	s64 now = now_ms(), took;

	if (now < e->next)
		return (int)(e->next - now);
	if (e->state->groups_used <= 1) {
		e->next = now + IDLE_MS;
		return IDLE_MS;
	}
	look(e, now);
	e->last = now;
	took = now_ms() - now;
	e->next = now + (took * LOOK_SHARE > LOOK_MS ? took * LOOK_SHARE : LOOK_MS);
	return (int)(e->next - now - took);
}

/* --- beginning and end ------------------------------------------------------------------------------------------------------------------------ */

struct cgroup_enforcer *cgroup_enforcer_new(struct cgroup_state *state, struct supervisor *supervisor, const struct aside *aside)
{
	struct cgroup_enforcer *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->state = state;
	e->supervisor = supervisor;
	e->aside = aside;
	e->members = calloc(CGROUP_TASKS_MAX, sizeof(*e->members));
	if (e->members)
		return e;
	free(e);
	return NULL;
}

void cgroup_enforcer_free(struct cgroup_enforcer *e)
{
	if (!e)
		return;
	for (u32 i = 0; e->held_count && i < CGROUP_TASKS_MAX; i++)
		if (e->held[i])
			release(e, i);
	cgroup_events_free(e);
	free(e->members);
	free(e->cpu);
	free(e);
}

struct service cgroup_enforcer_service(struct cgroup_enforcer *e)
{
	return (struct service){ .fd = FD_NONE, .tick = tick, .data = e };
}
