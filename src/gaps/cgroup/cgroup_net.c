/* SPDX-License-Identifier: Apache-2.0 */
/* net_prio.ifpriomap: a priority per network interface, kept as lines in the file and told of all that there are. net/core/netprio_cgroup.c. */
#include "base/decimal.h"
#include "gaps/cgroup/cgroup_int.h"

#define NAME_MAX_ 16u /* IFNAMSIZ, with its NUL */
#define MAP_SIZE 512u
#define LISTING_SIZE 65536u

/* The next interface of /proc/net/dev, behind *at: its name, or false. */
static bool next_interface(const char **at, char name[NAME_MAX_])
{
	while (**at) {
		const char *line = *at;
		u64 length = 0;

		while (**at && **at != '\n')
			(*at)++;
		*at += **at == '\n';
		while (*line == ' ')
			line++;
		while (line[length] && line[length] != ':' && line[length] != '|' && line[length] != '\n')
			length++;
		if (line[length] != ':' || length >= NAME_MAX_)
			continue;
		memcpy(name, line, length);
		name[length] = 0;
		return true;
	}
	return false;
}

/* Reads it into memory of its own, NUL-terminated; NULL when it cannot be had. */
static char *interfaces(void)
{
	long at = sys6(__NR_mmap, 0, LISTING_SIZE, 3, 0x4022 /* PRIVATE|ANONYMOUS|NORESERVE */, ~UINT64_C(0), 0), fd, n;
	char *text = (char *)at; /* NOLINT(performance-no-int-to-ptr) */
	u64 used = 0;

	if (at < 0 && at > -4096)
		return NULL;
	fd = sys4(__NR_openat, CG_AT_FDCWD, "/proc/net/dev", CG_O_CLOEXEC, 0);
	while (fd >= 0 && used < LISTING_SIZE - 1 && (n = sys3(__NR_read, fd, text + used, LISTING_SIZE - 1 - used)) > 0)
		used += (u64)n; /* what follows is 0 */
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	return text;
}

static bool is_interface(const char *wanted)
{
	char *listing = interfaces(), name[NAME_MAX_];
	const char *at = listing;
	bool there = false;

	while (listing && !there && next_interface(&at, name))
		there = !strcmp(name, wanted);
	if (listing)
		(void)sys2(__NR_munmap, listing, LISTING_SIZE);
	return there;
}

/* The line of an interface in a map: where it begins, NULL: there is none. */
static char *line_of(char *map, const char *name)
{
	u64 length = strlen(name);

	for (char *at = map; *at;) {
		if (!strncmp(at, name, length) && at[length] == ' ')
			return at;
		while (*at && *at != '\n')
			at++;
		at += *at == '\n';
	}
	return NULL;
}

static void read_map(u32 group, char map[MAP_SIZE])
{
	long n = cg_get_text(group, CG_V1_IFPRIOMAP, map, MAP_SIZE - 1);

	map[n < 0 ? 0 : n] = 0;
}

void cg_say_priorities(struct cg_text *out, u32 group)
{
	char map[MAP_SIZE], name[NAME_MAX_];
	char *listing = interfaces();
	const char *at = listing, *line;

	read_map(group, map);
	while (listing && next_interface(&at, name)) {
		u64 priority = 0;

		line = line_of(map, name);
		if (line) {
			line += strlen(name) + 1;
			priority = cg_parse_u64(&line);
		}
		cg_say_row(out, name, priority);
	}
	if (listing)
		(void)sys2(__NR_munmap, listing, LISTING_SIZE);
}

/* "lo 5" */
long cg_write_priority(u32 group, const char *text)
{
	char map[MAP_SIZE], name[NAME_MAX_], *line;
	const char *number = text;
	u64 length = 0, used, priority;

	while (*number && *number != ' ' && length < NAME_MAX_ - 1)
		name[length++] = *number++;
	name[length] = 0;
	while (*number == ' ')
		number++;
	if (!length || *number < '0' || *number > '9')
		return -EINVAL;
	priority = cg_parse_u64(&number);
	if (!is_interface(name))
		return -ENODEV;
	read_map(group, map);
	line = line_of(map, name);
	if (line) {
		char *end = line;

		while (*end && *end != '\n')
			end++;
		end += *end == '\n';
		memmove(line, end, strlen(end) + 1);
	}
	used = strlen(map);
	if (used + length + DECIMAL_MAX + 3 > sizeof(map))
		return -ENOMEM;
	memcpy(map + used, name, length);
	map[used + length] = ' ';
	used += length + 1;
	used += decimal_put(map + used, (u32)priority);
	map[used++] = '\n';
	return cg_put_text(group, CG_V1_IFPRIOMAP, map, used);
}
