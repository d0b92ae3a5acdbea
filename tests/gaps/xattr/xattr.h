/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of gap xattr share: attributes as lines. */
#ifndef XATTR_H
#define XATTR_H

#include "difftest.h"

#include <linux/capability.h>
#include <sys/xattr.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of a list in rising order, but those that a machine's security module adds. */
MAYBE_UNUSED static void say_list(const char *what, ssize_t size, char *list)
{
	char line[900] = "", *names[32];
	size_t count = 0;

	for (char *at = list; size > 0 && at < list + size; at += strlen(at) + 1)
		if (strcmp(at, "security.selinux") != 0 && count < COUNT(names))
			names[count++] = at;
	qsort(names, count, sizeof(names[0]), by_text);
	for (size_t i = 0; i < count; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), " %s", names[i]);
	say("%s: %s%s", what, size < 0 ? errno_name(errno) : "", line);
}

/* A value as hexadecimal digits, or the error. */
MAYBE_UNUSED static void say_value(const char *what, ssize_t size, const void *value)
{
	const unsigned char *at = value;
	char line[200] = "";

	for (ssize_t i = 0; i < size && i < 64; i++)
		snprintf(line + i * 2, sizeof(line) - (size_t)i * 2, "%02x", at[i]);
	say("%s: %s%s", what, size < 0 ? errno_name(errno) : "", line);
}

#endif
