// SPDX-License-Identifier: Apache-2.0
/*
 * What a policy denies, as masks of mounts.
 *
 * A rule that lies in what is denied gives nothing. What is denied and lies in what another rule gives is masked. A mask holds as long as its path leads to it: each
 * directory above it that could be renamed is made a mount of its own, which rename(2) answers with EBUSY.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cage/cage_int.h"

bool cage_has_path(char *const *list, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], path) == 0)
			return true;
	return false;
}

int cage_deny_find(struct cage *cage)
{
	const struct cage_paths *list = &cage->policy->files.deny;
	int r = 0;

	for (size_t i = 0; i < list->count && r == 0; i++) {
		char path[PATH_MAX] = "";
		bool own;

		r = policy_real_path(cage->policy, list->path[i].path, path, &own);
		if (r == 0 && own) /* since the policy was read a link has become another */
			r = -ELOOP;
		if (r == 0)
			r = cage_add_path(&cage->denied, &cage->denied_count, path);
	}
	return r;
}

static bool is_denied(const struct cage *cage, const char *path)
{
	for (size_t i = 0; i < cage->denied_count; i++)
		if (policy_within(cage->denied[i], path))
			return true;
	return false;
}

void cage_deny_grants(struct cage *cage)
{
	size_t kept = 0;

	for (size_t i = 0; i < cage->grant_count; i++)
		if (is_denied(cage, cage->grants[i].path))
			free(cage->grants[i].path);
		else
			cage->grants[kept++] = cage->grants[i];
	cage->grant_count = kept;
}

/* --- masks ------------------------------------------------------------------------------------------------------------------------------------ */

/* It is there, and no placeholder of another run. */
static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && !(S_ISREG(st.st_mode) && !(st.st_mode & 07777) && st.st_size == 0);
}

/* The directories above a mask whose names the guest could change. */
static int pin_ancestors(struct cage *cage, const char *path)
{
	char text[PATH_MAX], parent[PATH_MAX];
	int r = 0;

	(void)snprintf(text, sizeof(text), "%s", path);
	for (char *slash = strchr(text + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		policy_parent(text, parent);
		if (cage_rights_of(cage, parent).write && !cage_has_path(cage->pins, cage->pin_count, text))
			r = cage_add_path(&cage->pins, &cage->pin_count, text);
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
	return cage_rights_of(cage, text).write;
}

static int add_mask(struct cage *cage, const char *path)
{
	bool there = is_there(path);
	int r;

	if (!cage_is_granted(cage, path) || cage_has_path(cage->masks, cage->mask_count, path) ||
	    (!there && !can_be_made(cage, path)))
		return 0;
	r = cage_add_path(&cage->masks, &cage->mask_count, path);
	if (r == 0 && !there)
		r = cage_add_path(&cage->missing, &cage->missing_count, path);
	return r == 0 ? pin_ancestors(cage, path) : r;
}

/* What lies below something else that is denied is covered by that. */
static void drop_inner(const struct cage *cage, char **list, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		bool inner = false;

		for (size_t j = 0; j < cage->denied_count && !inner; j++)
			inner = strcmp(list[i], cage->denied[j]) != 0 && policy_within(cage->denied[j], list[i]);
		if (inner)
			free(list[i]);
		else
			list[kept++] = list[i];
	}
	*count = kept;
}

/* What masks are made by comes last: /dev/null, then /proc/self/fd. */
static int by_use(const void *a, const void *b)
{
	static const char *const used[] = { "/proc", "/dev" }; /* the last one first */
	const char *one = *(char *const *)a, *other = *(char *const *)b;

	for (size_t i = 0; i < ARRAY_SIZE(used); i++)
		if (policy_within(one, used[i]) != policy_within(other, used[i]))
			return policy_within(one, used[i]) ? 1 : -1;
	return strcmp(one, other);
}

int cage_deny_masks(struct cage *cage)
{
	int r = 0;

	for (size_t i = 0; i < cage->denied_count && r == 0; i++)
		r = add_mask(cage, cage->denied[i]);
	if (r < 0)
		return r;
	drop_inner(cage, cage->pins, &cage->pin_count);
	drop_inner(cage, cage->missing, &cage->missing_count);
	drop_inner(cage, cage->masks, &cage->mask_count);
	if (cage->mask_count)
		qsort((void *)cage->masks, cage->mask_count, sizeof(*cage->masks), by_use);
	return 0;
}

void cage_judge_deny(struct cage *cage)
{
	struct cage_finding *found = &cage->host.layers[CAGE_LAYER_DENY];

	if (cage->mask_count)
		return;
	found->state = CAGE_PASS;
	(void)snprintf(found->how, sizeof(found->how), "no other rule allows what is denied");
}
