/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sysctl says before it is written. A row's "=name" is computed here from what the kernel tells by other ways (uname, prctl,
 * sysinfo, sched_getaffinity, getrandom), sizes that depend on memory by the kernel's own formulas (the function named beside each).
 */
#include "gaps/sysctl/sysctl_int.h"

#define PR_CAPBSET_READ_ 23

struct utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

struct sysinfo {
	s64 uptime;
	u64 loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	u16 procs, pad;
	u64 totalhigh, freehigh;
	u32 unit;
};

static u64 memory_bytes(void)
{
	struct sysinfo info;

	if (sys1(__NR_sysinfo, &info) < 0)
		return UINT64_C(1) << 30;
	return info.totalram * (info.unit ? info.unit : 1);
}

static u64 clamp(u64 value, u64 low, u64 high)
{
	return value < low ? low : value > high ? high : value;
}

static u64 square_root(u64 n)
{
	u64 root = 0;

	for (u64 bit = UINT64_C(1) << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= n)
			root |= bit;
	return root;
}

/* Processors that this process may use: the kernel counts possible ones, of which nobody else tells. */
static u64 processors(void)
{
	u64 mask[64], count = 0;
	long size = sys3(__NR_sched_getaffinity, 0, sizeof(mask), mask);

	for (long i = 0; i < size / 8; i++)
		for (u64 word = mask[i]; word; word &= word - 1)
			count++;
	return count ? count : 1;
}

static u64 last_capability(void)
{
	u64 cap = 0;

	if (commons()->emulated & (1u << GAP_identity))
		return identity_last_cap();
	while (cap < 63 && sys2(__NR_prctl, PR_CAPBSET_READ_, cap + 1) >= 0)
		cap++;
	return cap;
}

static u64 put_string(char *text, const char *from)
{
	u64 length = strlen(from);

	memcpy(text, from, length + 1);
	return length;
}

static u64 put_uuid(char *text)
{
	static const char digits[] = "0123456789abcdef";
	u8 bytes[16];
	u64 used = 0;

	if (sys3(__NR_getrandom, bytes, sizeof(bytes), 0) != sizeof(bytes))
		memset(bytes, 0, sizeof(bytes));
	bytes[6] = (bytes[6] & 0x0f) | 0x40; /* RFC 9562: version 4 */
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (u32 i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			text[used++] = '-';
		text[used++] = digits[bytes[i] >> 4];
		text[used++] = digits[bytes[i] & 15];
	}
	text[used] = 0;
	return used;
}

/* Pages of three thresholds around a limit: tcp_init_mem(), udp_init(). */
static u64 put_pressure(char *text, u64 limit)
{
	u64 low, used;

	limit = clamp(limit, 128, UINT64_MAX / 2);
	low = limit / 4 * 3;
	used = sysctl_value_put(text, 0, low, false);
	text[used++] = '\t';
	used = sysctl_value_put(text, used, limit, false);
	text[used++] = '\t';
	return sysctl_value_put(text, used, low * 2, false);
}

/* nf_conntrack_init_start() */
static u64 conntrack_size(u64 memory)
{
	if (memory > UINT64_C(4) << 30)
		return 262144;
	if (memory > UINT64_C(1) << 30)
		return 65536;
	return clamp(memory / 16384 / 8, 1024, 65536);
}

static bool computed_number(const char *name, u64 *number)
{
	u64 memory = memory_bytes();

	if (!strcmp(name, "cap_last_cap"))
		*number = last_capability();
	else if (!strcmp(name, "pid_max")) /* pid_idr_init() */
		*number = clamp(processors() * 1024, 32768, 4194304);
	else if (!strcmp(name, "ns_last_pid"))
		*number = (u64)agent_pid();
	else if (!strcmp(name, "pty_nr"))
		*number = 0;
	else if (!strcmp(name, "threads_max")) /* set_max_threads(): THREAD_SIZE 16 KiB */
		*number = clamp(memory / (16384 * 8), 20, 0x3fffffff);
	else if (!strcmp(name, "namespaces")) /* user_namespaces_init() by fork_init() */
		*number = clamp(memory / (16384 * 8), 20, 0x3fffffff) / 2;
	else if (!strcmp(name, "file_max")) /* files_maxfiles_init() */
		*number = clamp(memory / 1024 / 10, 8192, INT64_MAX);
	else if (!strcmp(name, "epoll_watches")) /* eventpoll_init(): 184 bytes each, 4 % of memory */
		*number = memory / 25 / 184;
	else if (!strcmp(name, "inotify_watches")) /* inotify_user_setup(): 1 % of memory */
		*number = clamp(memory / 100 / 1312, 8192, 1048576);
	else if (!strcmp(name, "fanotify_marks")) /* fanotify_user_setup() */
		*number = clamp(memory / 100 / 1232, 8192, 1048576);
	else if (!strcmp(name, "min_free")) /* calculate_min_free_kbytes() */
		*number = clamp(square_root(memory / 1024 * 16), 128, 262144);
	else if (!strcmp(name, "conntrack"))
		*number = conntrack_size(memory);
	else
		return false;
	return true;
}

/* The member of struct utsname that a name means, or NULL. */
static const char *computed_name(const char *name, struct utsname *uts)
{
	const char *from = NULL;

	if (!strcmp(name, "hostname"))
		from = uts->nodename;
	else if (!strcmp(name, "domainname"))
		from = uts->domainname;
	else if (!strcmp(name, "ostype"))
		from = uts->sysname;
	else if (!strcmp(name, "osrelease"))
		from = uts->release;
	else if (!strcmp(name, "version"))
		from = uts->version;
	else if (!strcmp(name, "machine"))
		from = uts->machine;
	return from && sys1(__NR_uname, uts) == 0 ? from : NULL;
}

static u64 compute(const char *name, char *text)
{
	struct utsname uts;
	const char *from = computed_name(name, &uts);
	u64 number;

	if (from)
		return put_string(text, from);
	if (!strcmp(name, "boot_id"))
		return put_string(text, sysctl_area()->boot_id);
	if (!strcmp(name, "uuid"))
		return put_uuid(text);
	if (!strcmp(name, "tcp_mem"))
		return put_pressure(text, memory_bytes() / 4096 / 16);
	if (!strcmp(name, "udp_mem"))
		return put_pressure(text, memory_bytes() / 4096 / 8);
	if (!strcmp(name, "file_nr")) { /* how many are open on the host is not told */
		number = put_string(text, "0\t0\t");
		return sysctl_value_put(text, number, clamp(memory_bytes() / 1024 / 10, 8192, INT64_MAX), false);
	}
	if (computed_number(name, &number))
		return sysctl_value_put(text, 0, number, false);
	text[0] = 0;
	return 0;
}

/* "1@all=0@lo=-1": the part for this interface. */
static u64 pick(const char *initial, const char *instance, char *text)
{
	u64 size = strlen(instance), used = 0;
	const char *from = initial;

	for (const char *at = initial; *at; at++)
		if (*at == '@' && size && !strncmp(at + 1, instance, size) && at[1 + size] == '=')
			from = at + 2 + size;
	for (; *from && *from != '@'; from++)
		text[used++] = *from;
	text[used] = 0;
	return used;
}

u64 sysctl_truth(const struct sysctl_key *key, char *text)
{
	const struct sysctl_row *row = sysctl_row_at(key->row);

	return row->initial[0] == '=' ? compute(row->initial + 1, text) : pick(row->initial, key->instance, text);
}
