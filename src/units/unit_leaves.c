/* SPDX-License-Identifier: Apache-2.0 */
/* What daemons leave behind: see the header. */
#include "units/unit_leaves.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gaps/mountinfo.h"
#include "host/tree.h"

int unit_leaves_note(const struct word_list *paths, struct word_list *ret)
{
	struct stat st;
	int r = 0;

	for (size_t i = 0; i < paths->count && r == 0; i++)
		if (lstat(paths->words[i], &st) < 0 && errno == ENOENT)
			r = word_list_add(ret, paths->words[i]);
	return r;
}

static bool is_below(const char *path, const char *above)
{
	size_t length = strlen(above);

	return strncmp(path, above, length) == 0 && (!path[length] || path[length] == '/');
}

/* Unmounts what was mounted last at or below a path. Whether there was anything. */
static bool unmount_one(const char *path)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char point[sizeof(((struct mountinfo_row *)NULL)->point)] = "", *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0) {
		struct mountinfo_row row;

		if (mountinfo_parse(line, &row) && is_below(row.point, path))
			(void)snprintf(point, sizeof(point), "%s", row.point);
	}
	free(line);
	if (file)
		(void)fclose(file);
	return *point && umount2(point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
}

static void remove_one(const char *path)
{
	char *real = realpath(path, NULL); /* /var/run is a link */

	if (!real)
		return;
	while (unmount_one(real))
		;
	(void)tree_remove(AT_FDCWD, real);
	free(real);
}

void unit_leaves_remove(const struct word_list *leaves)
{
	for (size_t i = 0; i < leaves->count; i++)
		remove_one(leaves->words[i]);
}

/* Whether somebody serves a socket. */
static bool is_served(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (!path || *path != '/' || fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path));
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EAGAIN;
}

void unit_leaves_clear(const json_t *record)
{
	const json_t *unit, *leaf;
	size_t i, k;

	json_array_foreach(json_object_get(record, "units"), i, unit)
	{
		if (is_served(json_string_value(json_object_get(json_object_get(unit, "asked"), "at"))))
			continue;
		json_array_foreach(json_object_get(unit, "leaves"), k, leaf)
		{
			const char *path = json_string_value(leaf);

			if (path && *path == '/')
				remove_one(path);
		}
	}
}
