// SPDX-License-Identifier: Apache-2.0
/*
 * Users of a tree. Its files are not trusted: lines are read one by one, what is no row of passwd(5) or group(5) is passed over.
 * glibc's fgetpwent(3) and its kin are not used: they take a row's ids for what they are not when a row is malformed.
 */
#include "host/users.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree_look.h"

#define FILE_MAX (INT64_C(16) << 20) /* bytes of a file that are looked at */
#define FIELDS 7

struct row {
	char *field[FIELDS];
	int count;
};

struct rows {
	FILE *file;
	char *line;
	size_t room;
	s64 seen;
};

static int PRINTF_LIKE(3, 4) fail(struct user_found *ret, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(ret->why, sizeof(ret->why), format, args);
	va_end(args);
	return -error;
}

static void rows_begin(struct rows *rows, const char *const *layers, u32 count, const char *path)
{
	int fd = tree_look_open(layers, count, path);

	*rows = (struct rows){ .file = fd < 0 ? NULL : fdopen(fd, "re") };
	if (!rows->file && fd >= 0)
		(void)close(fd);
}

static void rows_end(struct rows *rows)
{
	if (rows->file)
		(void)fclose(rows->file);
	free(rows->line);
}

/* The next row, cut at its colons; it lives until the one after it. */
static bool rows_next(struct rows *rows, struct row *ret)
{
	ssize_t n = rows->file && rows->seen < FILE_MAX ? getline(&rows->line, &rows->room, rows->file) : -1;
	char *rest = rows->line;

	if (n < 0)
		return false;
	rows->seen += n;
	rest[strcspn(rest, "\r\n")] = 0;
	for (ret->count = 0; ret->count < FIELDS && rest; ret->count++)
		ret->field[ret->count] = strsep(&rest, ":");
	return true;
}

/* An id: -1 is none (setresuid(2)). */
static bool number(const char *text, u32 *ret)
{
	char *end;
	unsigned long value;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value >= UINT32_MAX)
		return false;
	*ret = (u32)value;
	return true;
}

static bool all_digits(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

/* The row of passwd that a name or number means; `name`: 256 bytes, who that is. */
static bool find_user(const char *const *layers, u32 count, const char *word, struct user_found *ret, char *name)
{
	struct rows rows;
	struct row row;
	u32 wanted = 0, uid, gid;
	bool numeric = number(word, &wanted), found = false;

	rows_begin(&rows, layers, count, "/etc/passwd");
	while (!found && rows_next(&rows, &row)) {
		if (row.count < 4 || !number(row.field[2], &uid) || !number(row.field[3], &gid))
			continue;
		found = !strcmp(row.field[0], word) || (numeric && uid == wanted);
		if (!found)
			continue;
		ret->identity.uid = uid;
		ret->identity.gid = gid;
		(void)snprintf(name, 256, "%s", row.field[0]);
		if (row.count > 5 && *row.field[5])
			(void)snprintf(ret->home, sizeof(ret->home), "%s", row.field[5]);
	}
	rows_end(&rows);
	if (!found && numeric)
		ret->identity.uid = wanted;
	return found || numeric;
}

/* The first row of group of this name, or number where no row has it. */
static bool find_group(const char *const *layers, u32 count, const char *word, u32 *ret)
{
	struct rows rows;
	struct row row;
	u32 gid;
	bool found = number(word, ret);

	rows_begin(&rows, layers, count, "/etc/group");
	while (!found && rows_next(&rows, &row)) {
		found = row.count >= 3 && !strcmp(row.field[0], word) && number(row.field[2], &gid);
		if (found)
			*ret = gid;
	}
	rows_end(&rows);
	return found;
}

static int add_group(struct user_found *ret, u32 gid)
{
	struct identity_start *who = &ret->identity;

	for (u32 i = 0; i < who->group_count; i++)
		if (who->groups[i] == gid)
			return 0;
	if (who->group_count == IDENTITY_GROUPS_MAX)
		return fail(ret, E2BIG, "more than %u groups", IDENTITY_GROUPS_MAX);
	who->groups[who->group_count++] = gid;
	return 0;
}

static bool lists(const char *members, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = members; *at; at += at[strcspn(at, ",")] ? strcspn(at, ",") + 1 : strcspn(at, ","))
		if (strcspn(at, ",") == n && !strncmp(at, name, n))
			return true;
	return false;
}

/* The groups that list the user. What is beyond IDENTITY_GROUPS_MAX does not count: nobody asked for it by name. */
static void add_memberships(const char *const *layers, u32 count, const char *name, struct user_found *ret)
{
	struct rows rows;
	struct row row;
	u32 gid;

	rows_begin(&rows, layers, count, "/etc/group");
	while (rows_next(&rows, &row))
		if (row.count >= 4 && number(row.field[2], &gid) && lists(row.field[3], name) && add_group(ret, gid) < 0)
			break;
	rows_end(&rows);
}

int users_find(const char *const *layers, u32 count, const char *text, const char *const *groups, struct user_found *ret)
{
	CLEANUP_FREE char *word = strdup(text && *text ? text : "0");
	char name[256] = "", *group = word ? strchr(word, ':') : NULL;
	u32 gid;
	int r = 0;

	*ret = (struct user_found){ .home = "/" };
	if (!word)
		return fail(ret, ENOMEM, "out of memory");
	if (group)
		*group++ = 0;
	if (group && !*group)
		group = NULL;
	if (!find_user(layers, count, *word ? word : "0", ret, name))
		return all_digits(word) ? fail(ret, EINVAL, "no user id is '%.100s'", word)
					: fail(ret, ENOENT, "there is no user '%.100s' in /etc/passwd", word);
	if (group && !find_group(layers, count, group, &ret->identity.gid))
		// cppcheck-suppress memleak ; CLEANUP_FREE
		return all_digits(group) ? fail(ret, EINVAL, "no group id is '%.100s'", group)
					 : fail(ret, ENOENT, "there is no group '%.100s' in /etc/group", group);
	if (!group && name[0])
		add_memberships(layers, count, name, ret);
	for (; groups && *groups && r == 0; groups++)
		r = find_group(layers, count, *groups, &gid)
			  ? add_group(ret, gid)
			  : fail(ret, ENOENT, "there is no group '%.100s' in /etc/group", *groups);
	return r;
}
