/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing to files of a group: checked as the kernel does, kept as number where something acts on it, and as text in the file, as the kernel tells
 * it. kernel/cgroup/cgroup.c, kernel/cgroup/pids.c, kernel/sched/core.c, mm/memcontrol.c, mm/page_counter.c.
 */
#include "base/decimal.h"
#include "gaps/cgroup/cgroup_int.h"

#define PIDS_MAX_LIMIT 4194304u
#define SIGKILL_ 9
#define KILL_PAUSE_NS 1000000
#define KILL_ROUNDS 1000u /* a second: who cannot be killed is left to his sleep */
#define KILL_QUIET 300u   /* … and for a child that a loaded machine lets wait for its first instruction */
#define HUGE_PAGE (UINT64_C(2) << 20)

/* Controllers that can be in a threaded subtree. */
#define THREADED (1u << CGROUP_CPUSET | 1u << CGROUP_CPU | 1u << CGROUP_PIDS)

/* --- numbers ------------------------------------------------------------------------------------------------------------------------------- */

/* kstrtoll() with base 10, or 0x and 0 where base is 0. */
bool cg_parse_int(const char *text, u32 base, s64 *ret)
{
	bool negative = *text == '-';
	u64 n = 0;

	if (*text == '-' || *text == '+')
		text++;
	if (base == 0) {
		base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : text[0] == '0' && text[1] ? 8 : 10;
		text += base == 16 ? 2 : base == 8 ? 1 : 0;
	}
	if (!*text)
		return false;
	for (; *text; text++) {
		char c = (char)(*text | 0x20);
		u32 digit = *text >= '0' && *text <= '9' ? (u32)(*text - '0') : c >= 'a' && c <= 'f' ? (u32)(c - 'a') + 10 : 99;

		if (digit >= base || __builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, digit, &n) || n > INT64_MAX)
			return false;
	}
	*ret = negative ? -(s64)n : (s64)n;
	return true;
}

/* kstrtoint() */
static long parse_s32(const char *text, s64 *ret)
{
	if (!cg_parse_int(text, 0, ret))
		return -EINVAL;
	return *ret > INT32_MAX || *ret < INT32_MIN ? -ERANGE : 0;
}

/* page_counter_memparse(): bytes, with a letter, down to whole units. */
long cg_parse_bytes(const char *text, u64 unit, u64 *ret)
{
	static const char letters[] = "kmgtpe";
	u64 n = 0;
	const char *at = text;

	*ret = CGROUP_NO_LIMIT;
	if (!strcmp(text, "max"))
		return 0;
	if (*at < '0' || *at > '9')
		return -EINVAL;
	while (*at >= '0' && *at <= '9')
		n = n * 10 + (u64)(*at++ - '0');
	for (u32 i = 0; *at && letters[i]; i++)
		if ((*at | 0x20) == letters[i]) {
			n <<= 10 * (i + 1);
			at++;
			break;
		}
	if (*at)
		return -EINVAL;
	if (n / unit < INT64_MAX / unit)
		*ret = n / unit * unit;
	return 0;
}

/* --- keeping ------------------------------------------------------------------------------------------------------------------------------- */

long cg_put_line(u32 group, u32 file, const char *text)
{
	char line[256];
	u64 length = strlen(text);

	if (length + 2 > sizeof(line))
		return -EINVAL;
	memcpy(line, text, length);
	line[length] = '\n';
	return cg_put_text(group, file, line, length + 1);
}

/* A setting: number, "max" where there is no limit. set: CGROUP_SETTINGS: nothing acts on it. */
static long keep(u32 group, u32 file, u32 set, u64 value)
{
	char text[DECIMAL_MAX + 1];
	long r;

	text[decimal_put(text, value)] = 0;
	r = cg_put_line(group, file, value == CGROUP_NO_LIMIT ? "max" : text);
	if (r == 0 && set < CGROUP_SETTINGS)
		__atomic_store_n(&cg_group(group)->set[set], value, __ATOMIC_RELEASE);
	return r;
}

static long keep_range(u32 group, u32 file, u32 set, const char *text, s64 low, s64 high)
{
	s64 value;
	long r = parse_s32(text, &value);

	if (r < 0)
		return r;
	if (value < low || value > high)
		return -ERANGE;
	if (value < 0) {
		char line[DECIMAL_MAX + 2] = "-";

		line[1 + decimal_put(line + 1, (u64)-value)] = 0;
		return cg_put_line(group, file, line);
	}
	return keep(group, file, set, (u64)value);
}

static long write_bytes(u32 group, u32 file, u32 set, const char *text)
{
	u64 bytes;
	long r = cg_parse_bytes(text, file == CG_HUGETLB_MAX || file == CG_HUGETLB_RSVD_MAX ? HUGE_PAGE : LAYOUT_PAGE, &bytes);

	return r < 0 ? r : keep(group, file, set, bytes);
}

/* --- core ---------------------------------------------------------------------------------------------------------------------------------- */

static long write_limit(u32 group, u32 file, u32 set, const char *text)
{
	s64 value;
	long r;

	if (!strcmp(text, "max"))
		return keep(group, file, set, CGROUP_NO_LIMIT);
	r = parse_s32(text, &value);
	if (r < 0)
		return r;
	return value < 0 ? -ERANGE : keep(group, file, set, (u64)value);
}

static bool has_populated_children(u32 group)
{
	for (u32 child = cg_next_child(group, 0); child; child = cg_next_child(group, child))
		if (cg_tasks_of(child, true) != CG_TASKS_NONE)
			return true;
	return false;
}

/* cgroup_can_be_thread_root() */
static bool can_be_thread_root(u32 group)
{
	return cg_is_root(group) || (!has_populated_children(group) && !(cg_group(group)->subtree & ~THREADED));
}

/* "+cpu -memory": the bits of both; -EINVAL. */
static long parse_controllers(char *text, u32 *ret_on, u32 *ret_off)
{
	u32 all = cg_unified_controllers();

	*ret_on = *ret_off = 0;
	while (*text) {
		char *word = text, sign = *word;
		u32 i;

		while (*text && *text != ' ' && *text != '\t' && *text != '\n')
			text++;
		if (*text)
			*text++ = 0;
		if (!*word)
			continue;
		for (i = 0; i < CGROUP_CONTROLLERS; i++)
			if ((all & 1u << i) && !strcmp(word + 1, cg_controller_name(i, false)))
				break;
		if (i == CGROUP_CONTROLLERS || (sign != '+' && sign != '-'))
			return -EINVAL;
		*ret_on = sign == '+' ? *ret_on | 1u << i : *ret_on & ~(1u << i);
		*ret_off = sign == '-' ? *ret_off | 1u << i : *ret_off & ~(1u << i);
	}
	return 0;
}

/* Gives controllers to all children of a group, or takes them. */
static long change_children(u32 group, u32 on, u32 off)
{
	char path[CG_HOST_SIZE];
	long r = 0;

	for (u32 child = cg_next_child(group, 0); child && r >= 0; child = cg_next_child(group, child)) {
		struct cgroup *g = cg_group(child);
		long n = cg_directory(child, path, sizeof(path));
		long fd = n < 0 ? n : sys4(__NR_openat, CG_AT_FDCWD, path, CG_O_DIRECTORY | CG_O_NOFOLLOW | CG_O_CLOEXEC, 0);

		if (fd < 0)
			return fd;
		r = cg_fill(child, (s32)fd, on & ~g->given);
		g->given |= on;
		cg_empty(child, (s32)fd, off);
		g->given &= ~off;
		(void)sys1(__NR_close, fd);
	}
	return r;
}

/* cgroup_subtree_control_write() */
static long write_subtree(u32 group, char *text)
{
	struct cgroup *g = cg_group(group);
	u32 on, off, has;
	long r = parse_controllers(text, &on, &off);

	if (r < 0)
		return r;
	on &= ~g->subtree;
	off &= g->subtree;
	has = cg_is_root(group) ? cg_unified_controllers() : g->given;
	if (on & ~has)
		return -ENOENT;
	for (u32 child = off ? cg_next_child(group, 0) : 0; child; child = cg_next_child(group, child))
		if (cg_group(child)->subtree & off)
			return -EBUSY;
	if (on && !cg_is_root(group) && ((on & ~THREADED) || !can_be_thread_root(group)) &&
	    cg_tasks_of(group, false) != CG_TASKS_NONE)
		return -EBUSY;
	__atomic_store_n(&cg()->changing, group + 1, __ATOMIC_RELEASE);
	r = change_children(group, on, off);
	if (r < 0)
		(void)!change_children(group, 0, on);
	else
		g->subtree = (g->subtree | on) & ~off;
	__atomic_store_n(&cg()->changing, 0, __ATOMIC_RELEASE);
	return r;
}

/* Whether the caller may write to the file cgroup.procs of the nearest group above both. */
static long may_move(u32 from, u32 to)
{
	char path[CG_HOST_SIZE];
	struct agent_creds creds;
	long n, fd, r;

	agent_creds_get(&creds);
	if (!creds.euid)
		return 0;
	while (!cgroup_is_below(cg(), from, to) && !cg_is_root(to))
		to = cg_group(to)->parent;
	n = cg_directory(to, path, sizeof(path) - 16);
	if (n < 0)
		return n;
	memcpy(path + n, "/cgroup.procs", 14);
	fd = sys4(__NR_openat, CG_AT_FDCWD, path, (identity_on() ? CG_O_PATH : CG_O_WRONLY) | CG_O_NOFOLLOW | CG_O_CLOEXEC, 0);
	if (fd < 0)
		return -EACCES;
	r = identity_on() ? identity_may((s32)fd, 2, false) : 0;
	(void)sys1(__NR_close, fd);
	return r;
}

/* __cgroup_procs_write(), of a process: 0 = the caller. thread: by cgroup.threads. */
long cg_write_procs(u32 group, const char *text, bool thread)
{
	const struct cgroup *g = cg_group(group);
	struct cgroup_usage usage;
	struct cgroup_task *task;
	s64 number;
	s32 pid;
	u32 from;
	long r;

	if (!cg_parse_int(text, 0, &number) || number < 0 || number > INT32_MAX)
		return -EINVAL;
	pid = number ? (pids_on() ? pids_to_host((s32)number) : (s32)number) : agent_caller_pid();
	pid = pid > 0 && number ? cg_process_of(pid) : pid;
	if (pid <= 0 || cg_usage(pid, &usage) < 0)
		return -ESRCH;
	task = cg_task(pid);
	if (!task && !(task = cg_task_enter(pid)))
		return -ENOMEM;
	from = cgroup_of_task(cg(), task, g->tree);
	r = may_move(from, group);
	if (r < 0)
		return r;
	if (thread && from != group)
		return -EOPNOTSUPP;
	if (!g->tree && !cg_is_root(group) && g->subtree && !can_be_thread_root(group))
		return -EBUSY;
	if (from != group && !cg_has_ended(&usage))
		cg_task_move(task, pid, group);
	return 0;
}

/* Kills who is in a group or below it, but for the caller: its row, if it is among them. True: somebody is left, or may just be made by who is not. */
static bool kill_once(u32 group, bool *ret_ours, bool *ret_maybe)
{
	struct cgroup_state *s = cg();
	s32 self = agent_caller_pid();
	bool left = false;

	*ret_ours = *ret_maybe = false;
	for (u32 i = 0; i < CGROUP_TASKS_MAX; i++) {
		s32 pid = s->pid[i];
		struct cgroup_usage usage;

		if (pid <= 0 || !cgroup_is_below(s, cgroup_of_task(s, &s->task[i], cg_group(group)->tree), group))
			continue;
		*ret_ours |= pid == self;
		if (pid == self)
			continue;
		if (sys2(__NR_kill, pid, SIGKILL_) == 0 && cg_usage(pid, &usage) == 0 && !cg_has_ended(&usage))
			left = true;
		else if (__atomic_load_n(&s->task[i].forking, __ATOMIC_ACQUIRE))
			*ret_maybe = true; /* it was killed before it could enter its child, which does that itself */
	}
	return left;
}

/* A chain of processes of which each makes the next one and ends cannot escape: until they have ended, whoever they make is killed, too. */
long cg_write_kill(u32 group, const char *text)
{
	const struct cgroup *g = cg_group(group);
	u32 generation = __atomic_load_n(&g->generation, __ATOMIC_ACQUIRE), quiet = 0;
	const struct agent_time pause = { 0, KILL_PAUSE_NS };
	bool ours = false, maybe = false;
	s64 value;
	long r = parse_s32(text, &value);

	if (r < 0 || value != 1)
		return r < 0 ? r : -ERANGE;
	for (u32 round = 0; round < KILL_ROUNDS && quiet < KILL_QUIET; round++) {
		if (g->generation != generation || __atomic_load_n(&g->state, __ATOMIC_ACQUIRE) != CGROUP_READY)
			break; /* removed, as only groups without members are */
		if (round)
			(void)sys2(__NR_nanosleep, &pause, 0);
		if (kill_once(group, &ours, &maybe))
			quiet = 0;
		else
			quiet = maybe ? quiet + 1 : KILL_QUIET;
	}
	for (u32 i = 0; maybe && i < CGROUP_TASKS_MAX; i++)
		(void)cg_task_living(i); /* there was no child: nobody waits for it again */
	if (ours)
		(void)sys2(__NR_kill, agent_caller_pid(), SIGKILL_);
	return 0;
}

static long write_core(u32 group, u32 file, char *text)
{
	s64 value;
	long r;

	switch (file) {
	case CG_PROCS:
	case CG_THREADS:
		return cg_write_procs(group, text, file == CG_THREADS);
	case CG_SUBTREE:
		return write_subtree(group, text);
	case CG_TYPE:
		return strcmp(text, "threaded") ? -EINVAL : -EOPNOTSUPP;
	case CG_MAX_DEPTH:
		return write_limit(group, file, CGROUP_SET_MAX_DEPTH, text);
	case CG_MAX_DESCENDANTS:
		return write_limit(group, file, CGROUP_SET_MAX_DESCENDANTS, text);
	case CG_FREEZE:
		return keep_range(group, file, CGROUP_SET_FREEZE, text, 0, 1);
	case CG_PRESSURE:
		r = parse_s32(text, &value);
		return r < 0 ? r : value < 0 || value > 1 ? -ERANGE : keep(group, file, CGROUP_SETTINGS, (u64)value);
	default:
		return -EOPNOTSUPP;
	}
}

/* --- cpu ----------------------------------------------------------------------------------------------------------------------------------- */

/* "max", "max 100000", "50000", "50000 100000": cpu_period_quota_parse(), tg_set_cfs_bandwidth() */
static long write_cpu_max(u32 group, u32 file, const char *text)
{
	struct cgroup *g = cg_group(group);
	u64 quota = CGROUP_NO_LIMIT, period = g->set[CGROUP_SET_CPU_PERIOD];
	char line[64];
	u64 n;

	if (!strncmp(text, "max", 3) && (!text[3] || text[3] == ' '))
		text += 3;
	else if (*text >= '0' && *text <= '9')
		quota = cg_parse_u64(&text);
	else
		return -EINVAL;
	while (*text == ' ' || *text == '\t')
		text++;
	if (*text >= '0' && *text <= '9')
		period = cg_parse_u64(&text);
	if (quota < 1000 || period < 1000 || period > 1000000 ||
	    (quota != CGROUP_NO_LIMIT && quota > (UINT64_C(1) << 44) / 1000 * 1000))
		return -EINVAL;
	if (quota == CGROUP_NO_LIMIT) {
		memcpy(line, "max", 3);
		n = 3;
	} else {
		n = decimal_put(line, quota);
	}
	line[n++] = ' ';
	n += decimal_put(line + n, period);
	line[n] = 0;
	g->set[CGROUP_SET_CPU_PERIOD] = period;
	__atomic_store_n(&g->set[CGROUP_SET_CPU_QUOTA], quota, __ATOMIC_RELEASE);
	return cg_put_line(group, file, line);
}

/* --- pids ----------------------------------------------------------------------------------------------------------------------------------- */

long cg_write_pids_max(u32 group, u32 file, const char *text)
{
	s64 value;

	if (!strcmp(text, "max"))
		return keep(group, file, CGROUP_SET_PIDS_MAX, CGROUP_NO_LIMIT);
	if (!cg_parse_int(text, 0, &value) || value < 0 || value > PIDS_MAX_LIMIT)
		return -EINVAL;
	__atomic_store_n(&cg_group(group)->count[CGROUP_COUNT_PIDS], CGROUP_NO_LIMIT / 2, __ATOMIC_RELEASE); /* to be counted */
	__atomic_store_n(&cg()->limited, 1, __ATOMIC_RELEASE);
	return keep(group, file, CGROUP_SET_PIDS_MAX, (u64)value);
}

/* --- the switch -------------------------------------------------------------------------------------------------------------------------------- */

/* Files whose value nothing acts on: what is kept is what was written, if it could be one. */
static long write_recorded(u32 group, u32 file, const char *text)
{
	switch (file) {
	case CG_CPU_BURST:
	case CG_CPU_IDLE:
		return keep_range(group, file, CGROUP_SETTINGS, text, 0, file == CG_CPU_IDLE ? 1 : INT32_MAX);
	case CG_CPUSET_PARTITION:
		return strcmp(text, "member") && strcmp(text, "root") && strcmp(text, "isolated")
			     ? -EINVAL
			     : cg_put_line(group, file, "member");
	case CG_CPUSET_CPUS:
	case CG_CPUSET_MEMS:
		for (const char *c = text; *c; c++)
			if ((*c < '0' || *c > '9') && *c != '-' && *c != ',')
				return -EINVAL;
		return cg_put_line(group, file, text);
	case CG_IO_WEIGHT:
		return cg_put_line(group, file, text);
	case CG_IO_MAX:
		return cg_put_line(group, file, text);
	default:
		return -EINVAL;
	}
}

long cg_write(u32 group, u32 file, char *text)
{
	const struct cgroup_file *f = cg_file(file);

	if (!(f->mode & 0200))
		return -EINVAL;
	if (f->flags & CG_V1)
		return cg_v1_write(group, file, text);
	if (f->controller == CGROUP_CORE)
		return write_core(group, file, text);
	switch (file) {
	case CG_PIDS_MAX:
		return cg_write_pids_max(group, file, text);
	case CG_MEMORY_MAX:
		return write_bytes(group, file, CGROUP_SET_MEMORY_MAX, text);
	case CG_MEMORY_HIGH:
		return write_bytes(group, file, CGROUP_SET_MEMORY_HIGH, text);
	case CG_MEMORY_MIN:
	case CG_MEMORY_LOW:
	case CG_SWAP_HIGH:
	case CG_SWAP_MAX:
	case CG_HUGETLB_MAX:
	case CG_HUGETLB_RSVD_MAX:
		return write_bytes(group, file, CGROUP_SETTINGS, text);
	case CG_OOM_GROUP: {
		s64 value;
		long r = parse_s32(text, &value);

		return r < 0 ? r : value != 0 && value != 1 ? -EINVAL : keep(group, file, CGROUP_SET_OOM_GROUP, (u64)value);
	}
	case CG_MEMORY_PEAK:
	case CG_SWAP_PEAK:
		cg_group(group)->count[CGROUP_COUNT_MEMORY_PEAK] = 0;
		return 0;
	case CG_MEMORY_RECLAIM:
		return -EAGAIN; /* nothing could be reclaimed */
	case CG_CPU_MAX:
		return write_cpu_max(group, file, text);
	case CG_CPU_WEIGHT:
		return keep_range(group, file, CGROUP_SETTINGS, text, 1, 10000);
	case CG_CPU_NICE:
		return keep_range(group, file, CGROUP_SETTINGS, text, -20, 19);
	default:
		return write_recorded(group, file, text);
	}
}
