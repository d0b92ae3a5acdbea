// SPDX-License-Identifier: Apache-2.0
/* Paths of flows: see the header. */
#include "flow/flow_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "flow/flow.h"
#include "host/tree.h"

int flow_path_clean(const char *base, const char *path, char clean[PATH_MAX])
{
	char whole[2 * PATH_MAX];

	if (*path == '/')
		return tree_clean_path(path, clean);
	if (snprintf(whole, sizeof(whole), "%s/%s", base, path) >= (int)sizeof(whole))
		return -ENAMETOOLONG;
	return tree_clean_path(whole, clean);
}

bool flow_path_within(const char *clean, const char *directory)
{
	size_t length = strlen(directory);

	return length == 0 || (strncmp(clean, directory, length) == 0 && (clean[length] == '/' || clean[length] == '\0'));
}

/* Whether config.yaml allows the directory: what a step's own list says was compared before, but not with its templates filled in. */
static bool is_allowed(const struct flow_task *task, const char *directory)
{
	const struct flow_strings *allowed = &task->config->allowed_paths;
	char clean[PATH_MAX];

	for (size_t i = 0; i < allowed->count; i++)
		if (flow_path_clean(task->base_path, allowed->words[i], clean) == 0 && flow_path_within(directory, clean))
			return true;
	return false;
}

/* The n-th directory that a step may use, as it is written; NULL behind the last. */
static const char *written(const struct flow_task *task, size_t n)
{
	const json_t *own = json_object_get(task->settings, "allowed_paths");

	if (own)
		return json_string_value(json_array_get(own, n));
	return n < task->config->allowed_paths.count ? task->config->allowed_paths.words[n] : NULL;
}

int flow_path_allowed(const struct flow_task *task, size_t n, char clean[PATH_MAX])
{
	const char *path = written(task, n);
	int r = path ? flow_path_clean(task->base_path, path, clean) : -ENOENT;

	return r == 0 && !is_allowed(task, clean) ? -EACCES : r;
}

int flow_paths_judge(const struct flow_task *task, const char **ret_wrong)
{
	char clean[PATH_MAX];
	int r = 0;

	for (size_t i = 0; r == 0; i++) {
		r = flow_path_allowed(task, i, clean);
		*ret_wrong = written(task, i);
	}
	return r == -ENOENT ? 0 : r;
}

/* --- links ---------------------------------------------------------------------------------------------------------------------------- */

int flow_roots_find(const struct flow_task *task, struct cage_paths *ret)
{
	const struct flow_strings *allowed = &task->config->allowed_paths;
	const struct cage_paths nothing = { .count = 0 };
	char path[PATH_MAX + 1] = "/", real[PATH_MAX];
	bool own;

	*ret = (struct cage_paths){ .path = calloc(allowed->count + 1, sizeof(*ret->path)) };
	for (size_t i = 0; ret->path && i < allowed->count; i++) {
		if (flow_path_clean(task->base_path, allowed->words[i], path + 1) < 0 ||
		    policy_real_below(&nothing, path, real, &own) < 0)
			continue;
		ret->path[ret->count].real = strdup(real);
		if (!ret->path[ret->count++].real)
			return -ENOMEM;
	}
	return ret->path ? 0 : -ENOMEM;
}

void flow_roots_done(struct cage_paths *roots)
{
	for (size_t i = 0; i < roots->count; i++)
		free(roots->path[i].real);
	free(roots->path);
	*roots = (struct cage_paths){ .count = 0 };
}

/* The outermost of config.yaml's directories around a path: no step can put anything in its place. NULL: it is in none. */
static const char *find_outer(const struct cage_paths *roots, const char *real)
{
	const char *outer = NULL;

	for (size_t i = 0; i < roots->count; i++)
		if (policy_within(roots->path[i].real, outer ? outer : real))
			outer = roots->path[i].real;
	return outer;
}

/* Whether it is a link that is in the way: what the error was is then told. */
static bool meets_link(int root, const char *path)
{
	char part[PATH_MAX + 1];
	struct stat st = { 0 };

	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (fstatat(root, part, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
			return S_ISLNK(st.st_mode);
		if (!slash)
			return false;
		*slash = '/';
	}
}

/* Opens the directory of what lies below an open one. */
static int open_below(int root, const char *below, struct flow_place *ret)
{
	char path[PATH_MAX + 1], *slash;

	(void)snprintf(path, sizeof(path), "%s", below);
	slash = strrchr(path, '/');
	(void)snprintf(ret->name, sizeof(ret->name), "%.*s", NAME_MAX, slash ? slash + 1 : path);
	if (slash)
		*slash = '\0';
	ret->dir = tree_open_dir(root, slash ? path : "");
	if (ret->dir == -ENOTDIR && meets_link(root, path))
		return -ELOOP;
	return ret->dir < 0 ? ret->dir : 0;
}

/* The same of a clean path in an allowed directory. */
static int open_allowed(const struct cage_paths *roots, const char *allowed, const char *clean, struct flow_place *ret)
{
	char path[PATH_MAX + 1], real[PATH_MAX];
	const char *outer;
	bool own;
	int r;

	(void)snprintf(path, sizeof(path), "/%s", allowed);
	r = policy_real_below(roots, path, real, &own);
	if (r < 0)
		return r;
	outer = find_outer(roots, real);
	if (!outer)
		return -EACCES;
	CLEANUP_FD int root = open(outer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	const char *rest = real + strlen(outer), *more = clean + strlen(allowed);
	rest += *rest == '/';
	more += *more == '/';
	if (snprintf(path, PATH_MAX, "%s%s%s", rest, *rest && *more ? "/" : "", more) >= PATH_MAX)
		return -ENAMETOOLONG;
	return open_below(root, path, ret);
}

int flow_path_open(const struct flow_task *task, const char *path, struct flow_place *ret)
{
	char clean[PATH_MAX], allowed[PATH_MAX];
	struct cage_paths roots;
	int r = flow_path_clean(task->base_path, path, clean);

	for (size_t i = 0; r == 0; i++) {
		r = flow_path_allowed(task, i, allowed);
		if (r < 0 || !flow_path_within(clean, allowed))
			continue;
		r = flow_roots_find(task, &roots);
		if (r == 0)
			r = open_allowed(&roots, allowed, clean, ret);
		flow_roots_done(&roots);
		return r;
	}
	return r == -ENOENT ? -EACCES : r;
}

int flow_path_real(const char *base, const char *path, char real[PATH_MAX])
{
	char text[PATH_MAX], head[PATH_MAX], whole[2 * PATH_MAX];
	const char *rest = "";
	size_t length;

	if (snprintf(text, sizeof(text), "%s%s%s", *path == '/' ? "" : base, *path == '/' ? "" : "/", path) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	for (length = strlen(text); !realpath(*text ? text : "/", head); rest = text + length + 1) {
		if (errno != ENOENT && errno != ENOTDIR)
			return -errno;
		if (*rest)
			text[length] = '/';
		while (length > 0 && text[--length] != '/')
			;
		text[length] = '\0';
	}
	(void)snprintf(whole, sizeof(whole), "%s/%s", head, rest);
	return tree_clean_path(whole, real);
}

const char *flow_paths_cover(const struct flow_config *config, const char *base, const char *path)
{
	char mine[PATH_MAX], allowed[PATH_MAX];
	int r = flow_path_real(base, path, mine);

	for (size_t i = 0; i < config->allowed_paths.count; i++)
		if (r < 0 || flow_path_real(base, config->allowed_paths.words[i], allowed) < 0 || flow_path_within(mine, allowed))
			return config->allowed_paths.words[i];
	return NULL;
}

int flow_paths_check(const struct flow_step *step, const struct flow_config *config, struct yaml_error *error)
{
	const struct yaml_node *own = yaml_get(step->settings, "allowed_paths");

	for (size_t i = 0; own && i < own->count; i++) {
		char path[PATH_MAX], allowed[PATH_MAX];
		bool found = flow_template_is(own->items[i]->text, own->items[i]->length);
		int r = flow_path_clean("", own->items[i]->text, path);

		if (r < 0)
			return yaml_refuse(own->items[i], error,
					   r == -EXDEV ? "'..' is not allowed in paths" : "the path is too long");
		for (size_t j = 0; !found && j < config->allowed_paths.count; j++) {
			const char *word = config->allowed_paths.words[j];

			found = (*word == '/') == (*own->items[i]->text == '/') && flow_path_clean("", word, allowed) == 0 &&
				flow_path_within(path, allowed);
		}
		if (!found)
			return yaml_refuse(own->items[i], error, "'%.80s' is in none of config.yaml's allowed_paths",
					   own->items[i]->text);
	}
	return 0;
}
