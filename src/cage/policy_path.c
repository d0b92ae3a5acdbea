// SPDX-License-Identifier: Apache-2.0
/* Paths of a policy: made absolute and straight by their text alone, later looked up, and compared by components. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cage/policy_int.h"

bool policy_within(const char *directory, const char *path)
{
	size_t length = strlen(directory);
	if (length == 1) /* the root */
		return true;
	return length && strncmp(directory, path, length) == 0 && (path[length] == '/' || !path[length]);
}

void policy_parent(const char *path, char ret[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	memcpy(ret, path, length);
	memcpy(ret + length, length ? "" : "/", length ? 1 : 2);
}

bool policy_of_process(const char *path)
{
	size_t number = strncmp(path, "/proc/", 6) == 0 ? strspn(path + 6, "0123456789") : 0;
	return (number && (!path[6 + number] || path[6 + number] == '/')) || policy_within("/proc/self", path) ||
	       policy_within("/proc/thread-self", path) || policy_within("/dev/fd", path);
}

/* Adds the components of `text` to a canonical path ("" is the root). 0 or -ENAMETOOLONG. */
static int walk(char path[PATH_MAX], const char *text)
{
	size_t at = strlen(path);
	while (*text) {
		size_t length = strcspn(text, "/");
		if (length == 2 && strncmp(text, "..", 2) == 0) {
			while (at && path[--at] != '/')
				;
		} else if (length && !(length == 1 && *text == '.')) {
			if (at + length + 2 > PATH_MAX)
				return -ENAMETOOLONG;
			path[at++] = '/';
			memcpy(path + at, text, length);
			at += length;
		}
		path[at] = 0;
		text += length + (text[length] == '/');
	}
	return 0;
}

int policy_take_path(const struct policy_reader *reader, const struct yaml_node *node, const char *written, struct cage_path *ret)
{
	char path[PATH_MAX] = "";
	const char *rest = *written == '~' ? written + 1 : written;
	const char *base = *written == '~' ? reader->policy->home : *written == '/' ? "" : reader->policy->directory;
	if (!base)
		return policy_refuse(reader, node, "'%.80s': no home directory is known ($HOME)", written);
	if (walk(path, base) || walk(path, rest))
		return policy_refuse(reader, node, "'%.80s' is too long", written);
	ret->written = written;
	ret->path = strdup(*path ? path : "/");
	ret->line = node->line;
	ret->column = node->column;
	return ret->path ? 0 : -ENOMEM;
}

int policy_refuse_own(const struct policy_reader *reader, const struct yaml_node *node, const char *written)
{
	return policy_refuse(reader, node,
			     "'%.100s' is another for each process, so that nothing can mask it: deny /proc, or not at all",
			     written);
}

/* --- what the machine knows ----------------------------------------------------------------------------------------------------------- */

#define LINKS_MAX 40u /* as the kernel follows */

/* Is that a name below something that may be written? Then a guest may have made it. */
static bool may_be_theirs(const struct cage_paths *roots, const char *real)
{
	for (size_t i = 0; i < roots->count; i++)
		if (roots->path[i].real && policy_within(roots->path[i].real, real) && strcmp(roots->path[i].real, real) != 0)
			return true;
	return false;
}

/* Puts a link's target before what is left of a path. 0 or -ENAMETOOLONG. */
static int splice(char rest[PATH_MAX], const char *target, const char *left)
{
	char more[PATH_MAX];
	int n = snprintf(more, sizeof(more), "%s%s%s", target, *left ? "/" : "", left);
	if (n < 0 || n >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(rest, more, (size_t)n + 1);
	return 0;
}

/*
 * realpath(3), but not through a symbolic link below what `roots` lets write: the guest of an earlier run may have made it, and a rule for W/x would be one for /etc.
 * What is not there stays as it is. *ret_own: it leads through something of a process. 0; -ELOOP: through such a link; -ENAMETOOLONG.
 */
int policy_real_below(const struct cage_paths *roots, const char *path, char real[PATH_MAX], bool *ret_own)
{
	char rest[PATH_MAX], target[PATH_MAX];
	unsigned links = 0;
	int r = splice(rest, path, "");
	*real = 0;
	*ret_own = false;
	while (!r && *rest) {
		size_t length = strcspn(rest, "/"), before = strlen(real);
		char left[PATH_MAX];
		(void)snprintf(left, sizeof(left), "%s", rest + length + (rest[length] == '/'));
		rest[length] = 0;
		r = walk(real, rest);
		*ret_own |= !r && policy_of_process(real);
		ssize_t n = r || strlen(real) <= before ? -1 : readlink(real, target, sizeof(target) - 1);
		if (n >= 0) {
			target[n] = 0;
			r = may_be_theirs(roots, real) || ++links > LINKS_MAX ? -ELOOP : splice(rest, target, left);
			real[*target == '/' ? 0 : before] = 0;
		} else {
			memcpy(rest, left, sizeof(rest));
		}
	}
	if (!r && !*real)
		memcpy(real, "/", 2);
	return r;
}

static const struct cage_paths *touched(const struct cage_policy *policy)
{
	return policy->touched ? policy->touched : &policy->files.write;
}

int policy_real_path(const struct cage_policy *policy, const char *path, char real[PATH_MAX], bool *ret_own)
{
	return policy_real_below(touched(policy), path, real, ret_own);
}

/* Fills `real`. 0, -EINVAL with a sentence, or -ENOMEM. */
static int look_up(const struct policy_reader *reader, const struct cage_paths *roots, struct cage_paths *paths)
{
	char real[PATH_MAX] = "";
	for (size_t i = 0; i < paths->count; i++) {
		struct cage_path *path = &paths->path[i];
		const struct yaml_node place = { .line = path->line, .column = path->column };
		int r = policy_real_below(roots, path->path, real, &path->own);
		if (!r && access(real, F_OK))
			r = -errno;
		if (paths == &reader->policy->files.deny && path->own)
			return policy_refuse_own(reader, &place, path->written);
		if (r == -ELOOP)
			return policy_refuse(
				reader, &place,
				"'%.120s' leads through a symbolic link in what may be written: a guest may have made it",
				path->written);
		char *found = r ? NULL : strdup(real);
		if (!r && !found)
			return -ENOMEM;
		free(path->real);
		path->real = found;
	}
	return 0;
}

/* Adds a rule of lichen's own to files.deny. */
static int deny(struct cage_policy *policy, const char *written, const char *real)
{
	struct cage_paths *list = &policy->files.deny;
	struct cage_path *more = reallocarray(list->path, list->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	list->path = more;
	more[list->count] = (struct cage_path){ .written = written, .path = strdup(real), .real = strdup(real) };
	list->count++;
	return more[list->count - 1].path && more[list->count - 1].real ? 0 : -ENOMEM;
}

int cage_policy_resolve(struct cage_policy *policy, const char *file, struct cage_policy_error *error)
{
	const struct policy_reader reader = { .policy = policy, .error = error };
	const struct cage_paths nothing = { .count = 0 };
	struct cage_paths *const lists[] = { &policy->files.write, &policy->files.read, &policy->files.execute, &policy->files.deny,
					     &policy->network.sockets };
	*error = (struct cage_policy_error){ .meaning = false };
	int r = look_up(&reader, &nothing, &policy->files.write); /* what the roots are, before they are judged by each other */
	for (size_t i = 0; i < ARRAY_SIZE(lists) && !r; i++)
		r = look_up(&reader, touched(policy), lists[i]);
	for (size_t i = 0; i < policy->report.count && !r; i++) {
		struct cage_paths one = { &policy->report.quiet[i].path, 1 };
		r = one.path->path ? look_up(&reader, touched(policy), &one) : 0;
	}
	if (!r && policy->processes.profile) {
		struct cage_paths one = { policy->processes.profile, 1 };
		r = look_up(&reader, &policy->files.write, &one);
		if (!r && one.path->real && may_be_theirs(&policy->files.write, one.path->real))
			r = deny(policy, one.path->written, one.path->real);
	}
	if (!r && file && may_be_theirs(&policy->files.write, file))
		r = deny(policy, policy->name, file);
	return r;
}
