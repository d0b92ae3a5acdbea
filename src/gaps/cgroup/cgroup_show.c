/* SPDX-License-Identifier: Apache-2.0 */
/* What files of a group tell that is not text of their own: made of what /proc says of the members at that moment. */
#include "base/decimal.h"
#include "gaps/cgroup/cgroup_int.h"

void cg_say(struct cg_text *out, const char *text)
{
	for (; *text; text++, out->used++)
		if (out->used < out->size)
			out->to[out->used] = *text;
}

void cg_say_number(struct cg_text *out, u64 number)
{
	char digits[DECIMAL_MAX + 1];

	digits[decimal_put(digits, number)] = 0;
	cg_say(out, digits);
}

void cg_say_row(struct cg_text *out, const char *word, u64 number)
{
	cg_say(out, word);
	cg_say(out, " ");
	cg_say_number(out, number);
	cg_say(out, "\n");
}

void cg_say_controllers(struct cg_text *out, u32 controllers, bool v1)
{
	bool any = false;

	for (u32 i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (!(controllers & 1u << i))
			continue;
		cg_say(out, any ? " " : "");
		cg_say(out, cg_controller_name(i, v1));
		any = true;
	}
	cg_say(out, any ? "\n" : "");
}

/* --- members ----------------------------------------------------------------------------------------------------------------------------- */

/* The next living process of a group (all: or below it), from row *at on; 0: there is none. */
static s32 next_member(u32 group, bool all, u32 *at, struct cgroup_usage *usage)
{
	struct cgroup_state *s = cg();

	for (; *at < CGROUP_TASKS_MAX; (*at)++) {
		s32 pid = s->pid[*at];
		u32 in;

		if (pid <= 0)
			continue;
		in = cgroup_of_task(s, &s->task[*at], cg_group(group)->tree);
		if (in != group && !(all && cgroup_is_below(s, in, group)))
			continue;
		if (cg_usage(pid, usage) < 0) {
			(void)cg_task_living(*at);
			continue;
		}
		s->task[*at].last_user = usage->user;
		s->task[*at].last_system = usage->system;
		(*at)++;
		return pid;
	}
	return 0;
}

static void say_pid(struct cg_text *out, s32 pid)
{
	cg_say_number(out, (u32)(pids_on() ? pids_to_guest(pid) : pid));
	cg_say(out, "\n");
}

struct entry {
	u64 ino, off;
	u16 size;
	u8 type;
	char name[];
};

static void say_threads(struct cg_text *out, s32 pid)
{
	char path[40] = "/proc/", buffer[512];
	u64 at = 6 + decimal_put(path + 6, (u32)pid);
	long fd, n;

	memcpy(path + at, "/task", 6);
	fd = sys4(__NR_openat, CG_AT_FDCWD, path, CG_O_DIRECTORY | CG_O_CLOEXEC, 0);
	while (fd >= 0 && (n = sys3(__NR_getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (long i = 0; i < n;) {
			const struct entry *e = (const struct entry *)(const void *)(buffer + i);
			const char *digits = e->name;
			u64 tid = cg_parse_u64(&digits);

			if (tid && !*digits)
				say_pid(out, (s32)tid);
			i += e->size;
		}
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
}

static void say_members(struct cg_text *out, u32 group, bool threads)
{
	struct cgroup_usage usage;
	u32 at = 0;
	s32 pid;

	while ((pid = next_member(group, false, &at, &usage))) {
		if (cg_has_ended(&usage))
			continue;
		if (threads)
			say_threads(out, pid);
		else
			say_pid(out, pid);
	}
}

/* --- figures ------------------------------------------------------------------------------------------------------------------------------- */

static u64 sum_count(u32 group, u32 count)
{
	struct cgroup_state *s = cg();
	u64 n = 0;

	for (u32 i = 0; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++)
		if (s->group[i].state == CGROUP_READY && cgroup_is_below(s, i, group))
			n += s->group[i].count[count];
	return n;
}

void cg_cpu_time(u32 group, u64 *ret_user, u64 *ret_system)
{
	struct cgroup_state *s = cg();
	u64 user = 0, system = 0;
	u32 at = 0, tree = cg_group(group)->tree % CGROUP_TREES_MAX;
	struct cgroup_usage usage;

	while (next_member(group, true, &at, &usage)) {
		const struct cgroup_task *task = &s->task[at - 1];

		user += usage.user > task->user[tree] ? usage.user - task->user[tree] : 0;
		system += usage.system > task->system[tree] ? usage.system - task->system[tree] : 0;
	}
	user += sum_count(group, CGROUP_COUNT_CPU_USER); /* now also of those that were found to have ended */
	system += sum_count(group, CGROUP_COUNT_CPU_SYSTEM);
	*ret_user = user;
	*ret_system = system;
}

static void reset_cpu(struct cgroup *g)
{
	g->count[CGROUP_COUNT_CPU_USER] = g->count[CGROUP_COUNT_CPU_SYSTEM] = 0;
	memset(g->percpu, 0, sizeof(g->percpu));
}

void cg_reset_cpu_time(u32 group)
{
	struct cgroup_state *s = cg();
	u32 at = 0, tree = cg_group(group)->tree % CGROUP_TREES_MAX;
	struct cgroup_usage usage;

	while (next_member(group, true, &at, &usage)) {
		s->task[at - 1].user[tree] = usage.user;
		s->task[at - 1].system[tree] = usage.system;
	}
	for (u32 i = 0; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++)
		if (s->group[i].state == CGROUP_READY && cgroup_is_below(s, i, group))
			reset_cpu(&s->group[i]);
}

static void say_cpu_stat(struct cg_text *out, u32 group)
{
	u64 user, system;

	cg_cpu_time(group, &user, &system);
	cg_say_row(out, "usage_usec", user + system);
	cg_say_row(out, "user_usec", user);
	cg_say_row(out, "system_usec", system);
	cg_say_row(out, "nice_usec", 0);
	if (!(cg_group(group)->given & 1u << CGROUP_CPU) || cg_is_root(group))
		return;
	cg_say_row(out, "nr_periods", cg_group(group)->count[CGROUP_COUNT_CPU_PERIODS]);
	cg_say_row(out, "nr_throttled", cg_group(group)->count[CGROUP_COUNT_CPU_THROTTLED]);
	cg_say_row(out, "throttled_usec", cg_group(group)->count[CGROUP_COUNT_CPU_THROTTLED_US]);
	cg_say_row(out, "nr_bursts", 0);
	cg_say_row(out, "burst_usec", 0);
}

void cg_sum_memory(u32 group, struct cgroup_memory *sum, u64 *faults, u64 *major)
{
	struct cgroup_usage usage;
	u32 at = 0;
	s32 pid;

	*sum = (struct cgroup_memory){ 0 };
	*faults = *major = 0;
	while ((pid = next_member(group, true, &at, &usage))) {
		cg_memory(pid, sum);
		*faults += usage.faults;
		*major += usage.major_faults;
	}
}

static void say_memory(struct cg_text *out, u32 group, u32 file)
{
	u64 *peak = &cg_group(group)->count[CGROUP_COUNT_MEMORY_PEAK], faults, major, used;
	struct cgroup_memory sum;

	cg_sum_memory(group, &sum, &faults, &major);
	used = sum.anon + sum.shmem;
	if (used > *peak)
		*peak = used;
	cg_say_number(out, file == CG_MEMORY_CURRENT ? used : file == CG_MEMORY_PEAK ? *peak : sum.swap);
	cg_say(out, "\n");
}

static void say_memory_stat(struct cg_text *out, u32 group)
{
	struct cgroup_memory sum;
	u64 faults, major;

	cg_sum_memory(group, &sum, &faults, &major);
	cg_say_row(out, "anon", sum.anon);
	cg_say_row(out, "file", sum.shmem);
	cg_say_row(out, "kernel", 0);
	cg_say_row(out, "shmem", sum.shmem);
	cg_say_row(out, "file_mapped", sum.file + sum.shmem);
	cg_say_row(out, "file_dirty", 0);
	cg_say_row(out, "file_writeback", 0);
	cg_say_row(out, "inactive_anon", 0);
	cg_say_row(out, "active_anon", sum.anon + sum.shmem);
	cg_say_row(out, "inactive_file", 0);
	cg_say_row(out, "active_file", 0);
	cg_say_row(out, "unevictable", 0);
	cg_say_row(out, "slab_reclaimable", 0);
	cg_say_row(out, "slab_unreclaimable", 0);
	cg_say_row(out, "slab", 0);
	cg_say_row(out, "pgfault", faults);
	cg_say_row(out, "pgmajfault", major);
}

static void say_memory_events(struct cg_text *out, u32 group, bool all)
{
	static const struct {
		char word[16];
		u32 count;
	} rows[] = { { "low", CGROUP_COUNTS },
		     { "high", CGROUP_COUNT_MEMORY_HIGH },
		     { "max", CGROUP_COUNT_MEMORY_MAX },
		     { "oom", CGROUP_COUNT_OOM },
		     { "oom_kill", CGROUP_COUNT_OOM_KILL },
		     { "oom_group_kill", CGROUP_COUNT_OOM_GROUP_KILL } };

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++)
		cg_say_row(out, rows[i].word,
			   rows[i].count == CGROUP_COUNTS ? 0
			   : all                          ? sum_count(group, rows[i].count)
							  : cg_group(group)->count[rows[i].count]);
}

static void say_pids(struct cg_text *out, u32 group, u32 file)
{
	u64 *peak = &cg_group(group)->count[CGROUP_COUNT_PIDS_PEAK], now = cg_count_pids(group);

	if (now > *peak)
		*peak = now;
	cg_say_number(out, file == CG_PIDS_CURRENT || file == CG_V1_PIDS_CURRENT ? now : *peak);
	cg_say(out, "\n");
}

static void say_pressure(struct cg_text *out)
{
	cg_say(out, "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	cg_say(out, "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
}

/* What a file of sysfs or procfs says, or `otherwise`. */
static void say_host(struct cg_text *out, const char *path, const char *otherwise)
{
	char text[256];
	long fd = sys4(__NR_openat, CG_AT_FDCWD, path, CG_O_CLOEXEC, 0),
	     n = fd < 0 ? fd : sys3(__NR_read, fd, text, sizeof(text) - 1);

	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	if (n > 0)
		text[n] = 0;
	cg_say(out, n > 0 ? text : otherwise);
}

/* --- the switch ------------------------------------------------------------------------------------------------------------------------------ */

/* A first thread that has ended tells nothing of the others. */
static bool is_stopped(const struct cgroup_usage *usage)
{
	return usage->state == 'T' || usage->state == 't' || usage->state == 'Z';
}

bool cg_all_stopped(u32 group)
{
	struct cgroup_usage usage;
	u32 at = 0;

	while (next_member(group, true, &at, &usage))
		if (!cg_has_ended(&usage) && !is_stopped(&usage))
			return false;
	return true;
}

/* The supervisor stops who is in a frozen group (host/cgroup_enforcer.h). */
static void say_events(struct cg_text *out, u32 group)
{
	struct cgroup_usage usage;
	bool populated = false, frozen = false;
	u32 at = 0;

	CGROUP_EACH_UP(cg(), g, group)
	frozen |= cg_group(g)->set[CGROUP_SET_FREEZE] != 0;
	while (next_member(group, true, &at, &usage))
		if (!cg_has_ended(&usage)) {
			populated = true;
			frozen &= is_stopped(&usage);
		}
	cg_say_row(out, "populated", populated);
	cg_say_row(out, "frozen", frozen);
}

static void say_core(u32 group, u32 file, struct cg_text *out)
{
	const struct cgroup *g = cg_group(group);
	u64 below = 0;

	switch (file) {
	case CG_PROCS:
	case CG_THREADS:
	case CG_V1_PROCS:
	case CG_V1_TASKS:
		say_members(out, group, file == CG_THREADS || file == CG_V1_TASKS);
		break;
	case CG_CONTROLLERS:
		cg_say_controllers(out, cg_is_root(group) ? cg_unified_controllers() : g->given & ~(1u << CGROUP_CORE), false);
		break;
	case CG_SUBTREE:
		cg_say_controllers(out, g->subtree, false);
		break;
	case CG_EVENTS:
		say_events(out, group);
		break;
	case CG_STAT:
		for (u32 i = 1; i < cg()->groups_used && i < CGROUP_GROUPS_MAX; i++)
			below += i != group && cg()->group[i].state == CGROUP_READY && cgroup_is_below(cg(), i, group);
		cg_say_row(out, "nr_descendants", below);
		cg_say_row(out, "nr_dying_descendants", 0);
		break;
	case CG_STAT_LOCAL:
		cg_say_row(out, "frozen_usec", g->count[CGROUP_COUNT_FROZEN_US]);
		break;
	default:
		break;
	}
}

long cg_show(u32 group, u32 file, struct cg_text *out)
{
	switch (file) {
	case CG_CPU_STAT:
		say_cpu_stat(out, group);
		break;
	case CG_CPU_STAT_LOCAL:
		if (cg_group(group)->given & 1u << CGROUP_CPU)
			cg_say_row(out, "throttled_usec", cg_group(group)->count[CGROUP_COUNT_CPU_THROTTLED_US]);
		break;
	case CG_CPU_PRESSURE:
	case CG_IO_PRESSURE:
	case CG_MEMORY_PRESSURE:
		say_pressure(out);
		break;
	case CG_MEMORY_CURRENT:
	case CG_MEMORY_PEAK:
	case CG_SWAP_CURRENT:
	case CG_SWAP_PEAK:
		say_memory(out, group, file);
		break;
	case CG_MEMORY_STAT:
		say_memory_stat(out, group);
		break;
	case CG_MEMORY_EVENTS:
	case CG_MEMORY_EVENTS_LOCAL:
		say_memory_events(out, group, file == CG_MEMORY_EVENTS);
		break;
	case CG_PIDS_CURRENT:
	case CG_PIDS_PEAK:
	case CG_V1_PIDS_CURRENT:
	case CG_V1_PIDS_PEAK:
		say_pids(out, group, file);
		break;
	case CG_PIDS_EVENTS:
	case CG_PIDS_EVENTS_LOCAL:
	case CG_V1_PIDS_EVENTS:
		cg_say_row(out, "max",
			   file == CG_PIDS_EVENTS ? sum_count(group, CGROUP_COUNT_PIDS_EVENTS)
						  : cg_group(group)->count[CGROUP_COUNT_PIDS_EVENTS]);
		break;
	case CG_CPUSET_CPUS_EFFECTIVE:
	case CG_V1_EFFECTIVE_CPUS:
		say_host(out, "/sys/devices/system/cpu/online", "0\n");
		break;
	case CG_CPUSET_MEMS_EFFECTIVE:
	case CG_V1_EFFECTIVE_MEMS:
		say_host(out, "/sys/devices/system/node/online", "0\n");
		break;
	case CG_KILL:
	case CG_MEMORY_RECLAIM:
		return -EINVAL;
	default:
		if (cg_file(file)->flags & CG_V1 && file != CG_V1_PROCS && file != CG_V1_TASKS)
			return cg_v1_show(group, file, out);
		say_core(group, file, out);
	}
	return 0;
}

void cg_refresh(u32 group, u32 file)
{
	char text[256], has[256];
	struct cg_text out = { .to = text, .size = sizeof(text) };
	long n;

	if (cg_show(group, file, &out) < 0 || out.used > sizeof(text))
		return;
	n = cg_get_text(group, file, has, sizeof(has));
	if (n >= 0 && ((u64)n != out.used || memcmp(has, text, out.used)))
		if (cg_put_text(group, file, text, out.used) == 0)
			cg_changed(group, file);
}
