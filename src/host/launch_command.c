/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the program of a command. */
#include "host/launch_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *env_value(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++)
		if (!strncmp(*envp, name, n) && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

/* In a tree of the cell's own its first program is searched where that is the root. */
int launch_copy_command(const char *command, char *out)
{
	if (!*command)
		return -ENOENT;
	return snprintf(out, PATH_MAX, "%s", command) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

static bool may_be_any(const void *data, const char *path)
{
	(void)data;
	(void)path;
	return true;
}

int launch_find_command(const char *command, char *const *envp, char *out)
{
	return launch_find_command_that(command, envp, may_be_any, NULL, out);
}

int launch_find_command_that(const char *command, char *const *envp, bool (*may)(const void *data, const char *path),
			     const void *data, char *out)
{
	const char *path = env_value(envp, "PATH"), *colon;
	int result = -ENOENT;

	if (!*command)
		return -ENOENT;
	if (strchr(command, '/')) {
		if (strlen(command) >= PATH_MAX)
			return -ENAMETOOLONG;
		(void)snprintf(out, PATH_MAX, "%s", command);
		return 0;
	}
	for (path = path ? path : "/usr/local/bin:/usr/bin:/bin"; path; path = colon ? colon + 1 : NULL) {
		struct stat st;
		int length;

		colon = strchr(path, ':');
		length = colon ? (int)(colon - path) : (int)strlen(path);
		if (snprintf(out, PATH_MAX, "%.*s%s%s", length, path, length ? "/" : "", command) >= PATH_MAX)
			continue;
		if (stat(out, &st) < 0 || S_ISDIR(st.st_mode))
			continue;
		if (faccessat(AT_FDCWD, out, X_OK, AT_EACCESS) == 0 && may(data, out))
			return 0;
		result = -EACCES;
	}
	return result;
}
