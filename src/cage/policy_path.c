// SPDX-License-Identifier: Apache-2.0
/* Paths of a policy: made absolute and straight by their text alone, later looked up, and compared by components. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cage/policy_int.h"

bool policy_within(const char *directory, const char *path)
{
	size_t length = strlen(directory);
	if (length == 1) /* the root */
		return true;
	return strncmp(directory, path, length) == 0 && (path[length] == '/' || !path[length]);
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

/* --- what the machine knows ----------------------------------------------------------------------------------------------------------- */

static void look_up(struct cage_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++) {
		free(paths->path[i].real);
		paths->path[i].real = realpath(paths->path[i].path, NULL);
	}
}

static bool can_write(const struct cage_policy *policy, const char *real)
{
	for (size_t i = 0; i < policy->files.write.count; i++)
		if (policy->files.write.path[i].real && policy_within(policy->files.write.path[i].real, real))
			return true;
	return false;
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

int cage_policy_resolve(struct cage_policy *policy, const char *file)
{
	look_up(&policy->files.read);
	look_up(&policy->files.execute);
	look_up(&policy->files.write);
	look_up(&policy->files.deny);
	look_up(&policy->network.sockets);
	for (size_t i = 0; i < policy->report.count; i++) {
		struct cage_path *path = &policy->report.quiet[i].path;
		free(path->real);
		path->real = path->path ? realpath(path->path, NULL) : NULL;
	}
	return file && can_write(policy, file) ? deny(policy, policy->name, file) : 0;
}
