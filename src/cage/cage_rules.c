// SPDX-License-Identifier: Apache-2.0
/* From the rules of a policy to what the kernel is told: grants of Landlock, and trees of mounts. What is denied: cage_deny.c. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cage/cage_int.h"

int cage_add_path(char ***list, size_t *count, const char *path)
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

/* As realpath(3), but the directory of the path before needs no second look: defaults stand together by directories. */
static char *find_real(struct cage *cage, const char *path)
{
	size_t directory = (size_t)(strrchr(path, '/') - path);
	char *real, byte;

	if (cage->plain && strlen(cage->plain) == directory && strncmp(cage->plain, path, directory) == 0) {
		if (readlink(path, &byte, 1) < 0)
			return errno == EINVAL ? strdup(path) : NULL; /* it is there, and no symbolic link */
		return realpath(path, NULL);
	}
	real = realpath(path, NULL);
	if (real && strcmp(real, path) == 0) {
		free(cage->plain);
		cage->plain = strndup(path, directory);
	}
	return real;
}

/* Who is asked for is another process than this one, and its children have directories of their own: of /proc all can be read. */
static int grant(struct cage *cage, const char *path, const char *real, bool own, u32 access)
{
	char *copy = own ? strdup("/proc") : real ? strdup(real) : find_real(cage, path);

	if (!copy)
		return errno == ENOMEM ? -ENOMEM : 0; /* nothing is there */
	if (cage->host.view && strcmp(copy, path) != 0 && cage_add_path(&cage->names, &cage->name_count, path) < 0) {
		free(copy);
		return -ENOMEM;
	}
	cage->grants[cage->grant_count++] = (struct cage_grant){ copy, own ? CAGE_READ : access };
	return 0;
}

static int grant_list(struct cage *cage, const struct cage_paths *list, u32 access)
{
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++) {
		const struct cage_path *path = &list->path[i];
		bool own = policy_of_process(path->path) || (path->real && policy_of_process(path->real));

		if (path->real || own) /* /dev/stdout leads through /proc/self, but to what it is everywhere */
			r = grant(cage, path->path, path->real, own, access);
	}
	return r;
}

/* What every dynamically linked program begins with; whoever may execute one needs it. */
static int grant_interpreters(struct cage *cage)
{
	static const char *const interpreters[] = { "/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(interpreters) && r == 0; i++)
		r = grant(cage, interpreters[i], NULL, false, CAGE_EXECUTE);
	return r;
}

/* Each right includes reading. */
static bool implies(const struct cage_grant *outer, const struct cage_grant *inner)
{
	return !(inner->access & ~(outer->access | CAGE_READ)) && policy_within(outer->path, inner->path);
}

bool cage_grant_implied(const struct cage *cage, size_t index)
{
	const struct cage_grant *grants = cage->grants;

	for (size_t i = 0; i < cage->grant_count; i++)
		if (i != index && implies(&grants[i], &grants[index]) && (i < index || !implies(&grants[index], &grants[i])))
			return true;
	return false;
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
		char *real = find_real(cage, libraries[i]);
		bool readable = false;

		for (size_t j = 0; real && j < before && !readable; j++)
			readable = policy_within(cage->grants[j].path, real);
		if (readable)
			cage->grants[cage->grant_count++] = (struct cage_grant){ real, CAGE_READ };
		else
			free(real);
	}
	return 0;
}

/* A socket is connected to by who may write it; on which mount is all the same. */
static int grant_sockets(struct cage *cage)
{
	return grant_list(cage, &cage->policy->network.sockets, CAGE_READ);
}

/* /bin and its like, where they are symbolic links: what is behind them is there only if a rule says so. */
static int add_root_links(struct cage *cage)
{
	DIR *root = opendir("/");
	const struct dirent *entry;
	int r = 0;

	if (!root)
		return -errno;
	while (r == 0 && (entry = readdir(root))) {
		char path[NAME_MAX + 2];

		if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
			continue;
		(void)snprintf(path, sizeof(path), "/%s", entry->d_name);
		r = cage_add_path(&cage->names, &cage->name_count, path);
	}
	(void)closedir(root);
	return r;
}

/* The command has its standard streams in any case; programs open a terminal among them again by its name. A root of its own has no terminals. */
static int grant_terminals(struct cage *cage)
{
	char name[64];
	int r = 0;

	for (int fd = 0; fd < 3 && r == 0 && !cage->host.view; fd++)
		if (ttyname_r(fd, name, sizeof(name)) == 0)
			r = grant(cage, name, NULL, false, CAGE_READ | CAGE_WRITE);
	return r;
}

static int make_grants(struct cage *cage)
{
	const struct cage_policy *policy = cage->policy;
	size_t count;
	const struct cage_default *defaults = cage_default_paths(&count);
	int r = 0;

	cage->grants = calloc(count + policy->files.read.count + policy->files.execute.count + policy->files.write.count + 2 + 3 +
				      policy->network.sockets.count + ARRAY_SIZE(libraries),
			      sizeof(*cage->grants));
	if (!cage->grants)
		return -ENOMEM;
	for (size_t i = 0; i < count && policy->files.defaults && r == 0; i++)
		r = grant(cage, defaults[i].path, NULL, policy_of_process(defaults[i].path), defaults[i].access);
	if (r == 0 && policy->files.defaults)
		r = grant_terminals(cage);
	if (r == 0 && policy->files.defaults && policy->files.execute.count)
		r = grant_interpreters(cage);
	if (r == 0)
		r = grant_list(cage, &policy->files.read, CAGE_READ);
	if (r == 0)
		r = grant_list(cage, &policy->files.execute, CAGE_EXECUTE);
	if (r == 0)
		r = grant_list(cage, &policy->files.write, CAGE_WRITE);
	if (r == 0 && cage->host.view)
		r = grant_sockets(cage);
	if (r == 0 && cage->host.view)
		r = add_root_links(cage);
	return r == 0 ? grant_libraries(cage) : r;
}

struct cage_tree cage_rights_of(const struct cage *cage, const char *path)
{
	struct cage_tree tree = { .path = path };

	if (strcmp(cage->shm.path, path) == 0) /* what is written in memory is never executed */
		return (struct cage_tree){ .path = path, .write = true, .memory = cage->shm.size };
	for (size_t i = 0; i < cage->grant_count; i++) {
		if (!policy_within(cage->grants[i].path, path))
			continue;
		tree.write |= (cage->grants[i].access & CAGE_WRITE) != 0;
		tree.execute |= (cage->grants[i].access & CAGE_EXECUTE) || is_library(cage->grants[i].path);
	}
	return tree;
}

bool cage_is_granted(const struct cage *cage, const char *path)
{
	for (size_t i = 0; i < cage->grant_count; i++)
		if (policy_within(cage->grants[i].path, path))
			return true;
	return false;
}

/* --- trees ------------------------------------------------------------------------------------------------------------------------------------ */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct cage_tree *)a)->path, ((const struct cage_tree *)b)->path);
}

bool cage_new_proc(const struct cage *cage)
{
	return cage->host.view || (cage->host.mounts && (cage->host.pids || !cage->host.users));
}

/* Whether its rights make no difference where it is mounted. */
static bool is_special(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode);
}

/* Whether a tree has to be a mount of its own in what is around it. */
static bool differs(const struct cage *cage, const struct cage_tree *tree, const struct cage_tree *around)
{
	if (tree->memory || (cage->host.view && strcmp(tree->path, "/proc") == 0))
		return true;
	if (policy_of_process(tree->path)) /* in the cage that is none, or another */
		return false;
	if (!around || cage_has_path(cage->pins, cage->pin_count, tree->path))
		return true;
	/* devices and their like are written on read-only mounts, too */
	return (around->write != tree->write || around->execute != tree->execute) && (cage->host.view || !is_special(tree->path));
}

/* Those of `all`, outer ones first, whose rights differ from those of what is around them, and the pinned ones. */
static void choose_trees(struct cage *cage, const struct cage_tree *all, size_t count)
{
	if (!cage->host.view || cage_is_granted(cage, "/"))
		cage->trees[cage->tree_count++] = cage_rights_of(cage, "/");
	for (size_t i = 0; i < count; i++) {
		const struct cage_tree *around = NULL;

		for (size_t j = cage->tree_count; j-- > 0 && !around;)
			if (policy_within(cage->trees[j].path, all[i].path))
				around = &cage->trees[j];
		if (around && policy_within(all[i].path, around->path)) /* it is that */
			continue;
		if (differs(cage, &all[i], around))
			cage->trees[cage->tree_count++] = all[i];
	}
}

static int make_trees(struct cage *cage)
{
	size_t count = cage->grant_count + cage->pin_count;
	struct cage_tree *all = calloc(count + 1, sizeof(*all));

	cage->trees = calloc(count + 2, sizeof(*cage->trees));
	if (!cage->trees || !all) {
		free(all);
		return -ENOMEM;
	}
	for (size_t i = 0; i < count; i++)
		all[i] = cage_rights_of(cage, i < cage->grant_count ? cage->grants[i].path : cage->pins[i - cage->grant_count]);
	if (cage->host.view && cage_is_granted(cage, "/proc")) /* the machine's shows other processes, and what their roots are */
		all[count++] = cage_rights_of(cage, "/proc");
	qsort(all, count, sizeof(*all), by_path);
	choose_trees(cage, all, count);
	free(all);
	return 0;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------------------------------- */

int cage_rules_make(struct cage *cage)
{
	int r = cage_deny_find(cage);

	if (r == 0)
		r = make_grants(cage);
	if (r == 0) {
		cage_deny_grants(cage);
		r = cage_deny_masks(cage);
	}
	return r == 0 ? make_trees(cage) : r;
}

int cage_written(const struct cage *cage, const char ***ret, size_t *ret_count)
{
	const char **all = calloc(cage->grant_count + 1, sizeof(*all));
	size_t count = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < cage->grant_count; i++)
		if ((cage->grants[i].access & CAGE_WRITE) && strcmp(cage->grants[i].path, cage->shm.path) != 0)
			all[count++] = cage->grants[i].path;
	*ret = all;
	*ret_count = count;
	return 0;
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
	free(cage->plain);
	free(cage->trees);
	free_paths(cage->denied, cage->denied_count);
	free_paths(cage->masks, cage->mask_count);
	free_paths(cage->missing, cage->missing_count);
	free_paths(cage->pins, cage->pin_count);
	free_paths(cage->names, cage->name_count);
}
