/* SPDX-License-Identifier: Apache-2.0 */
/* What files of v1 tell that is not text of their own. kernel/sched/cpuacct.c, mm/memcontrol-v1.c, kernel/cgroup/legacy_freezer.c. */
#include "gaps/cgroup/cgroup_int.h"

/* Processors that there are: told of each, as files with "percpu" in their name want it. */
static u32 processors(void)
{
	u64 mask[16] = { 0 };
	long n = sys3(__NR_sched_getaffinity, 0, sizeof(mask), mask);
	u32 count = 0;

	for (long i = 0; i < n / 8 && i < (long)ARRAY_SIZE(mask); i++)
		for (u64 left = mask[i]; left; left &= left - 1)
			count++;
	return count ? count : 1;
}

/* The time of a group in nanoseconds. Which processor spent it nobody tells: each is told the same part. */
static void say_usage(struct cg_text *out, u32 group, u32 file)
{
	u64 user, system, sum;
	u32 count = processors();

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
		cg_say(out, "cpu user system\n");
		for (u32 i = 0; i < count; i++) {
			cg_say_number(out, i);
			cg_say(out, " ");
			cg_say_number(out, i ? user / count : user - user / count * (count - 1));
			cg_say(out, " ");
			cg_say_number(out, i ? system / count : system - system / count * (count - 1));
			cg_say(out, "\n");
		}
		break;
	case CG_V1_ACCT_PERCPU:
	case CG_V1_ACCT_PERCPU_USER:
	case CG_V1_ACCT_PERCPU_SYS:
		for (u32 i = 0; i < count; i++) {
			cg_say_number(out, i ? sum / count : sum - sum / count * (count - 1));
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
		const char *prefix = total ? "total_" : "";
		static const char names[][16] = { "cache",       "rss",           "shmem",       "mapped_file",
						  "swap",        "pgfault",       "pgmajfault",  "inactive_anon",
						  "active_anon", "inactive_file", "active_file", "unevictable" };
		u64 values[] = { sum.shmem, sum.anon, sum.shmem, sum.file, sum.swap, faults, major, 0, used, 0, 0, 0 };

		for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
			cg_say(out, prefix);
			cg_say_row(out, names[i], values[i]);
		}
		if (!total)
			cg_say_row(out, "hierarchical_memory_limit",
				   cg_group(group)->set[CGROUP_SET_MEMORY_MAX] == CGROUP_NO_LIMIT
					   ? (u64)INT64_MAX / LAYOUT_PAGE * LAYOUT_PAGE
					   : cg_group(group)->set[CGROUP_SET_MEMORY_MAX]);
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
