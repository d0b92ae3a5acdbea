/* SPDX-License-Identifier: Apache-2.0 */
/* Reading mountinfo and mounts in the tests of fstype: as their readers do, apart from the agent's own parser. */
#ifndef FSTYPE_MOUNTS_H
#define FSTYPE_MOUNTS_H

#include "difftest.h"
#include <sys/sysmacros.h>

#define ROWS 512

struct row {
	unsigned major, minor;
	char point[512], options[256], type[64], source[512], super[1024];
};

struct table {
	struct row row[ROWS];
	int count;
};

MAYBE_UNUSED static char *slurp_fd(int fd, size_t *ret_size)
{
	size_t room = 1 << 20, used = 0;
	char *text = malloc(room);
	ssize_t n;

	while ((n = read(fd, text + used, room - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	if (ret_size)
		*ret_size = used;
	return text;
}

/* The bytes of a file; its error's name when it cannot be opened. */
MAYBE_UNUSED static char *slurp(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	if (fd < 0)
		return strdup(errno_name(errno));
	text = slurp_fd(fd, NULL);
	close(fd);
	return text;
}

MAYBE_UNUSED static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

/* As moby/sys/mountinfo counts: six fields from the front, three behind the dash. */
MAYBE_UNUSED static struct table *read_mountinfo(const char *path)
{
	struct table *table = calloc(1, sizeof(*table));
	char *text = slurp(path), *line, *rest = text;

	while ((line = strsep(&rest, "\n")) && *line) {
		struct row *row = &table->row[table->count];
		char *dash = strstr(line, " - ");

		if (dash && table->count < ROWS &&
		    sscanf(line, "%*u %*u %u:%u %*s %511s %255s", &row->major, &row->minor, row->point, row->options) == 4 &&
		    sscanf(dash + 3, "%63s %511s %1023s", row->type, row->source, row->super) == 3) {
			unescape(row->point);
			table->count++;
		} else {
			say("not a row: %s", line);
		}
	}
	free(text);
	return table;
}

/* The mount that a path is on: of those with the longest mount point, the last. */
MAYBE_UNUSED static struct row *mount_of(struct table *table, const char *path)
{
	struct row *best = NULL;
	size_t longest = 0;

	for (int i = 0; i < table->count; i++) {
		const char *point = table->row[i].point;
		size_t length = strcmp(point, "/") ? strlen(point) : 0;

		if (strncmp(path, point, length) || (path[length] && path[length] != '/') || length < longest)
			continue;
		best = &table->row[i];
		longest = length;
	}
	return best;
}

#endif
