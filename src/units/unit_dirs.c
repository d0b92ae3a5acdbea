/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of a service. */
#include "units/unit_dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/tree.h"

static const struct kind {
	const char *directive, *mode, *variable;
	size_t base; /* offset in struct unit_place */
	bool owned;  /* by who runs the service */
} kinds[] = {
	{ "RuntimeDirectory", "RuntimeDirectoryMode", "RUNTIME_DIRECTORY", offsetof(struct unit_place, runtime), true },
	{ "StateDirectory", "StateDirectoryMode", "STATE_DIRECTORY", offsetof(struct unit_place, state), true },
	{ "CacheDirectory", "CacheDirectoryMode", "CACHE_DIRECTORY", offsetof(struct unit_place, cache), true },
	{ "LogsDirectory", "LogsDirectoryMode", "LOGS_DIRECTORY", offsetof(struct unit_place, logs), true },
	{ "ConfigurationDirectory", "ConfigurationDirectoryMode", "CONFIGURATION_DIRECTORY", offsetof(struct unit_place, config),
	  false },
};

static int fail(int error, const char *what, const char *path, char **ret_why)
{
	if (asprintf(ret_why, "%s %s: %s", what, path, strerrordesc_np(error)) < 0)
		*ret_why = NULL;
	return -error;
}

/* The directory and those above it, which are 0755 and ours. */
static int make_all(char *path, char **ret_why)
{
	for (char *at = path + 1; *at; at++) {
		int r;

		if (*at != '/')
			continue;
		*at = '\0';
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? fail(errno, "cannot make", path, ret_why) : 0;
		*at = '/';
		if (r < 0)
			return r;
	}
	return mkdir(path, 0755) < 0 && errno != EEXIST ? fail(errno, "cannot make", path, ret_why) : 0;
}

static int make(const struct unit *unit, const struct kind *kind, char *path, u32 mode, char **ret_why)
{
	struct stat st;
	int r = make_all(path, ret_why);

	if (r < 0)
		return r;
	CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(errno, "cannot open", path, ret_why);
	if (kind->owned && unit->place.system && (st.st_uid != unit->place.uid || st.st_gid != unit->place.gid) &&
	    fchown(fd, unit->place.uid, unit->place.gid) < 0)
		return fail(errno, "cannot give away", path, ret_why);
	if ((st.st_mode & 07777) != mode && fchmod(fd, mode) < 0)
		return fail(errno, "cannot set the mode of", path, ret_why);
	return 0;
}

/* A word of such a list, without `:LINK`, as a path. False: it leads elsewhere. */
static bool path_of(const struct unit *unit, const struct kind *kind, const char *word, char path[PATH_MAX])
{
	int length = (int)strcspn(word, ":");
	char rest[PATH_MAX];

	(void)snprintf(rest, sizeof(rest), "/%.*s/", length, word);
	if (*word == '/' || !length || strstr(rest, "/../"))
		return false;
	return snprintf(path, PATH_MAX, "%s/%.*s", (const char *)&unit->place + kind->base, length, word) < PATH_MAX;
}

static int make_kind(const struct unit *unit, const struct kind *kind, struct word_list *env, char **ret_why)
{
	struct word_list words = { 0 };
	const struct unit_setting *row;
	u32 mode = unit_get_mode(unit, "Service", kind->mode, 0755);
	CLEANUP_FREE char *value = NULL;
	int r = unit_list(unit, "Service", kind->directive, &words, &row);

	for (size_t i = 0; i < words.count && r == 0; i++) {
		char path[PATH_MAX], *more = NULL;

		r = path_of(unit, kind, words.words[i], path) ? make(unit, kind, path, mode, ret_why)
							      : fail(EINVAL, kind->directive, words.words[i], ret_why);
		if (r == 0 && asprintf(&more, "%s%s%s", value ? value : "", value ? ":" : "", path) < 0)
			r = -ENOMEM;
		if (r == 0) {
			free(value);
			value = more;
		}
	}
	word_list_done(&words);
	return r == 0 && value ? word_list_printf(env, "%s=%s", kind->variable, value) : r;
}

int unit_dirs_make(const struct unit *unit, struct word_list *env, char **ret_why)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && r == 0; i++)
		r = make_kind(unit, &kinds[i], env, ret_why);
	return r;
}

int unit_dirs_runtime(const struct unit_place *place, char **ret_why)
{
	struct stat st;

	if (place->system)
		return 0;
	if (mkdir(place->runtime, 0700) < 0 && errno != EEXIST)
		return fail(errno, "cannot make", place->runtime, ret_why);
	if (lstat(place->runtime, &st) < 0)
		return fail(errno, "cannot look at", place->runtime, ret_why);
	return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && !(st.st_mode & 022)
		     ? 0
		     : fail(EPERM, "others can write to", place->runtime, ret_why);
}

void unit_dirs_remove(const struct unit *unit)
{
	struct word_list words = { 0 };
	const struct unit_setting *row;
	const char *preserve = unit_get(unit, "Service", "RuntimeDirectoryPreserve");
	char path[PATH_MAX];

	if (preserve && strcmp(preserve, "no") != 0 && strcmp(preserve, "false") != 0)
		return;
	if (unit_list(unit, "Service", "RuntimeDirectory", &words, &row) == 0)
		for (size_t i = 0; i < words.count; i++)
			if (path_of(unit, &kinds[0], words.words[i], path))
				(void)tree_remove(AT_FDCWD, path);
	word_list_done(&words);
}
