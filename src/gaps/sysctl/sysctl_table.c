/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sysctls: binary search by path, directories as common beginnings of paths. Free of relocations: strings lie in the rows. */
#include "gaps/sysctl/sysctl_table.h"

static const struct sysctl_row rows[] = {
#define SYSCTL(path_, mode_, kind_, count_, initial_, min_, max_, scope_, effect_, source_) \
	{ .path = path_, .mode = mode_, .kind = SYSCTL_##kind_, .count = count_, .initial = initial_, .min = min_, .max = max_ },
#include "gaps/sysctl/sysctl_table.def"
#undef SYSCTL
};
static_assert(ARRAY_SIZE(rows) <= SYSCTL_ROWS_MAX, "a bit in the area for each row");

u32 sysctl_rows(void)
{
	return ARRAY_SIZE(rows);
}

const struct sysctl_row *sysctl_row_at(u32 row)
{
	return &rows[row];
}

/* The first row whose path is not below `path` in order. */
static u32 lower_bound(const char *path)
{
	u32 low = 0, high = ARRAY_SIZE(rows);

	while (low < high) {
		u32 middle = (low + high) / 2;

		if (strcmp(rows[middle].path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The first row below a directory, or sysctl_rows(). room for a slash behind path. */
static u32 first_below(const char *path)
{
	char prefix[64];
	u64 length = strlen(path);
	u32 row;

	if (!length)
		return 0;
	if (length + 2 > sizeof(prefix))
		return ARRAY_SIZE(rows);
	memcpy(prefix, path, length);
	prefix[length++] = '/';
	prefix[length] = 0;
	row = lower_bound(prefix);
	return row < ARRAY_SIZE(rows) && !strncmp(rows[row].path, prefix, length) ? row : ARRAY_SIZE(rows);
}

static bool lookup_plain(const char *path, struct sysctl_found *found)
{
	u32 row = lower_bound(path);

	found->directory = false;
	found->row = row;
	if (row < ARRAY_SIZE(rows) && !strcmp(rows[row].path, path))
		return true;
	found->directory = true;
	found->row = first_below(path);
	return found->row < ARRAY_SIZE(rows);
}

/* Where the interface stands in net/ipv{4,6}/{conf,neigh}/INTERFACE…: its offset, or 0. */
static u64 interface_at(const char *path)
{
	if (strncmp(path, "net/ipv4/", 9) && strncmp(path, "net/ipv6/", 9))
		return 0;
	if (!strncmp(path + 9, "conf/", 5))
		return 14;
	return strncmp(path + 9, "neigh/", 6) ? 0 : 15;
}

bool sysctl_lookup(const char *path, struct sysctl_found *found)
{
	char pattern[128];
	u64 at = interface_at(path), end = at, length = strlen(path);

	memset(found->instance, 0, sizeof(found->instance));
	if (!at || !path[at])
		return lookup_plain(path, found);
	while (path[end] && path[end] != '/')
		end++;
	if (end == at || end - at >= sizeof(found->instance) || length >= sizeof(pattern) || path[at] == '*')
		return false;
	if (at == 15 && end - at == 3 && !strncmp(path + at, "all", 3))
		return false; /* neigh has no "all" */
	memcpy(found->instance, path + at, end - at);
	memcpy(pattern, path, at);
	pattern[at] = '*';
	memcpy(pattern + at + 1, path + end, length - end + 1);
	if (lookup_plain(pattern, found))
		return true;
	/* neigh/default has files that interfaces have not */
	return !strcmp(found->instance, "default") && lookup_plain(path, found);
}

u32 sysctl_row_of(const char *path)
{
	return lower_bound(path);
}

bool sysctl_child(const char *path, u32 n, char *name, bool *directory)
{
	u64 length = *path ? strlen(path) + 1 : 0;
	const char *last = NULL;
	u64 last_size = 0;

	for (u32 row = first_below(path); row < ARRAY_SIZE(rows); row++) {
		const char *part = rows[row].path + length;
		u64 size = 0;

		if (length && (strncmp(rows[row].path, path, length - 1) || rows[row].path[length - 1] != '/'))
			return false;
		while (part[size] && part[size] != '/')
			size++;
		if (last && size == last_size && !strncmp(part, last, size))
			continue;
		last = part;
		last_size = size;
		if (n--)
			continue;
		memcpy(name, part, size);
		name[size] = 0;
		*directory = part[size] == '/';
		return true;
	}
	return false;
}
