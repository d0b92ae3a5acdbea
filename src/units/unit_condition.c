/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions and asserts. */
#include "units/unit_condition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"

static bool directory_filled(const char *path)
{
	DIR *stream = opendir(path);
	const struct dirent *entry;
	bool filled = false;

	if (!stream)
		return false;
	while (!filled && (entry = readdir(stream)))
		filled = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	(void)closedir(stream);
	return filled;
}

static bool any_matches(const char *pattern)
{
	glob_t found;
	bool any = glob(pattern, GLOB_NOSORT, NULL, &found) == 0;

	if (any)
		globfree(&found);
	return any;
}

/* 1, 0; -EINVAL: it is none about paths. */
static int path_holds(const char *what, const char *path)
{
	struct stat st;
	struct statvfs fs;

	if (strcmp(what, "PathExists") == 0)
		return access(path, F_OK) == 0;
	if (strcmp(what, "PathExistsGlob") == 0)
		return any_matches(path);
	if (strcmp(what, "PathIsDirectory") == 0)
		return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	if (strcmp(what, "PathIsSymbolicLink") == 0)
		return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
	if (strcmp(what, "PathIsMountPoint") == 0) {
		struct stat up;
		char parent[4096];

		(void)snprintf(parent, sizeof(parent), "%.4000s/..", path);
		return stat(path, &st) == 0 && stat(parent, &up) == 0 && (st.st_dev != up.st_dev || st.st_ino == up.st_ino);
	}
	if (strcmp(what, "PathIsReadWrite") == 0)
		return statvfs(path, &fs) == 0 && !(fs.f_flag & ST_RDONLY);
	if (strcmp(what, "DirectoryNotEmpty") == 0)
		return directory_filled(path);
	if (strcmp(what, "FileNotEmpty") == 0)
		return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0;
	if (strcmp(what, "FileIsExecutable") == 0)
		return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
	return -EINVAL;
}

/* Others that can be judged here. 1, 0 or -EINVAL. */
static int holds(const char *what, const char *value, const struct unit *unit)
{
	struct utsname name;

	if (uname(&name) < 0)
		return -EINVAL;
	if (strcmp(what, "Host") == 0)
		return fnmatch(value, name.nodename, 0) == 0;
	if (strcmp(what, "Architecture") == 0)
		return strcmp(value, "native") == 0 || strcmp(value, "x86-64") == 0;
	if (strcmp(what, "User") == 0)
		return strcmp(value, unit->place.system ? "root" : unit->place.user) == 0 ||
		       (strcmp(value, "@system") == 0 && unit->place.system) ||
		       (*value >= '0' && *value <= '9' && strtoul(value, NULL, 10) == geteuid());
	if (strcmp(what, "Environment") == 0) {
		char key[128];
		const char *own;

		(void)snprintf(key, sizeof(key), "%.*s", (int)strcspn(value, "="), value);
		own = getenv(key);
		return own && (!strchr(value, '=') || strcmp(own, strchr(value, '=') + 1) == 0);
	}
	return path_holds(what, value);
}

/* The conditions of one kind: those with `|` are met when any is. */
struct judging {
	const struct unit *unit;
	struct word_list *notes;
	const char *kind; /* "Condition" */
	bool triggered, any_trigger;
	char **ret_why;
};

/* False: it is not met, and *ret_why tells. */
static bool judge(struct judging *judging, const struct unit_setting *row, const char *what)
{
	const char *value = row->value;
	bool trigger = *value == '|', negated;
	CLEANUP_FREE char *text = NULL;
	int r;

	value += trigger;
	negated = *value == '!';
	value += negated;
	r = unit_specifiers(value, &judging->unit->name, &judging->unit->place, &text);
	if (r == 0)
		r = holds(what, text, judging->unit);
	if (r < 0) {
		(void)word_list_printf(judging->notes, "%s%s=%s cannot be judged by lichen, and counts as met", judging->kind, what,
				       row->value);
		return true;
	}
	r ^= negated;
	if (trigger) {
		judging->any_trigger = true;
		judging->triggered |= r;
		return true;
	}
	if (!r && asprintf(judging->ret_why, "%s%s=%s%s is not so", judging->kind, what, negated ? "!" : "", text) < 0)
		*judging->ret_why = NULL;
	return r;
}

static bool all_met(struct judging *judging)
{
	const struct unit_settings *all = &judging->unit->settings;
	size_t length = strlen(judging->kind);

	for (size_t i = 0; i < all->count; i++) {
		const struct unit_setting *row = &all->rows[i], *last;
		size_t at = 0;
		bool counts = false;

		if (strcmp(row->section, "Unit") != 0 || strncmp(row->name, judging->kind, length) != 0 || !*row->value)
			continue;
		while (!counts && (last = unit_next(judging->unit, "Unit", row->name, &at))) /* not cleared afterwards */
			counts = last == row;
		if (counts && !judge(judging, row, row->name + length))
			return false;
	}
	if (!judging->any_trigger || judging->triggered)
		return true;
	if (asprintf(judging->ret_why, "none of its %s…=| is so", judging->kind) < 0)
		*judging->ret_why = NULL;
	return false;
}

enum unit_met unit_conditions(const struct unit *unit, struct word_list *notes, char **ret_why)
{
	struct judging condition = { .unit = unit, .notes = notes, .kind = "Condition", .ret_why = ret_why };
	struct judging assert = { .unit = unit, .notes = notes, .kind = "Assert", .ret_why = ret_why };

	if (!all_met(&condition))
		return UNIT_CONDITION_FAILED;
	return all_met(&assert) ? UNIT_MET : UNIT_ASSERT_FAILED;
}
