/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to files of v1. kernel/cgroup/cgroup-v1.c, kernel/sched/core.c, mm/memcontrol-v1.c, security/device_cgroup.c, kernel/cgroup/legacy_freezer.c. */
#include "base/decimal.h"
#include "gaps/cgroup/cgroup_int.h"

#define SHARES_MIN 2u
#define SHARES_MAX 262144u
#define UNLIMITED ((u64)INT64_MAX / LAYOUT_PAGE * LAYOUT_PAGE)
#define LIST_SIZE 768u

/* kstrtoull() of a non-negative number, as files of type u64 take it. */
static long parse_number(const char *text, u64 *ret)
{
	s64 value;

	if (!cg_parse_int(text, 0, &value) || value < 0)
		return -EINVAL;
	*ret = (u64)value;
	return 0;
}

static long put_number(u32 group, u32 file, u64 value)
{
	char text[DECIMAL_MAX + 1];

	text[decimal_put(text, value)] = 0;
	return cg_put_line(group, file, text);
}

/* A number in a range, kept. */
static long keep_number(u32 group, u32 file, const char *text, u64 low, u64 high, long otherwise)
{
	u64 value;
	long r = parse_number(text, &value);

	if (r < 0)
		return r;
	return value < low || value > high ? otherwise : put_number(group, file, value);
}

/* --- cpu ------------------------------------------------------------------------------------------------------------------------------------- */

static long write_shares(u32 group, u32 file, const char *text)
{
	u64 value;
	long r = parse_number(text, &value);

	if (r < 0)
		return r;
	if (cg_is_root(group))
		return -EINVAL;
	return put_number(group, file, value < SHARES_MIN ? SHARES_MIN : value > SHARES_MAX ? SHARES_MAX : value);
}

static long write_quota(u32 group, u32 file, const char *text)
{
	u64 *quota = &cg_group(group)->set[CGROUP_SET_CPU_QUOTA];
	s64 value;

	if (!cg_parse_int(text, 0, &value) || cg_is_root(group))
		return -EINVAL;
	if (value < 0) {
		__atomic_store_n(quota, CGROUP_NO_LIMIT, __ATOMIC_RELEASE);
		return cg_put_line(group, file, "-1");
	}
	if (value < 1000)
		return -EINVAL;
	__atomic_store_n(quota, (u64)value, __ATOMIC_RELEASE);
	return put_number(group, file, (u64)value);
}

static long write_period(u32 group, u32 file, const char *text)
{
	u64 value;
	long r = parse_number(text, &value);

	if (r < 0)
		return r;
	if (cg_is_root(group) || value < 1000 || value > 1000000)
		return -EINVAL;
	__atomic_store_n(&cg_group(group)->set[CGROUP_SET_CPU_PERIOD], value, __ATOMIC_RELEASE);
	return put_number(group, file, value);
}

/* --- memory ---------------------------------------------------------------------------------------------------------------------------------- */

/* set: CGROUP_SETTINGS: nothing acts on it. */
static long write_limit(u32 group, u32 file, u32 set, const char *text, u64 unit)
{
	u64 bytes = CGROUP_NO_LIMIT;
	long r = strcmp(text, "-1") ? strcmp(text, "max") ? cg_parse_bytes(text, unit, &bytes) : -EINVAL : 0;

	if (r < 0)
		return r;
	if (cg_is_root(group))
		return -EINVAL;
	r = put_number(group, file, bytes == CGROUP_NO_LIMIT ? (u64)INT64_MAX / LAYOUT_PAGE * LAYOUT_PAGE / unit * unit : bytes);
	if (r == 0 && set < CGROUP_SETTINGS)
		__atomic_store_n(&cg_group(group)->set[set], bytes, __ATOMIC_RELEASE);
	return r;
}

/* --- devices ----------------------------------------------------------------------------------------------------------------------------------- */

/* One side of "1:3": a number or an asterisk. */
static bool take_number(const char **at)
{
	if (**at == '*') {
		(*at)++;
		return true;
	}
	if (**at < '0' || **at > '9')
		return false;
	(void)cg_parse_u64(at);
	return true;
}

/* "c 1:3 rwm" */
static bool is_rule(const char *text)
{
	u32 letters = 0;

	if ((*text != 'c' && *text != 'b') || text[1] != ' ')
		return false;
	text += 2;
	if (!take_number(&text) || *text++ != ':' || !take_number(&text) || *text++ != ' ')
		return false;
	for (; letters < 3 && (*text == 'r' || *text == 'w' || *text == 'm'); text++)
		letters++;
	return letters == 3 || (letters && !*text); /* what is behind three is not looked at */
}

/* What is allowed is a list of rules: one more, or one less. */
static long write_devices(u32 group, const char *text, bool allow)
{
	char list[LIST_SIZE];
	u64 length = strlen(text);
	long n;

	if (*text == 'a' && (!text[1] || text[1] == ' '))
		return allow ? cg_put_text(group, CG_V1_DEVICES_LIST, "a *:* rwm\n", 10)
			     : cg_put_text(group, CG_V1_DEVICES_LIST, "", 0);
	if (!is_rule(text))
		return -EINVAL;
	n = cg_get_text(group, CG_V1_DEVICES_LIST, list, sizeof(list) - 1);
	if (n < 0)
		return n;
	if (n && list[0] == 'a')
		return 0; /* all but what was denied, which the kernel does not list either */
	for (long at = 0; at < n;) {
		long end = at;

		while (end < n && list[end] != '\n')
			end++;
		if ((u64)(end - at) == length && !memcmp(list + at, text, length)) {
			if (allow)
				return 0;
			memmove(list + at, list + end + 1, (u64)(n - end - 1));
			return cg_put_text(group, CG_V1_DEVICES_LIST, list, (u64)(n - (end + 1 - at)));
		}
		at = end + 1;
	}
	if (!allow)
		return 0;
	if ((u64)n + length + 1 >= sizeof(list))
		return -ENOMEM;
	memcpy(list + n, text, length);
	list[(u64)n + length] = '\n';
	return cg_put_text(group, CG_V1_DEVICES_LIST, list, (u64)n + length + 1);
}

/* --- the switch ---------------------------------------------------------------------------------------------------------------------------------- */

static long write_freezer(u32 group, const char *text)
{
	bool freeze = !strcmp(text, "FROZEN");

	if (!freeze && strcmp(text, "THAWED") != 0)
		return -EINVAL;
	__atomic_store_n(&cg_group(group)->set[CGROUP_SET_FREEZE], freeze, __ATOMIC_RELEASE);
	return 0;
}

static long write_switch(u32 group, u32 file, const char *text)
{
	u64 value;
	long r = parse_number(text, &value);

	return r < 0 ? r : put_number(group, file, value != 0);
}

static long write_inherited(u32 group, u32 file, u32 set, const char *text)
{
	u64 value;
	long r = parse_number(text, &value);

	if (r == 0)
		r = put_number(group, file, value != 0);
	if (r == 0)
		__atomic_store_n(&cg_group(group)->set[set], value != 0, __ATOMIC_RELEASE);
	return r;
}

/* It runs with all capabilities, so who names it must have them. */
static long write_release_agent(u32 group, u32 file, const char *text)
{
	struct cgroup_tree *tree = &cg()->tree[cg_group(group)->tree % CGROUP_TREES_MAX];
	struct agent_creds creds;
	long r;

	agent_creds_get(&creds);
	if (!creds.cap_sys_admin)
		return -EPERM;
	r = cg_put_line(group, file, text);
	if (r == 0)
		memcpy(tree->release_agent, text, strlen(text) + 1);
	return r;
}

static long write_core(u32 group, u32 file, const char *text)
{
	switch (file) {
	case CG_V1_PROCS:
	case CG_V1_TASKS:
		return cg_write_procs(group, text, false);
	case CG_V1_CLONE_CHILDREN:
		return write_inherited(group, file, CGROUP_SET_CLONE, text);
	case CG_V1_NOTIFY:
		return write_inherited(group, file, CGROUP_SET_NOTIFY, text);
	default:
		return write_release_agent(group, file, text);
	}
}

static long write_memory(u32 group, u32 file, const char *text)
{
	switch (file) {
	case CG_V1_MEMORY_LIMIT:
		return write_limit(group, file, CGROUP_SET_MEMORY_MAX, text, LAYOUT_PAGE);
	case CG_V1_MEMORY_SOFT:
	case CG_V1_MEMSW_LIMIT:
	case CG_V1_KMEM_LIMIT:
	case CG_V1_TCP_LIMIT:
		return write_limit(group, file, CGROUP_SETTINGS, text, LAYOUT_PAGE);
	case CG_V1_MEMORY_PEAK:
	case CG_V1_MEMSW_PEAK:
		cg_group(group)->count[CGROUP_COUNT_MEMORY_PEAK] = 0;
		return 0;
	case CG_V1_MEMORY_FAILCNT:
		cg_group(group)->count[CGROUP_COUNT_MEMORY_MAX] = 0;
		return 0;
	case CG_V1_SWAPPINESS:
		return keep_number(group, file, text, 0, 200, -EINVAL);
	case CG_V1_USE_HIERARCHY:
		return keep_number(group, file, text, 1, 1, -EINVAL);
	case CG_V1_MOVE_CHARGE:
		return keep_number(group, file, text, 0, 0, -EINVAL);
	case CG_V1_OOM_CONTROL:
		return strcmp(text, "0") ? -EINVAL : 0; /* the killer cannot be disabled */
	default:
		return 0; /* force_empty, counters of what is not counted */
	}
}

static long write_cpuset(u32 group, u32 file, const char *text)
{
	s64 level;

	if (file == CG_V1_RELAX_DOMAIN)
		return cg_parse_int(text, 0, &level) && level >= -1 && level < 8 ? cg_put_line(group, file, text) : -EINVAL;
	if (file != CG_V1_CPUS && file != CG_V1_MEMS)
		return write_switch(group, file, text);
	for (const char *c = text; *c; c++)
		if ((*c < '0' || *c > '9') && *c != '-' && *c != ',')
			return -EINVAL;
	return cg_is_root(group) ? -EACCES : cg_put_line(group, file, text);
}

static long write_cpu(u32 group, u32 file, const char *text)
{
	switch (file) {
	case CG_V1_CPU_SHARES:
		return write_shares(group, file, text);
	case CG_V1_CPU_QUOTA:
		return write_quota(group, file, text);
	case CG_V1_CPU_PERIOD:
		return write_period(group, file, text);
	case CG_V1_CPU_IDLE:
		return keep_number(group, file, text, 0, 1, -EINVAL);
	default:
		return cg_is_root(group) ? -EINVAL : keep_number(group, file, text, 0, UNLIMITED, -EINVAL);
	}
}

long cg_v1_write(u32 group, u32 file, const char *text)
{
	switch (cg_file(file)->controller) {
	case CGROUP_CORE:
		return write_core(group, file, text);
	case CGROUP_CPU:
		return write_cpu(group, file, text);
	case CGROUP_CPUACCT: /* usage: 0 begins anew */
		if (strcmp(text, "0") != 0)
			return -EINVAL;
		cg_reset_cpu_time(group);
		return 0;
	case CGROUP_CPUSET:
		return write_cpuset(group, file, text);
	case CGROUP_MEMORY:
		return write_memory(group, file, text);
	case CGROUP_DEVICES:
		return write_devices(group, text, file == CG_V1_DEVICES_ALLOW);
	case CGROUP_FREEZER:
		return write_freezer(group, text);
	case CGROUP_IO:
		return file == CG_V1_IO_RESET  ? 0
		     : file == CG_V1_IO_WEIGHT ? keep_number(group, file, text, 1, 1000, -ERANGE)
					       : cg_put_line(group, file, text);
	case CGROUP_NET_CLS:
		return keep_number(group, file, text, 0, UINT32_MAX, -EINVAL);
	case CGROUP_NET_PRIO:
		return cg_write_priority(group, text);
	case CGROUP_HUGETLB:
		return file == CG_V1_HUGETLB_LIMIT ? write_limit(group, file, CGROUP_SETTINGS, text, UINT64_C(2) << 20)
						   : put_number(group, file, 0);
	case CGROUP_PIDS:
		return cg_write_pids_max(group, file, text);
	default:
		return -EINVAL;
	}
}
