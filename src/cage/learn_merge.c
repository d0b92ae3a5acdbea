/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of a policy from what was used: what is covered goes, what fills a directory becomes the directory. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cage/cage_tmp.h"
#include "cage/learn_int.h"

bool learn_too_wide(const struct cage_learner *learner, const char *path)
{
	return policy_within(path, learner->home && learner->home[1] ? learner->home : "/");
}

/* As strcmp(3), but a directory's entries come right behind it. */
static int by_path(const void *one, const void *other)
{
	const u8 *a = (const u8 *)((const struct learnt_path *)one)->path,
		 *b = (const u8 *)((const struct learnt_path *)other)->path;

	while (*a && *a == *b)
		a++, b++;
	return (*a == '/' ? 1 : *a ? *a + 1 : 0) - (*b == '/' ? 1 : *b ? *b + 1 : 0);
}

/* Whether enough entries of a directory make it a rule. */
static bool mergeable(const struct cage_learner *learner, enum cage_access access, const char *directory, u32 entries)
{
	static const char *const system[] = { "/usr/", "/lib/", "/lib32/", "/lib64/", "/libx32/", "/bin/", "/sbin/", "/opt/" };

	if (entries < (access == CAGE_EXECUTE ? EXECUTES_MOST + 1 : MERGE_AT) || learn_too_wide(learner, directory))
		return false;
	if (policy_within(learner->workdir, directory))
		return !learn_too_wide(learner, learner->workdir);
	for (size_t i = 0; access != CAGE_WRITE && i < ARRAY_SIZE(system); i++)
		if (strncmp(directory, system[i], strlen(system[i])) == 0)
			return true;
	return access == CAGE_EXECUTE && strcmp(directory, "/bin") == 0;
}

/* Sorts, and takes out what others cover. The table of hashes is not kept. */
static void tidy(struct learnt *list)
{
	size_t kept = 0;

	if (!list->count)
		return;
	qsort(list->row, list->count, sizeof(list->row[0]), by_path);
	for (size_t i = 1; i < list->count; i++)
		if (policy_within(list->row[kept].path, list->row[i].path))
			free(list->row[i].path);
		else
			list->row[++kept] = list->row[i];
	list->count = kept + 1;
}

/* One step up: 1 when something was merged, 0 when not. */
static int merge_once(const struct cage_learner *learner, enum cage_access access, struct learnt *list)
{
	struct learnt parents = { 0 }, merged = { 0 };
	char directory[PATH_MAX];
	int r = 0, any = 0;

	for (size_t i = 0; i < list->count && r == 0; i++) {
		policy_parent(list->row[i].path, directory);
		r = learnt_add(&parents, directory, 0);
		if (r == 0)
			learnt_row(&parents, directory)->access++;
	}
	for (size_t i = 0; i < list->count && r == 0; i++) {
		policy_parent(list->row[i].path, directory);
		if (mergeable(learner, access, directory, learnt_row(&parents, directory)->access)) {
			r = learnt_add(&merged, directory, 0);
			any = 1;
		} else {
			r = learnt_add(&merged, list->row[i].path, 0);
		}
	}
	learnt_done(&parents);
	if (r < 0 || !any) {
		learnt_done(&merged);
		return r;
	}
	learnt_done(list);
	*list = merged;
	tidy(list);
	return 1;
}

/* The directory in which a name was made: the nearest that was there before the run. */
static void home_of(const struct cage_learner *learner, const char *name, char directory[PATH_MAX])
{
	struct stat st;

	policy_parent(name, directory);
	while (directory[1] && (learnt_has(&learner->made, directory) || lstat(directory, &st) < 0 || !S_ISDIR(st.st_mode))) {
		char child[PATH_MAX];

		memcpy(child, directory, sizeof(child));
		policy_parent(child, directory);
	}
}

static bool is_covered(const struct learnt *list, const char *path)
{
	for (size_t i = 0; list && i < list->count; i++)
		if (policy_within(list->row[i].path, path))
			return true;
	return false;
}

/* Whether the run has made it, or a directory that it lies in: when it is made again, a rule for what was there before is none for it. */
static bool is_made(const struct cage_learner *learner, const char *path)
{
	char at[PATH_MAX], child[PATH_MAX];

	(void)snprintf(at, sizeof(at), "%s", path);
	while (at[1] && !learnt_has(&learner->made, at)) {
		memcpy(child, at, sizeof(child));
		policy_parent(child, at);
	}
	return at[1];
}

void learn_judge_memory(struct cage_learner *learner)
{
	bool used = false;

	for (size_t i = 0; i < learner->made.count && !used; i++)
		used = policy_within(CAGE_SHM, learner->made.row[i].path);
	for (size_t i = 0; i < learner->files.count && learner->shm; i++) {
		const char *path = learner->files.row[i].path;

		if (policy_within(CAGE_SHM, path) && path[sizeof(CAGE_SHM) - 1] && !is_made(learner, path))
			learner->shm = false; /* it was another's, or of an earlier run */
	}
	learner->shm = learner->shm && used;
	learner->uses_tmp = learner->uses_tmp || learner->shm;
}

static bool is_own_memory(const struct cage_learner *learner, const char *path)
{
	return learner->shm && policy_within(CAGE_SHM, path);
}

/* What a rule has to name: of a program that the run has made itself, the directory that was there. NULL: nothing; a link that was made is where that may be
 * written, and what it leads to is a row of its own. */
static const char *to_name(const struct cage_learner *learner, enum cage_access access, const char *path, char directory[PATH_MAX])
{
	struct stat st;

	if (access != CAGE_EXECUTE || !is_made(learner, path))
		return path;
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
		return NULL;
	home_of(learner, path, directory);
	return directory;
}

static int gather(const struct cage_learner *learner, enum cage_access access, const struct cage_policy *defaults,
		  const struct learnt *const above[2], struct learnt *to)
{
	char directory[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < learner->files.count && r == 0; i++) {
		const struct learnt_path *row = &learner->files.row[i];
		const char *path = (row->access & access) ? to_name(learner, access, row->path, directory) : NULL;

		if (path && !is_own_memory(learner, path) && !learn_too_wide(learner, path) && !is_covered(above[0], path) &&
		    !is_covered(above[1], path) && !cage_policy_allows(defaults, access, path, NULL, NULL))
			r = learnt_add(to, path, 0);
	}
	for (size_t i = 0; access == CAGE_WRITE && i < learner->made.count && r == 0; i++) {
		home_of(learner, learner->made.row[i].path, directory);
		if (!is_own_memory(learner, directory) && !learn_too_wide(learner, directory) && learn_writable(directory))
			r = learnt_add(to, directory, 0);
	}
	return r;
}

int learn_merge(const struct cage_learner *learner, enum cage_access access, const struct cage_policy *defaults,
		const struct learnt *const above[2], struct learnt *ret)
{
	struct learnt list = { 0 };
	int r = gather(learner, access, defaults, above, &list);

	tidy(&list);
	while (r == 0 && (r = merge_once(learner, access, &list)) > 0)
		r = 0;
	if (r < 0)
		learnt_done(&list);
	else
		*ret = list;
	return r;
}

int learn_wide(const struct cage_learner *learner, struct learnt *ret)
{
	struct learnt list = { 0 };
	char directory[PATH_MAX];
	int r = 0;

	for (size_t i = 0; i < learner->files.count && r == 0; i++)
		if (learn_too_wide(learner, learner->files.row[i].path))
			r = learnt_add(&list, learner->files.row[i].path, 0);
	for (size_t i = 0; i < learner->made.count && r == 0; i++) {
		home_of(learner, learner->made.row[i].path, directory);
		if (learn_too_wide(learner, directory))
			r = learnt_add(&list, learner->made.row[i].path, 0);
	}
	if (r < 0) {
		learnt_done(&list);
		return r;
	}
	if (list.count)
		qsort(list.row, list.count, sizeof(list.row[0]), by_path);
	*ret = list;
	return 0;
}
