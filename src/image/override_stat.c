// SPDX-License-Identifier: Apache-2.0
/* What a file truly is, as text. */
#include "image/override_stat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

size_t override_stat_text(const struct override_stat *stat, char text[OVERRIDE_STAT_MAX])
{
	int n = snprintf(text, OVERRIDE_STAT_MAX, "%u:%u:0%o", stat->uid, stat->gid, stat->mode);
	if (stat->type)
		n += snprintf(text + n, OVERRIDE_STAT_MAX - (size_t)n, ":%s-%u-%u", stat->type == 'b' ? "block" : "char",
			      stat->major, stat->minor);
	return (size_t)n;
}

/* A number that ends with `end` or with the text. */
static int take_number(const char **at, int base, char end, u32 *ret_number)
{
	char *stop;
	if (**at < '0' || **at > '9')
		return -EINVAL;
	errno = 0;
	unsigned long value = strtoul(*at, &stop, base);
	if (errno || value > UINT32_MAX || (*stop && *stop != end))
		return -EINVAL;
	*at = stop + (*stop == end && *stop);
	*ret_number = (u32)value;
	return 0;
}

int override_stat_parse(const char *text, struct override_stat *ret_stat)
{
	struct override_stat stat = { 0 };
	const char *at = text;
	if (take_number(&at, 10, ':', &stat.uid) || take_number(&at, 10, ':', &stat.gid) || take_number(&at, 8, ':', &stat.mode))
		return -EINVAL;
	stat.mode &= 07777;
	bool is_block = strncmp(at, "block-", 6) == 0, is_char = strncmp(at, "char-", 5) == 0;
	if (is_block || is_char) {
		stat.type = is_block ? 'b' : 'c';
		at += is_block ? 6 : 5;
		if (take_number(&at, 10, '-', &stat.major) || take_number(&at, 10, '-', &stat.minor) || *at)
			return -EINVAL;
	}
	*ret_stat = stat;
	return 0;
}

struct place {
	char directory[32], name[256]; /* of the attribute */
};

static int find_place(int dir, const char *name, struct place *ret)
{
	snprintf(ret->directory, sizeof(ret->directory), "/proc/self/fd/%d", dir);
	int n = snprintf(ret->name, sizeof(ret->name), OVERRIDE_OWNER_PREFIX "%s", name);
	return (size_t)n < sizeof(ret->name) ? 0 : -ENAMETOOLONG;
}

int override_owner_read(int dir, const char *name, struct override_stat *ret_stat)
{
	char text[OVERRIDE_STAT_MAX];
	struct place place = { 0 };
	int error = find_place(dir, name, &place);
	if (error)
		return error;
	ssize_t n = getxattr(place.directory, place.name, text, sizeof(text) - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	return override_stat_parse(text, ret_stat);
}

int override_owner_write(int dir, const char *name, const struct override_stat *stat)
{
	char text[OVERRIDE_STAT_MAX];
	struct place place = { 0 };
	int error = find_place(dir, name, &place);
	if (error)
		return stat ? error : 0;
	if (stat)
		return setxattr(place.directory, place.name, text, override_stat_text(stat, text), 0) ? -errno : 0;
	return removexattr(place.directory, place.name) && errno != ENODATA && errno != EOPNOTSUPP ? -errno : 0;
}
