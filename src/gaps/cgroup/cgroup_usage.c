/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc says of a process: time, tasks, memory. proc_pid_stat(5), proc_pid_status(5), proc_pid_smaps(5). */
#include "base/decimal.h"
#include "gaps/cgroup/cgroup_int.h"

#define TICKS 100u /* USER_HZ */

u64 cg_parse_u64(const char **at)
{
	u64 n = 0;

	while (**at >= '0' && **at <= '9')
		n = n * 10 + (u64)(*(*at)++ - '0');
	return n;
}

static long open_of(s32 pid, const char *name)
{
	char path[48] = "/proc/";
	u64 at = 6 + decimal_put(path + 6, (u32)pid);

	path[at] = '/';
	memcpy(path + at + 1, name, strlen(name) + 1);
	return sys4(__NR_openat, CG_AT_FDCWD, path, CG_O_CLOEXEC, 0);
}

static long read_of(s32 pid, const char *name, char *to, u64 size)
{
	long fd = open_of(pid, name), n;

	if (fd < 0)
		return fd;
	n = sys3(__NR_read, fd, to, size - 1);
	(void)sys1(__NR_close, fd);
	if (n < 0)
		return n;
	to[n] = 0;
	return n;
}

long cg_usage(s32 pid, struct cgroup_usage *ret)
{
	char text[512];
	const char *at = text, *name_end = NULL;
	u64 field[24] = { 0 };

	if (read_of(pid, "stat", text, sizeof(text)) <= 0)
		return -ESRCH;
	for (; *at; at++)
		if (*at == ')')
			name_end = at;
	if (!name_end || !name_end[1])
		return -ESRCH;
	at = name_end + 2;
	*ret = (struct cgroup_usage){ .state = *at };
	for (u32 i = 3; i < ARRAY_SIZE(field) && *at; i++) { /* field 3 is the state */
		const char *from = at;

		field[i] = cg_parse_u64(&from);
		while (*at && *at != ' ')
			at++;
		if (*at)
			at++;
	}
	ret->faults = field[10];
	ret->major_faults = field[12];
	ret->user = field[14] * (1000000 / TICKS);
	ret->system = field[15] * (1000000 / TICKS);
	ret->threads = field[20] ? field[20] : 1;
	return 0;
}

s32 cg_process_of(s32 tid)
{
	char text[512];
	const char *at = text;

	if (read_of(tid, "status", text, sizeof(text)) <= 0)
		return 0;
	while (*at && strncmp(at, "\nTgid:\t", 7))
		at++;
	if (!*at)
		return 0;
	at += 7;
	return (s32)cg_parse_u64(&at);
}

/* The number behind a word at the start of a line, in bytes: `kB` is the unit. False: there is none. */
static bool line(const char *text, const char *word, u64 *ret)
{
	u64 length = strlen(word);

	for (const char *at = text; *at;) {
		if (!strncmp(at, word, length)) {
			at += length;
			while (*at == ' ' || *at == '\t')
				at++;
			*ret += cg_parse_u64(&at) * 1024;
			return true;
		}
		while (*at && *at != '\n')
			at++;
		if (*at)
			at++;
	}
	return false;
}

/* gVisor tells only what is resident, and takes all of the cell's commons for it: the sum over all other mappings. */
static void add_maps(s32 pid, struct cgroup_memory *sum)
{
	static const char ours[] = "/memfd:lichen-commons";
	char text[512];
	bool skip = false;
	u64 kept = 0;
	long fd = open_of(pid, "smaps"), n;

	if (fd < 0)
		return;
	while ((n = sys3(__NR_read, fd, text + kept, sizeof(text) - 1 - kept)) > 0) {
		char *at = text, *end;

		text[kept + (u64)n] = 0;
		for (end = at; *end; end++) {
			if (*end != '\n')
				continue;
			*end = 0;
			if (*at < 'A' || *at > 'Z') {
				u64 length = (u64)(end - at), size = sizeof(ours) - 1;

				skip = false;
				for (u64 i = 0; i + size <= length && !skip; i++)
					skip = !memcmp(at + i, ours, size);
			} else if (!skip) {
				(void)line(at, "Pss:", &sum->anon);
			}
			at = end + 1;
		}
		kept = (u64)(end - at);
		memmove(text, at, kept);
		if (kept >= sizeof(text) - 2)
			kept = 0; /* a line that is too long: its end is taken for a line that says nothing */
	}
	(void)sys1(__NR_close, fd);
}

void cg_memory(s32 pid, struct cgroup_memory *sum)
{
	u64 unused = 0;
	char *text = (char *)sys6(__NR_mmap, 0, 8192, 3, 0x22, ~UINT64_C(0), 0); /* NOLINT(performance-no-int-to-ptr) */

	if ((long)text < 0 && (long)text > -4096)
		return;
	if (read_of(pid, "status", text, 8192) > 0) {
		if (line(text, "RssAnon:", &sum->anon)) {
			(void)line(text, "RssFile:", &sum->file);
			(void)line(text, "RssShmem:", &sum->shmem);
			(void)line(text, "VmSwap:", &sum->swap);
		} else if (line(text, "VmRSS:", &unused)) {
			add_maps(pid, sum);
		}
	}
	(void)sys2(__NR_munmap, text, 8192);
}
