/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process is in which groups. A row is entered for a child by its parent and by the child itself, whichever comes first: both know the number of
 * the birth, which tells the row from one that a dead process of the same pid left. Rows are taken by compare-and-swap, without the lock: a fork
 * costs no system call here.
 *
 * Limits: threads are in the group of their process. Time that a process used after it was last looked at is lost to its group when it is killed.
 */
#include "gaps/cgroup/cgroup_int.h"

#define TRIES 1000u
#define RECOUNTS 16u

static bool is_there(s32 pid)
{
	return sys2(__NR_kill, pid, 0) != -ESRCH;
}

/* --- rows ------------------------------------------------------------------------------------------------------------------------------------- */

static s32 find(s32 pid)
{
	struct cgroup_state *s = cg();

	for (u32 i = 0; i < CGROUP_PROBES; i++)
		if (__atomic_load_n(&s->pid[cgroup_place(pid, i)], __ATOMIC_ACQUIRE) == pid)
			return (s32)cgroup_place(pid, i);
	return -1;
}

struct cgroup_task *cg_task(s32 pid)
{
	s32 row = find(pid);

	return row < 0 ? NULL : &cg()->task[row];
}

/* Takes the row from whom it has (0: nobody), for the calling thread. */
static bool take(u32 row, s32 from)
{
	return __atomic_compare_exchange_n(&cg()->pid[row], &from, -(s32)sys0(__NR_gettid), false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

/* Frees the row of a process that is gone. */
static void collect(u32 row, s32 pid)
{
	struct cgroup_state *s = cg();

	if (!take(row, pid))
		return;
	cgroup_settle(s, &s->task[row]);
	__atomic_store_n(&s->pid[row], 0, __ATOMIC_RELEASE);
}

/* A free row where that of a pid may be: its number, -1: there is none; -2: somebody is just taking one. */
static s32 find_free(s32 pid)
{
	struct cgroup_state *s = cg();
	s32 best = -1;

	for (u32 i = 0; i < CGROUP_PROBES; i++) {
		u32 row = cgroup_place(pid, i);
		s32 has = __atomic_load_n(&s->pid[row], __ATOMIC_ACQUIRE);

		if (has == 0 && best < 0)
			best = (s32)row;
		if (has < 0) {
			if (is_there(-has))
				return -2;
			(void)__atomic_compare_exchange_n(&s->pid[row], &has, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
		}
	}
	for (u32 i = 0; i < CGROUP_PROBES && best < 0; i++) {
		u32 row = cgroup_place(pid, i);
		s32 has = __atomic_load_n(&s->pid[row], __ATOMIC_ACQUIRE);

		if (has > 0 && !is_there(has)) {
			collect(row, has);
			best = (s32)row;
		}
	}
	return best;
}

/* Enters a process: like `model` (NULL: in the roots). */
static struct cgroup_task *enter(s32 pid, const struct cgroup_task *model, bool *ret_new)
{
	struct cgroup_state *s = cg();

	*ret_new = false;
	for (u32 i = 0; i < TRIES; i++) {
		s32 row = find(pid), again;

		if (row >= 0)
			return &s->task[row];
		row = find_free(pid);
		if (row == -1)
			return NULL;
		if (row == -2 || !take((u32)row, 0)) {
			(void)sys0(__NR_sched_yield);
			continue;
		}
		again = find(pid);
		if (again >= 0) { /* whoever knows of it, too, was faster, and took another row */
			__atomic_store_n(&s->pid[row], 0, __ATOMIC_RELEASE);
			return &s->task[again];
		}
		memset(&s->task[row], 0, sizeof(s->task[row]));
		if (model)
			memcpy(s->task[row].place, model->place, sizeof(model->place));
		__atomic_store_n(&s->pid[row], pid, __ATOMIC_RELEASE);
		*ret_new = true;
		return &s->task[row];
	}
	return NULL;
}

struct cgroup_task *cg_task_enter(s32 pid)
{
	bool new;

	return enter(pid, NULL, &new);
}

s32 cg_task_living(u32 i)
{
	s32 pid = __atomic_load_n(&cg()->pid[i], __ATOMIC_ACQUIRE);

	if (pid <= 0)
		return 0;
	if (is_there(pid))
		return pid;
	collect(i, pid);
	return 0;
}

void cg_task_move(struct cgroup_task *task, s32 pid, u32 group)
{
	struct cgroup_state *s = cg();
	const struct cgroup *to = cg_group(group);
	struct cgroup *from = cg_group(cgroup_of_task(s, task, to->tree));
	struct cgroup_usage usage;

	if (cg_usage(pid, &usage) == 0) {
		u64 user = task->user[to->tree], system = task->system[to->tree];

		task->last_user = usage.user;
		task->last_system = usage.system;
		if (usage.user > user)
			(void)__atomic_fetch_add(&from->count[CGROUP_COUNT_CPU_USER], usage.user - user, __ATOMIC_RELAXED);
		if (usage.system > system)
			(void)__atomic_fetch_add(&from->count[CGROUP_COUNT_CPU_SYSTEM], usage.system - system, __ATOMIC_RELAXED);
		task->user[to->tree] = usage.user;
		task->system[to->tree] = usage.system;
	}
	__atomic_store_n(&task->place[to->tree], cg_is_root(group) ? 0 : group | to->generation << 16, __ATOMIC_RELEASE);
	__atomic_store_n(&s->tasks_used, 1, __ATOMIC_RELEASE);
	__atomic_store_n(&cg_group(group)->count[CGROUP_COUNT_RELEASABLE], 1, __ATOMIC_RELEASE); /* now that it can be seen there */
}

/* Whether the init of its pid namespace, or of one above, has ended: the kernel kills its members before anybody hears of that (pid_namespaces(7)),
 * lichen a moment later. */
static bool outlives_init(s32 pid)
{
	const struct view_state *state = views();
	long space = view_pid_space_of(pid);

	for (u32 i = 0; i < PID_LEVELS_MAX && space > 0 && space < PID_SPACES_MAX; i++) {
		const struct pid_space *at = &state->pid_space[space];
		s32 init = __atomic_load_n(&at->init, __ATOMIC_ACQUIRE);
		struct cgroup_usage usage;

		if (__atomic_load_n(&at->dead, __ATOMIC_ACQUIRE))
			return true;
		if (init && init != pid && (cg_usage(init, &usage) < 0 || cg_has_ended(&usage)))
			return true;
		space = at->parent;
	}
	return false;
}

enum cg_tasks cg_tasks_of(u32 group, bool all)
{
	struct cgroup_state *s = cg();
	enum cg_tasks found = CG_TASKS_NONE;

	for (u32 i = 0; i < CGROUP_TASKS_MAX; i++) {
		struct cgroup_usage usage;
		u32 in;

		if (s->pid[i] <= 0)
			continue;
		in = cgroup_of_task(s, &s->task[i], cg_group(group)->tree);
		if (in != group && !(all && cgroup_is_below(s, in, group)))
			continue;
		if (cg_usage(s->pid[i], &usage) < 0 || cg_has_ended(&usage))
			continue;
		if (!outlives_init(s->pid[i]))
			return CG_TASKS_LIVE;
		found = CG_TASKS_ENDING;
	}
	return found;
}

/* --- limits of pids ---------------------------------------------------------------------------------------------------------------------------- */

u64 cg_count_pids(u32 group)
{
	struct cgroup_state *s = cg();
	u64 n = 0;

	for (u32 i = 0; i < CGROUP_TASKS_MAX; i++) {
		struct cgroup_usage usage;
		s32 pid = s->pid[i];

		if (pid <= 0 || !cgroup_is_below(s, cgroup_of_task(s, &s->task[i], cg_group(group)->tree), group))
			continue;
		if (cg_usage(pid, &usage) == 0)
			n += usage.threads + __atomic_load_n(&s->task[i].forking, __ATOMIC_ACQUIRE);
		else
			(void)cg_task_living(i);
	}
	return n;
}

static u32 pids_tree(void)
{
	const struct cgroup_state *s = cg();

	for (u32 t = 1; t < CGROUP_TREES_MAX; t++)
		if (s->tree[t].state == CGROUP_READY && (s->tree[t].controllers & 1u << CGROUP_PIDS))
			return t;
	return 0;
}

static void raise(u64 *peak, u64 n)
{
	u64 old = __atomic_load_n(peak, __ATOMIC_RELAXED);

	while (old < n && !__atomic_compare_exchange_n(peak, &old, n, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* Charges one task to a group: whether that is within its limit. The count is never too small, so that as long as it is below the limit nothing
 * needs to be looked at. */
static bool charge(u32 group)
{
	struct cgroup *g = cg_group(group);
	u64 max = __atomic_load_n(&g->set[CGROUP_SET_PIDS_MAX], __ATOMIC_ACQUIRE), n;

	n = __atomic_add_fetch(&g->count[CGROUP_COUNT_PIDS], 1, __ATOMIC_ACQ_REL);
	for (u32 i = 0; n > max && i < RECOUNTS; i++) {
		u64 seen = n;

		n = cg_count_pids(group); /* the caller's `forking` has the new one in it */
		(void)__atomic_compare_exchange_n(&g->count[CGROUP_COUNT_PIDS], &seen, n, false, __ATOMIC_ACQ_REL,
						  __ATOMIC_RELAXED);
		if (n > max)
			(void)sys0(__NR_sched_yield); /* one that is being made may be counted twice for a moment */
	}
	if (max != CGROUP_NO_LIMIT && n <= max)
		raise(&g->count[CGROUP_COUNT_PIDS_PEAK], n);
	return n <= max;
}

static void uncharge(u32 group, u32 until)
{
	for (u32 g = group; g != until && !cg_is_root(g); g = cg_group(g)->parent)
		(void)__atomic_fetch_sub(&cg_group(g)->count[CGROUP_COUNT_PIDS], 1, __ATOMIC_ACQ_REL);
}

static bool has_pids(u32 group)
{
	return !cg_is_root(group) && (cg_group(group)->given & 1u << CGROUP_PIDS);
}

static void born(struct cgroup_task *parent)
{
	u32 n = __atomic_load_n(&parent->forking, __ATOMIC_ACQUIRE);

	while (n && !__atomic_compare_exchange_n(&parent->forking, &n, n - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		;
}

/* A fork was refused for a group's limit. */
static void tell_pids_events(u32 group)
{
	if (cg_group(group)->tree) {
		cg_refresh(group, CG_V1_PIDS_EVENTS);
		return;
	}
	cg_refresh(group, CG_PIDS_EVENTS_LOCAL);
	for (u32 g = group; has_pids(g); g = cg_group(g)->parent)
		cg_refresh(g, CG_PIDS_EVENTS);
}

long cgroup_fork_begin(bool process, u64 *ret_birth)
{
	struct cgroup_state *s = cg();
	s32 pid = agent_caller_pid();
	struct cgroup_task *task = cg_task(pid);
	u32 group;

	if (!task)
		return 0;
	(void)__atomic_add_fetch(&task->forking, 1, __ATOMIC_ACQ_REL);
	if (process)
		*ret_birth = (u64)(u32)pid << 32 | (__atomic_add_fetch(&task->births, 1, __ATOMIC_ACQ_REL) & 0x7fffffff) | 1u << 31;
	if (!__atomic_load_n(&s->limited, __ATOMIC_ACQUIRE))
		return 0;
	group = cgroup_of_task(s, task, pids_tree());
	for (u32 g = group; has_pids(g); g = cg_group(g)->parent) {
		if (charge(g))
			continue;
		(void)__atomic_fetch_add(&cg_group(g)->count[CGROUP_COUNT_PIDS_EVENTS], 1, __ATOMIC_RELAXED);
		tell_pids_events(g);
		uncharge(group, cg_group(g)->parent);
		born(task);
		return -EAGAIN;
	}
	return 0;
}

void cgroup_fork_end(s32 child, u64 birth)
{
	s32 pid = (s32)(birth >> 32);
	struct cgroup_task *parent = cg_task(pid ? pid : agent_caller_pid()), *task;
	u64 before = 0;
	bool new;

	if (!parent)
		return;
	if (!birth || child < 0) {
		born(parent);
		return;
	}
	task = enter(child, parent, &new);
	if (!task) {
		born(parent);
		return;
	}
	if (__atomic_compare_exchange_n(&task->birth, &before, birth, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		born(parent);
	} else if (before != birth) { /* a dead one's */
		cgroup_settle(cg(), task);
		memset(task->user, 0, offsetof(struct cgroup_task, last_system) + 8 - offsetof(struct cgroup_task, user));
		memcpy(task->place, parent->place, sizeof(task->place));
		task->forking = 0;
		__atomic_store_n(&task->birth, birth, __ATOMIC_RELEASE);
		born(parent);
	}
}
