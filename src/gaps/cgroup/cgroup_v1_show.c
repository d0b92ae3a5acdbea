/* SPDX-License-Identifier: Apache-2.0 */
/* What files of v1 tell that is not text of their own. kernel/sched/cpuacct.c, mm/memcontrol-v1.c, kernel/cgroup/legacy_freezer.c. */
#include "gaps/cgroup/cgroup_int.h"

/* Processors that there may be: told of each, as files with "percpu" in their name want it. */
static u32 processors(void)
{
	u64 mask[16] = { 0 };
	char text[32];
	long fd = sys4(__NR_openat, CG_AT_FDCWD, "/sys/devices/system/cpu/possible", CG_O_CLOEXEC, 0),
	     n = fd < 0 ? fd : sys3(__NR_read, fd, text, sizeof(text) - 1);
	u32 count = 0;

	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	if (n > 0) {
		const char *last = text + n;

		text[n] = 0;
		while (last > text && ((last[-1] >= '0' && last[-1] <= '9') || last[-1] == '\n'))
			last--;
		count = (u32)cg_parse_u64(&last) + 1;
	} else {
		n = sys3(__NR_sched_getaffinity, 0, sizeof(mask), mask);
		for (long i = 0; i < n * 8 && i < (long)sizeof(mask) * 8; i++)
			if (mask[i / 64] >> (i % 64) & 1)
				count = (u32)i + 1;
	}
	return !count ? 1 : count < CGROUP_CPUS_MAX ? count : CGROUP_CPUS_MAX;
}

/* What each processor was seen to spend for a group and those below. */
static u64 seen_on(u32 group, u32 cpu)
{
	struct cgroup_state *s = cg();
	u64 sum = 0;

	for (u32 i = 0; i < s->groups_used && i < CGROUP_GROUPS_MAX; i++)
		if (s->group[i].state == CGROUP_READY && cgroup_is_below(s, i, group))
			sum += __atomic_load_n(&s->group[i].percpu[cpu], __ATOMIC_RELAXED);
	return sum;
}

/* Time of a group, by processor. The supervisor sees who spends what where (host/cgroup_enforcer_cpu.c), now and then: the whole is divided in the
 * proportions that it saw. */
struct shares {
	u64 seen[CGROUP_CPUS_MAX], all;
	u32 count;
};

static void divide(struct shares *shares, u32 group)
{
	shares->count = processors();
	shares->all = 0;
	for (u32 i = 0; i < shares->count; i++) {
		shares->seen[i] = seen_on(group, i);
		shares->all += shares->seen[i];
	}
}

static u64 share_of(const struct shares *shares, u32 cpu, u64 sum)
{
	u64 others = 0;

	if (cpu) /* parts per 2^20, which does not overflow */
		return shares->all ? sum / 1048576 * (shares->seen[cpu] * 1048576 / shares->all) +
					     sum % 1048576 * (shares->seen[cpu] * 1048576 / shares->all) / 1048576
				   : sum / shares->count;
	for (u32 i = 1; i < shares->count; i++)
		others += share_of(shares, i, sum);
	return sum - others;
}

/* The time of a group in nanoseconds. */
static void say_usage(struct cg_text *out, u32 group, u32 file)
{
	u64 user, system, sum;
	struct shares shares;

	cg_cpu_time(group, &user, &system);
	user *= 1000;
	system *= 1000;
	sum = file == CG_V1_ACCT_PERCPU_USER ? user : file == CG_V1_ACCT_PERCPU_SYS ? system : user + system;
	switch (file) {
	case CG_V1_ACCT_STAT:
		cg_say_row(out, "user", user / 10000000);
		cg_say_row(out, "system", system / 10000000);
		break;
	case CG_V1_ACCT_ALL:
		divide(&shares, group);
		cg_say(out, "cpu user system\n");
		for (u32 i = 0; i < shares.count; i++) {
			cg_say_number(out, i);
			cg_say(out, " ");
			cg_say_number(out, share_of(&shares, i, user));
			cg_say(out, " ");
			cg_say_number(out, share_of(&shares, i, system));
			cg_say(out, "\n");
		}
		break;
	case CG_V1_ACCT_PERCPU:
	case CG_V1_ACCT_PERCPU_USER:
	case CG_V1_ACCT_PERCPU_SYS:
		divide(&shares, group);
		for (u32 i = 0; i < shares.count; i++) {
			cg_say_number(out, share_of(&shares, i, sum));
			cg_say(out, " ");
		}
		cg_say(out, "\n");
		break;
	default:
		cg_say_number(out, file == CG_V1_ACCT_USER ? user : file == CG_V1_ACCT_SYS ? system : sum);
		cg_say(out, "\n");
	}
}

static void say_number(struct cg_text *out, u64 number)
{
	cg_say_number(out, number);
	cg_say(out, "\n");
}

static void say_memory(struct cg_text *out, u32 group, u32 file)
{
	u64 *count = cg_group(group)->count, used;
	struct cgroup_memory sum;
	u64 faults, major;

	cg_sum_memory(group, &sum, &faults, &major);
	used = sum.anon + sum.shmem;
	if (used > count[CGROUP_COUNT_MEMORY_PEAK])
		count[CGROUP_COUNT_MEMORY_PEAK] = used;
	if (file != CG_V1_MEMORY_STAT) {
		say_number(out, file == CG_V1_MEMORY_USAGE  ? used
				: file == CG_V1_MEMSW_USAGE ? used + sum.swap
							    : count[CGROUP_COUNT_MEMORY_PEAK]);
		return;
	}
	for (u32 total = 0; total < 2; total++) {
		static const char names[][28] = { "cache",
						  "rss",
						  "rss_huge",
						  "shmem",
						  "mapped_file",
						  "dirty",
						  "writeback",
						  "workingset_refault_anon",
						  "workingset_refault_file",
						  "swap",
						  "swapcached",
						  "pgpgin",
						  "pgpgout",
						  "pgfault",
						  "pgmajfault",
						  "inactive_anon",
						  "active_anon",
						  "inactive_file",
						  "active_file",
						  "unevictable" };
		const u64 values[] = { sum.shmem, sum.anon, 0, sum.shmem, sum.file, 0, 0,    0, 0, sum.swap,
				       0,         0,        0, faults,    major,    0, used, 0, 0, 0 };

		for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
			cg_say(out, total ? "total_" : "");
			cg_say_row(out, names[i], values[i]);
		}
		if (!total) {
			cg_say_row(out, "hierarchical_memory_limit",
				   cg_group(group)->set[CGROUP_SET_MEMORY_MAX] == CGROUP_NO_LIMIT
					   ? (u64)INT64_MAX / LAYOUT_PAGE * LAYOUT_PAGE
					   : cg_group(group)->set[CGROUP_SET_MEMORY_MAX]);
			cg_say_row(out, "hierarchical_memsw_limit", (u64)INT64_MAX / LAYOUT_PAGE * LAYOUT_PAGE);
		}
	}
}

/* All memory is told of the first node. */
static void say_nodes(struct cg_text *out, u32 group)
{
	struct cgroup_memory sum;
	u64 faults, major;

	cg_sum_memory(group, &sum, &faults, &major);
	for (u32 all = 0; all < 2; all++) {
		static const char names[][12] = { "total", "file", "anon", "unevictable" };
		u64 bytes[] = { sum.anon + sum.shmem, sum.shmem, sum.anon, 0 };

		for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
			cg_say(out, all ? "hierarchical_" : "");
			cg_say(out, names[i]);
			cg_say(out, "=");
			cg_say_number(out, bytes[i] / LAYOUT_PAGE);
			cg_say(out, " N0=");
			cg_say_number(out, bytes[i] / LAYOUT_PAGE);
			cg_say(out, "\n");
		}
	}
}

static bool parent_freezing(u32 group)
{
	CGROUP_EACH_UP(cg(), g, group)
	if (g != group && cg_group(g)->set[CGROUP_SET_FREEZE])
		return true;
	return false;
}

static void say_freezer(struct cg_text *out, u32 group, u32 file)
{
	bool self = cg_group(group)->set[CGROUP_SET_FREEZE], parent = parent_freezing(group);

	if (file == CG_V1_FREEZER_STATE)
		cg_say(out, !self && !parent ? "THAWED\n" : cg_all_stopped(group) ? "FROZEN\n" : "FREEZING\n");
	else
		say_number(out, file == CG_V1_SELF_FREEZING ? self : parent);
}

long cg_v1_show(u32 group, u32 file, struct cg_text *out)
{
	u64 *count = cg_group(group)->count;

	switch (file) {
	case CG_V1_CPU_STAT:
		cg_say_row(out, "nr_periods", count[CGROUP_COUNT_CPU_PERIODS]);
		cg_say_row(out, "nr_throttled", count[CGROUP_COUNT_CPU_THROTTLED]);
		cg_say_row(out, "throttled_time", count[CGROUP_COUNT_CPU_THROTTLED_US] * 1000);
		cg_say_row(out, "nr_bursts", 0);
		cg_say_row(out, "burst_time", 0);
		break;
	case CG_V1_MEMORY_USAGE:
	case CG_V1_MEMORY_PEAK:
	case CG_V1_MEMSW_USAGE:
	case CG_V1_MEMSW_PEAK:
	case CG_V1_MEMORY_STAT:
		say_memory(out, group, file);
		break;
	case CG_V1_MEMORY_FAILCNT:
		say_number(out, count[CGROUP_COUNT_MEMORY_MAX]);
		break;
	case CG_V1_OOM_CONTROL:
		cg_say(out, "oom_kill_disable 0\nunder_oom 0\n");
		cg_say_row(out, "oom_kill", count[CGROUP_COUNT_OOM_KILL]);
		break;
	case CG_V1_CPU_STAT_LOCAL:
		cg_say_row(out, "throttled_time", count[CGROUP_COUNT_CPU_THROTTLED_US] * 1000);
		break;
	case CG_V1_IFPRIOMAP:
		cg_say_priorities(out, group);
		break;
	case CG_V1_NUMA_STAT:
		say_nodes(out, group);
		break;
	case CG_V1_FREEZER_STATE:
	case CG_V1_SELF_FREEZING:
	case CG_V1_PARENT_FREEZING:
		say_freezer(out, group, file);
		break;
	case CG_V1_PRIOIDX:
		say_number(out, group);
		break;
	case CG_V1_ACCT_USAGE:
	case CG_V1_ACCT_USER:
	case CG_V1_ACCT_SYS:
	case CG_V1_ACCT_PERCPU:
	case CG_V1_ACCT_PERCPU_USER:
	case CG_V1_ACCT_PERCPU_SYS:
	case CG_V1_ACCT_ALL:
	case CG_V1_ACCT_STAT:
		say_usage(out, group, file);
		break;
	default:
		return -EINVAL; /* for writing only */
	}
	return 0;
}
