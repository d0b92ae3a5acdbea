// SPDX-License-Identifier: Apache-2.0
/*
 * From the rules of a policy to what the kernel is told: grants of Landlock, trees of mounts, and masks over what is denied.
 *
 * A mask holds as long as its path leads to it: each directory above it that could be renamed is made a mount of its own, which rename(2) answers with EBUSY.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "cage/cage_int.h"

/* Who is asked for is another process than this one, and its children have directories of their own: of /proc all can be read. */
static bool of_own_process(const char *path)
{
	return strncmp(path, "/proc/self", 10) == 0 || strncmp(path, "/proc/thread-self", 17) == 0;
}

static int grant(struct cage *cage, const char *path, const char *real, u32 access)
{
	char *copy = of_own_process(path) ? strdup("/proc") : real ? strdup(real) : realpath(path, NULL);

	if (!copy)
		return errno == ENOMEM ? -ENOMEM : 0; /* nothing is there */
	cage->grants[cage->grant_count++] = (struct cage_grant){ copy, access };
	return 0;
}

static int grant_list(struct cage *cage, const struct cage_paths *list, u32 access)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++)
		if (list->path[i].real)
			r = grant(cage, list->path[i].path, list->path[i].real, access);
	return r;
}

/* What every dynamically linked program begins with; whoever may execute one needs it. */
static int grant_interpreters(struct cage *cage)
{
	static const char *const interpreters[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(interpreters) && r == 0; i++)
		r = grant(cage, interpreters[i], NULL, CAGE_EXECUTE);
	return r;
}

static bool is_below(const char *path, const char *root)
{
	size_t length = root && root[1] ? strlen(root) : 0; /* "/": 0 */

	return path && root && strncmp(path, root, length) == 0 && (path[length] == '/' || !path[length]);
}

/* Where libraries are. */
static const char *const libraries[] = {
	"/usr/lib", "/usr/lib64", "/usr/lib32", "/usr/libx32", "/usr/local/lib", "/lib", "/lib64"
};

static bool is_library(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++)
		if (strcmp(path, libraries[i]) == 0)
			return true;
	return false;
}

/* What of these can be read can be mapped as well, though Landlock lets none of it be executed: a mount has one right for both. */
static int grant_libraries(struct cage *cage)
{
	size_t before = cage->grant_count;

	for (size_t i = 0; i < ARRAY_SIZE(libraries); i++) {
		char *real = realpath(libraries[i], NULL);
		bool readable = false;

		for (size_t j = 0; real && j < before && !readable; j++)
			readable = is_below(real, cage->grants[j].path);
		if (readable)
			cage->grants[cage->grant_count++] = (struct cage_grant){ real, CAGE_READ };
		else
			free(real);
	}
	return 0;
}

static int make_grants(struct cage *cage)
{
	const struct cage_policy *policy = cage->policy;
	size_t count;
	const struct cage_default *defaults = cage_default_paths(&count);
	int r = 0;

	cage->grants = calloc(count + policy->files.read.count + policy->files.execute.count + policy->files.write.count + 2 +
				      ARRAY_SIZE(libraries),
			      sizeof(*cage->grants));
	if (!cage->grants)
		return -ENOMEM;
	for (size_t i = 0; i < count && policy->files.defaults && r == 0; i++)
		r = grant(cage, defaults[i].path, NULL, defaults[i].access);
	if (r == 0 && policy->files.defaults && policy->files.execute.count)
		r = grant_interpreters(cage);
	if (r == 0)
		r = grant_list(cage, &policy->files.read, CAGE_READ);
	if (r == 0)
		r = grant_list(cage, &policy->files.execute, CAGE_EXECUTE);
	if (r == 0)
		r = grant_list(cage, &policy->files.write, CAGE_WRITE);
	return r == 0 ? grant_libraries(cage) : r;
}

/* What the rules together give for a path. */
static struct cage_tree rights_of(const struct cage *cage, const char *path)
{
	struct cage_tree tree = { .path = path };

	for (size_t i = 0; i < cage->grant_count; i++) {
		if (!is_below(path, cage->grants[i].path))
			continue;
		tree.write |= (cage->grants[i].access & CAGE_WRITE) != 0;
		tree.execute |= (cage->grants[i].access & CAGE_EXECUTE) || is_library(cage->grants[i].path);
	}
	return tree;
}

static bool is_granted(const struct cage *cage, const char *path)
{
	for (size_t i = 0; i < cage->grant_count; i++)
		if (is_below(path, cage->grants[i].path))
			return true;
	return false;
}

/* --- what is denied -------------------------------------------------------------------------------------------------------------------------- */

static int add_path(char ***list, size_t *count, const char *path)
{
	char **more = reallocarray(*list, *count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	*list = more;
	more[*count] = strdup(path);
	if (!more[*count])
		return -ENOMEM;
	(*count)++;
	return 0;
}

static bool has_path(char *const *list, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], path) == 0)
			return true;
	return false;
}

/* Without symbolic links as far as it is there; *ret_there: all of it, and it is no placeholder of another run. */
static int canonical(const char *path, char ret[PATH_MAX], bool *ret_there)
{
	char text[PATH_MAX], *real = NULL, *slash = NULL;
	struct stat st;

	if (strlen(path) >= sizeof(text))
		return -ENAMETOOLONG;
	(void)snprintf(text, sizeof(text), "%s", path);
	*ret_there = lstat(path, &st) == 0 && !(S_ISREG(st.st_mode) && !(st.st_mode & 07777) && st.st_size == 0);
	for (;;) {
		real = realpath(text, NULL);
		slash = strrchr(text, '/');
		if (real || !slash || slash == text)
			break;
		*slash = 0;
	}
	if (!real && !(real = strdup("")))
		return -ENOMEM;
	if (snprintf(ret, PATH_MAX, "%s%s", strcmp(real, "/") == 0 ? "" : real, path + strlen(text)) >= PATH_MAX) {
		free(real);
		return -ENAMETOOLONG;
	}
	free(real);
	return 0;
}

/* The directories above a mask whose names the guest could change. */
static int pin_ancestors(struct cage *cage, const char *path)
{
	char text[PATH_MAX];
	int r = 0;

	(void)snprintf(text, sizeof(text), "%s", path);
	for (char *slash = strchr(text + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
		char parent[PATH_MAX], *last;

		*slash = 0;
		(void)snprintf(parent, sizeof(parent), "%s", text);
		last = strrchr(parent, '/');
		last[last == parent] = 0;
		if (rights_of(cage, parent).write && !has_path(cage->pins, cage->pin_count, text))
			r = add_path(&cage->pins, &cage->pin_count, text);
		*slash = '/';
	}
	return r;
}

/* Whether it could be made: what is nearest to it may be written. */
static bool can_be_made(const struct cage *cage, const char *path)
{
	char text[PATH_MAX];
	struct stat st;

	(void)snprintf(text, sizeof(text), "%s", path);
	for (char *slash = strrchr(text, '/'); slash && slash > text && lstat(text, &st) < 0; slash = strrchr(text, '/'))
		*slash = 0;
	return rights_of(cage, text).write;
}

static int add_mask(struct cage *cage, const struct cage_path *denied)
{
	char path[PATH_MAX];
	bool there;
	int r = canonical(denied->real ? denied->real : denied->path, path, &there);

	if (r < 0 || !is_granted(cage, path) || has_path(cage->masks, cage->mask_count, path))
		return r;
	if (!there && !can_be_made(cage, path))
		return 0;
	r = add_path(&cage->masks, &cage->mask_count, path);
	if (r == 0 && !there)
		r = add_path(&cage->missing, &cage->missing_count, path);
	return r == 0 ? pin_ancestors(cage, path) : r;
}

/* What lies below another mask is covered by that. */
static void drop_inner(char **list, size_t *count, char *const *masks, size_t mask_count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		bool inner = false;

		for (size_t j = 0; j < mask_count && !inner; j++)
			inner = strcmp(list[i], masks[j]) != 0 && is_below(list[i], masks[j]);
		if (inner)
			free(list[i]);
		else
			list[kept++] = list[i];
	}
	*count = kept;
}

static int make_masks(struct cage *cage)
{
	const struct cage_paths *denied = &cage->policy->files.deny;
	char **all;
	size_t count;
	int r = 0;

	for (size_t i = 0; i < denied->count && r == 0; i++)
		r = add_mask(cage, &denied->path[i]);
	if (r < 0)
		return r;
	count = cage->mask_count;
	all = calloc(count + 1, sizeof(*all));
	for (size_t i = 0; all && i < count; i++)
		if (!(all[i] = strdup(cage->masks[i])))
			r = -ENOMEM;
	if (all && r == 0) {
		drop_inner(cage->pins, &cage->pin_count, all, count);
		drop_inner(cage->missing, &cage->missing_count, all, count);
		drop_inner(cage->masks, &cage->mask_count, all, count);
	}
	for (size_t i = 0; all && i < count; i++)
		free(all[i]);
	free((void *)all);
	return all ? r : -ENOMEM;
}

void cage_judge_deny(struct cage *cage)
{
	struct cage_finding *found = &cage->host.layers[CAGE_LAYER_DENY];

	if (cage->mask_count)
		return;
	found->state = CAGE_PASS;
	(void)snprintf(found->how, sizeof(found->how), "no other rule allows what is denied");
}

/* --- trees ------------------------------------------------------------------------------------------------------------------------------------ */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct cage_tree *)a)->path, ((const struct cage_tree *)b)->path);
}

/* Those of `all`, outer ones first, whose rights differ from those of what is around them, and the pinned ones. */
static void choose_trees(struct cage *cage, const struct cage_tree *all, size_t count)
{
	cage->trees[cage->tree_count++] = rights_of(cage, "/");
	for (size_t i = 0; i < count; i++) {
		const struct cage_tree *around = NULL;
		bool pinned = has_path(cage->pins, cage->pin_count, all[i].path);

		for (size_t j = cage->tree_count; j-- > 0 && !around;)
			if (is_below(all[i].path, cage->trees[j].path))
				around = &cage->trees[j];
		if (around && strcmp(around->path, all[i].path) == 0)
			continue;
		if (!pinned && around && around->write == all[i].write && around->execute == all[i].execute)
			continue;
		if (!is_below(all[i].path, "/dev")) /* devices are written on read-only mounts, too */
			cage->trees[cage->tree_count++] = all[i];
	}
}

static int make_trees(struct cage *cage)
{
	size_t count = cage->grant_count + cage->pin_count;
	struct cage_tree *all = calloc(count + 1, sizeof(*all));

	cage->trees = calloc(count + 1, sizeof(*cage->trees));
	if (!cage->trees || !all) {
		free(all);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		all[i] = rights_of(cage, i < cage->grant_count ? cage->grants[i].path : cage->pins[i - cage->grant_count]);
	qsort(all, count, sizeof(*all), by_path);
	choose_trees(cage, all, count);
	free(all);
	return 0;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------------------------------- */

int cage_rules_make(struct cage *cage)
{
	int r = make_grants(cage);

	if (r == 0)
		r = make_masks(cage);
	return r == 0 ? make_trees(cage) : r;
}

static void free_paths(char **list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(list[i]);
	free((void *)list);
}

void cage_rules_free(struct cage *cage)
{
	for (size_t i = 0; i < cage->grant_count; i++)
		free(cage->grants[i].path);
	free(cage->grants);
	free(cage->trees);
	free_paths(cage->masks, cage->mask_count);
	free_paths(cage->missing, cage->missing_count);
	free_paths(cage->pins, cage->pin_count);
}
