// SPDX-License-Identifier: Apache-2.0
/* /proc/self/mountinfo, as far as probes need it. */
#include "gaps/mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies a field, turning \ooo into the byte it stands for. Returns false when it does not fit. */
static bool unescape(const char *from, char *to, size_t size)
{
	size_t used = 0;
	while (*from) {
		if (used + 1 >= size)
			return false;
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' && from[3] >= '0' &&
		    from[3] <= '7') {
			to[used++] = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			to[used++] = *from++;
		}
	}
	to[used] = '\0';
	return true;
}

bool mountinfo_parse(char *line, struct mountinfo_row *ret_row)
{
	line[strcspn(line, "\n")] = '\0';
	char *field[6];
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&line, " ");
		if (!field[i] || !line)
			return false;
	}
	struct mountinfo_row row = { 0 };
	if (sscanf(field[2], "%u:%u", &row.major, &row.minor) != 2 || !unescape(field[4], row.point, sizeof(row.point)))
		return false;
	const char *tag;
	do { /* optional fields end at a lone dash; gVisor leaves an empty one */
		tag = strsep(&line, " ");
	} while (tag && strcmp(tag, "-") != 0);
	const char *type = strsep(&line, " ");
	const char *source = strsep(&line, " ");
	const char *options = strsep(&line, " ");
	if (!tag || !type || !source || !options || !unescape(type, row.type, sizeof(row.type)))
		return false;
	snprintf(row.options, sizeof(row.options), "%s", options);
	*ret_row = row;
	return true;
}

/* Whether a comma-separated list has this element. */
static bool has_option(const char *list, const char *option)
{
	size_t length = strlen(option);
	for (const char *at = list; (at = strstr(at, option)); at += length)
		if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
			return true;
	return false;
}

int mountinfo_find(const char *point, const char *type, const char *option, struct mountinfo_row *ret_row)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	if (!file)
		return -errno;
	int result = -ENOENT;
	char *line = NULL;
	size_t size = 0;
	struct mountinfo_row row;
	while (getline(&line, &size, file) > 0) {
		if (!mountinfo_parse(line, &row) || (point && strcmp(row.point, point) != 0) ||
		    (type && strcmp(row.type, type) != 0) || (option && !has_option(row.options, option)))
			continue;
		*ret_row = row;
		result = 0;
	}
	free(line);
	fclose(file);
	return result;
}
