// SPDX-License-Identifier: Apache-2.0
/* Where lichen keeps what outlives a command. */
#include "host/state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* Writes the directory's name as the environment gives it. */
static int choose(char path[PATH_MAX])
{
	const char *state = variable("LICHEN_STATE"), *xdg = variable("XDG_STATE_HOME"), *home = variable("HOME");
	int length;
	*path = '\0';
	if (state)
		length = snprintf(path, PATH_MAX, "%s", state);
	else if (geteuid() == 0)
		length = snprintf(path, PATH_MAX, "/var/lib/lichen");
	else if (xdg && *xdg == '/')
		length = snprintf(path, PATH_MAX, "%s/lichen", xdg);
	else if (home)
		length = snprintf(path, PATH_MAX, "%s/.local/state/lichen", home);
	else
		return -ENOENT;
	return length < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* mkdir -p */
static int make_all(char *path)
{
	int error = 0; /* why a parent is missing */
	for (char *at = path + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(path, 0700) && errno != EEXIST && !error)
			error = -errno;
		*at = '/';
	}
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return errno == ENOENT && error ? error : -errno;
}

int state_dir_open(char path[PATH_MAX])
{
	struct stat st;
	int error = choose(path);
	if (error)
		return error;
	/* The usual case first: it is there. */
	CLEANUP_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT) {
		error = make_all(path);
		if (error)
			return error;
		dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (dir < 0 || fstat(dir, &st))
		return -errno;
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return -EACCES;
	CLEANUP_FREE char *resolved = realpath(path, NULL);
	if (!resolved)
		return -errno;
	if (strlen(resolved) >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, resolved, strlen(resolved) + 1);
	return take_fd(&dir);
}

bool state_dir_has(const char *name)
{
	char path[PATH_MAX], whole[PATH_MAX];
	return choose(path) == 0 && snprintf(whole, sizeof(whole), "%s/%s", path, name) < (int)sizeof(whole) &&
	       faccessat(AT_FDCWD, whole, F_OK, AT_EACCESS) == 0;
}
