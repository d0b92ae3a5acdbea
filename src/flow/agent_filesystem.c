// SPDX-License-Identifier: Apache-2.0
/*
 * The agent filesystem: read, write, list, exists, stat, in the directories that are allowed.
 *
 * What is written appears whole or not at all: a file beside it takes the bytes, and is renamed; append adds to the file that is there. Only regular files are read and
 * written, none is waited for (a FIFO is refused), no symbolic link is followed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "base/write_bytes.h"
#include "flow/flow_paths.h"
#include "flow/flow_sort.h"
#include "host/tree.h"

#define LIST_MAX 10000u /* names */

static const struct flow_field settings[] = { { "allowed_paths", FLOW_STRINGS, false }, { "read_only", FLOW_BOOL, false } };
static const struct flow_field path_fields[] = { { "path", FLOW_STRING, true } };
static const struct flow_field list_fields[] = { { "path", FLOW_STRING, true }, { "pattern", FLOW_STRING, false } };
static const struct flow_field write_fields[] = { { "path", FLOW_STRING, true },
						  { "content", FLOW_STRING, true },
						  { "append", FLOW_BOOL, false },
						  { "mode", FLOW_STRING, false } };

static enum flow_outcome failed(struct flow_result *result, const char *what, const char *path, int error)
{
	bool refused = error == -EACCES || error == -EPERM || error == -EXDEV || error == -ELOOP;
	const char *why = error == -EXDEV ? "'..' is not allowed in paths"
			: error == -ELOOP ? "symbolic links are not followed"
					  : strerror(-error);

	(void)snprintf(result->error, sizeof(result->error), "cannot %s '%.200s': %s", what, path, why);
	return refused ? FLOW_DENIED : FLOW_FAILED;
}

static enum flow_outcome denied(struct flow_result *result, const char *what, const char *path)
{
	(void)snprintf(result->error, sizeof(result->error), "cannot %s '%.200s': no rule of allowed_paths allows it", what, path);
	return FLOW_DENIED;
}

/* Hands over an object as output. */
static enum flow_outcome give(struct flow_result *result, json_t *object)
{
	result->output = object ? json_dumps(object, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	json_decref(object);
	if (!result->output) {
		(void)snprintf(result->error, sizeof(result->error), "out of memory");
		return FLOW_BROKEN;
	}
	result->size = strlen(result->output);
	return FLOW_OK;
}

/* Names may have any bytes; JSON has UTF-8. */
static json_t *name_json(const char *name)
{
	json_t *text = json_string(name);
	char copy[PATH_MAX];

	if (text)
		return text;
	(void)snprintf(copy, sizeof(copy), "%s", name);
	for (char *at = copy; *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	return json_string(copy);
}

/* --- reading ---------------------------------------------------------------------------------------------------------------------------- */

/* A regular file, never waited for. */
static int open_file(const struct flow_place *place, int flags)
{
	CLEANUP_FD int fd =
		openat(place->dir, *place->name ? place->name : ".", flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return take_fd(&fd);
}

static u64 most_bytes(const struct flow_config *config)
{
	u64 file = (u64)config->max_file_size_mb << 20;

	return file < config->max_output ? file : config->max_output;
}

static enum flow_outcome do_read(const struct flow_task *task, const char *path, const struct flow_place *place,
				 struct flow_result *result)
{
	CLEANUP_FD int fd = open_file(place, O_RDONLY);
	u64 most = most_bytes(task->config);
	int r = fd < 0 ? fd : read_bytes(fd, most + 1, &result->output, &result->size);

	if (r == 0 && result->size > most)
		r = -EFBIG;
	return r < 0 ? failed(result, "read", path, r) : FLOW_OK;
}

static const char *type_name(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "link";
	default:
		return "other";
	}
}

static json_t *stat_json(const char *name, const struct stat *st)
{
	char modified[32];
	struct tm tm;

	(void)strftime(modified, sizeof(modified), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&st->st_mtim.tv_sec, &tm));
	return json_pack("{s:o, s:s, s:I, s:s}", "name", name_json(name), "type", type_name(st->st_mode), "size",
			 (json_int_t)(S_ISREG(st->st_mode) ? st->st_size : 0), "modified", modified);
}

static int look(const struct flow_place *place, struct stat *st)
{
	return fstatat(place->dir, place->name, st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static enum flow_outcome do_stat(const char *path, const struct flow_place *place, struct flow_result *result)
{
	struct stat st;
	int r = look(place, &st);

	return r < 0 ? failed(result, "look at", path, r) : give(result, stat_json(path, &st));
}

static enum flow_outcome do_exists(const char *path, const struct flow_place *place, struct flow_result *result)
{
	struct stat st;
	int r = look(place, &st);

	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return failed(result, "look at", path, r);
	return give(result, json_boolean(r == 0));
}

struct listing {
	const char *pattern;
	json_t *items;
};

static int list_one(void *arg, int dir, const char *name)
{
	struct listing *listing = arg;
	struct stat st;

	if (listing->pattern && fnmatch(listing->pattern, name, 0) != 0)
		return 0;
	if (json_array_size(listing->items) >= LIST_MAX)
		return -EFBIG;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		(void)json_array_append_new(listing->items, stat_json(name, &st));
	return 0;
}

static enum flow_outcome do_list(const struct flow_task *task, const char *path, const struct flow_place *place,
				 struct flow_result *result)
{
	struct listing listing = { json_string_value(json_object_get(task->parameters, "pattern")), json_array() };
	CLEANUP_FD int dir = tree_open_dir(place->dir, place->name);
	int r = dir < 0 ? dir : tree_each(dir, list_one, &listing);

	if (r < 0) {
		json_decref(listing.items);
		return failed(result, "list", path, r);
	}
	listing.items = flow_sorted(listing.items, "name");
	return give(result, json_pack("{s:o, s:i, s:o}", "path", name_json(path), "count", (int)json_array_size(listing.items),
				      "items", listing.items));
}

/* --- writing ---------------------------------------------------------------------------------------------------------------------------- */

static int append_to(const struct flow_place *place, const char *bytes, size_t size, u64 most)
{
	CLEANUP_FD int fd = open_file(place, O_WRONLY | O_APPEND | O_CREAT);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((u64)st.st_size + size > most)
		return -EFBIG;
	return write_bytes(fd, bytes, size);
}

/* What is there is replaced if it is a file; a link is refused, not replaced. */
static int replace(const struct flow_place *place, const char *bytes, size_t size)
{
	char name[40];
	struct stat st;
	u64 random;

	if (fstatat(place->dir, place->name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -EIO;
	(void)snprintf(name, sizeof(name), ".lichen-%016llx", (unsigned long long)random);
	CLEANUP_FD int fd = openat(place->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int r = fd < 0 ? -errno : write_bytes(fd, bytes, size);
	if (r == 0 && renameat(place->dir, name, place->dir, place->name) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)unlinkat(place->dir, name, 0);
	return r;
}

static enum flow_outcome do_write(const struct flow_task *task, const char *path, const struct flow_place *place,
				  struct flow_result *result)
{
	const json_t *content = json_object_get(task->parameters, "content");
	const char *mode = json_string_value(json_object_get(task->parameters, "mode"));
	bool append = json_is_true(json_object_get(task->parameters, "append")) || (mode && strcmp(mode, "a") == 0);
	size_t size = json_string_length(content);
	u64 most = (u64)task->config->max_file_size_mb << 20;
	int r;

	if (mode && strcmp(mode, "a") != 0 && strcmp(mode, "w") != 0) {
		(void)snprintf(result->error, sizeof(result->error), "mode is w or a, not '%.40s'", mode);
		return FLOW_WRONG;
	}
	if (!json_is_false(json_object_get(task->settings, "read_only"))) {
		(void)snprintf(result->error, sizeof(result->error),
			       "cannot write '%.200s': the step's config has no read_only: false", path);
		return FLOW_DENIED;
	}
	if (!*place->name)
		return failed(result, "write", path, -EISDIR);
	if (size > most)
		r = -EFBIG;
	else
		r = append ? append_to(place, json_string_value(content), size, most)
			   : replace(place, json_string_value(content), size);
	if (r < 0)
		return failed(result, "write", path, r);
	return give(result, json_pack("{s:o, s:I, s:b}", "path", name_json(path), "bytes", (json_int_t)size, "appended", append));
}

/* --- the agent -------------------------------------------------------------------------------------------------------------------------- */

static enum flow_outcome run(const struct flow_task *task, struct flow_result *result)
{
	const char *path = json_string_value(json_object_get(task->parameters, "path"));
	struct flow_place place = { .dir = FD_NONE };
	enum flow_outcome outcome;
	int r = flow_path_open(task, path, &place);

	if (r == -EACCES)
		return denied(result, task->action, path);
	if (r < 0 && strcmp(task->action, "exists") == 0 && (r == -ENOENT || r == -ENOTDIR))
		return give(result, json_false());
	if (r < 0)
		return failed(result, task->action, path, r);
	if (strcmp(task->action, "read") == 0)
		outcome = do_read(task, path, &place, result);
	else if (strcmp(task->action, "write") == 0)
		outcome = do_write(task, path, &place, result);
	else if (strcmp(task->action, "list") == 0)
		outcome = do_list(task, path, &place, result);
	else if (strcmp(task->action, "exists") == 0)
		outcome = do_exists(path, &place, result);
	else
		outcome = do_stat(path, &place, result);
	close_fd(&place.dir);
	return outcome;
}

static const struct flow_action actions[] = {
	{ "read", path_fields, ARRAY_SIZE(path_fields) }, { "write", write_fields, ARRAY_SIZE(write_fields) },
	{ "list", list_fields, ARRAY_SIZE(list_fields) }, { "exists", path_fields, ARRAY_SIZE(path_fields) },
	{ "stat", path_fields, ARRAY_SIZE(path_fields) },
};

const struct flow_agent flow_agent_filesystem = {
	.name = "filesystem",
	.settings = settings,
	.setting_count = ARRAY_SIZE(settings),
	.actions = actions,
	.action_count = ARRAY_SIZE(actions),
	.check = flow_paths_check,
	.run = run,
};
