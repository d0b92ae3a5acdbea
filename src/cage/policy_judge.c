// SPDX-License-Identifier: Apache-2.0
/* What a policy says of one path: deny first, then the lists, then what everybody gets. */
#include <string.h>

#include "cage/policy_int.h"

static const struct cage_path *find(const struct cage_paths *paths, const char *path)
{
	for (size_t i = 0; i < paths->count; i++) {
		const struct cage_path *rule = &paths->path[i];
		if (policy_within(rule->path, path) || (rule->real && policy_within(rule->real, path)))
			return rule;
	}
	return NULL;
}

static bool default_allows(enum cage_access wanted, const char *path)
{
	size_t count;
	const struct cage_default *defaults = cage_default_paths(&count);
	for (size_t i = 0; i < count; i++)
		if ((defaults[i].access & wanted) && policy_within(defaults[i].path, path))
			return true;
	return false;
}

bool cage_policy_allows(const struct cage_policy *policy, enum cage_access wanted, const char *path,
			const struct cage_path **ret_rule, const char **ret_list)
{
	const struct {
		const struct cage_paths *paths;
		u32 access; /* 0: nothing at all */
		const char *name;
	} lists[] = {
		{ &policy->files.deny, 0, "files.deny" },
		{ &policy->files.read, CAGE_READ, "files.read" },
		{ &policy->files.execute, CAGE_READ | CAGE_EXECUTE, "files.execute" },
		{ &policy->files.write, CAGE_READ | CAGE_WRITE, "files.write" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		bool counts = lists[i].access == 0 || (lists[i].access & wanted);
		const struct cage_path *rule = counts ? find(lists[i].paths, path) : NULL;
		if (!rule)
			continue;
		if (ret_rule)
			*ret_rule = rule, *ret_list = lists[i].name;
		return lists[i].access != 0;
	}
	if (ret_rule)
		*ret_rule = NULL, *ret_list = NULL;
	return policy->files.defaults && default_allows(wanted, path);
}

bool cage_policy_quiet(const struct cage_policy *policy, enum cage_denied what, const char *object)
{
	for (size_t i = 0; i < policy->report.count; i++) {
		const struct cage_quiet *quiet = &policy->report.quiet[i];
		if (quiet->what != what)
			continue;
		if (!quiet->path.path && strcmp(quiet->object, object) == 0)
			return true;
		if (quiet->path.path &&
		    (policy_within(quiet->path.path, object) || (quiet->path.real && policy_within(quiet->path.real, object))))
			return true;
	}
	return false;
}
