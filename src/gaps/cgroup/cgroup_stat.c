/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/stat where the kernel tells of no processor time at all, as gVisor does: who reads it (docker stats, top) sees a processor that never ran, and
 * computes nothing. proc_stat(5).
 *
 *   user, system   what the members of the cell have used, as cpu.stat of the root group has it
 *   idle           what is left of the time since boot
 *   other lines    the kernel's
 *
 * Limit: a processor's line is its equal share of the sum.
 */
#include "base/decimal.h"
#include "gaps/cgroup/cgroup_int.h"

#define TICK_US 10000u /* of USER_HZ */
#define CLOCK_MONOTONIC_ 1
#define O_ACCMODE_ 3

/* Whether the first line has figures that are not zero. */
static bool tells(const char *text)
{
	for (; *text && *text != '\n'; text++)
		if (*text >= '1' && *text <= '9')
			return true;
	return false;
}

long cg_stat_open(const char *path, int flags)
{
	char head[256];
	long fd = sys4(__NR_openat, CG_AT_FDCWD, path, flags, 0), n;

	if (fd < 0 || flags & (O_ACCMODE_ | CG_O_PATH))
		return fd;
	n = sys4(__NR_pread64, fd, head, sizeof(head) - 1, 0);
	head[n > 0 ? n : 0] = 0;
	if (n <= 0 || tells(head))
		return fd;
	(void)sys1(__NR_close, fd);
	return -EOPNOTSUPP; /* cg_stat_show() */
}

/* The kernel's lines: those of processors are counted, the others copied where `out` is not NULL. */
static u32 pass_lines(long fd, struct cg_text *out)
{
	char part[512], head[4] = "";
	bool begun = false, processor = false; /* of the line */
	u32 count = 0, length = 0;
	u64 at = 0;
	long n;

	while ((n = sys4(__NR_pread64, fd, part, sizeof(part), at)) > 0) {
		at += (u64)n;
		for (long i = 0; i < n; i++) {
			char text[2] = { part[i] };

			if (!begun) {
				head[length++] = part[i];
				if (length < 3 && part[i] != '\n')
					continue;
				head[length] = 0;
				begun = true;
				processor = !strcmp(head, "cpu");
				count += processor;
				if (!processor && out)
					cg_say(out, head);
			} else if (!processor && out) {
				cg_say(out, text);
			}
			if (part[i] == '\n') {
				begun = false;
				length = 0;
			}
		}
	}
	return count;
}

static void say_processor(struct cg_text *out, u64 user, u64 system, u64 idle)
{
	const u64 figures[10] = { user, 0, system, idle };

	for (u32 i = 0; i < ARRAY_SIZE(figures); i++) {
		cg_say(out, " ");
		cg_say_number(out, figures[i]);
	}
	cg_say(out, "\n");
}

long cg_stat_show(struct cg_text *out)
{
	long fd = sys4(__NR_openat, CG_AT_FDCWD, "/proc/stat", CG_O_CLOEXEC, 0);
	struct agent_time since = { 0 };
	u64 user, system, all;
	u32 processors;

	if (fd < 0)
		return fd;
	processors = pass_lines(fd, NULL);
	processors = processors > 1 ? processors - 1 : 1; /* the first line is the sum */
	cg_cpu_time(cg()->tree[0].root, &user, &system);
	(void)sys2(__NR_clock_gettime, CLOCK_MONOTONIC_, &since);
	user /= TICK_US;
	system /= TICK_US;
	all = ((u64)since.sec * 100 + (u64)since.nsec / 10000000) * processors;
	all = all > user + system ? all - user - system : 0;
	cg_say(out, "cpu ");
	say_processor(out, user, system, all);
	for (u32 i = 0; i < processors; i++) {
		cg_say(out, "cpu");
		cg_say_number(out, i);
		say_processor(out, user / processors, system / processors, all / processors);
	}
	(void)pass_lines(fd, out);
	(void)sys1(__NR_close, fd);
	return (long)out->used;
}
