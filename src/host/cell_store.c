/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of cells. */
#include "host/cell_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cell_name.h"
#include "host/state_dir.h"
#include "host/tree.h"

#define TRIES 100

int cell_store_open(char path[PATH_MAX])
{
	CLEANUP_FD int state = state_dir_open(path);
	int store;

	if (state < 0)
		return state;
	if (mkdirat(state, "cells", 0700) < 0 && errno != EEXIST)
		return -errno;
	store = openat(state, "cells", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return store < 0 ? -errno : store;
}

static int lock_store(int store)
{
	CLEANUP_FD int fd = openat(store, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	return take_fd(&fd);
}

static bool is_id(const char *name)
{
	return strlen(name) == CELL_ID_SIZE - 1 && strspn(name, "0123456789abcdef") == CELL_ID_SIZE - 1;
}

static DIR *open_list(int store)
{
	int fd = openat(store, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);

	if (!stream)
		close_fd(&fd);
	return stream;
}

/* What a killed lichen left. Under the lock nobody makes or removes a cell. */
static void clear_remains(int store)
{
	DIR *stream = open_list(store);
	const struct dirent *entry;

	while (stream && (entry = readdir(stream)))
		if (entry->d_name[0] == '.' && is_id(entry->d_name + 1))
			(void)tree_remove(store, entry->d_name);
	if (stream)
		(void)closedir(stream);
}

int cell_store_dir(int store, const char *id)
{
	int fd = openat(store, id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

int cell_store_config(int dir, json_t **ret)
{
	int fd = openat(dir, "config.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	json_t *config;
	FILE *from = fd < 0 ? NULL : fdopen(fd, "r");
	int error = from ? 0 : -errno;

	if (error) {
		close_fd(&fd);
		return error;
	}
	config = json_loadf(from, JSON_REJECT_DUPLICATES, NULL); /* json_loadfd() would read a byte at a time */
	(void)fclose(from);
	if (!json_is_object(config) || !json_is_string(json_object_get(config, "name"))) {
		json_decref(config);
		return -EBADMSG;
	}
	*ret = config;
	return 0;
}

static int open_lock(int dir)
{
	int fd = openat(dir, "monitor", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

bool cell_store_alive(int dir)
{
	CLEANUP_FD int fd = open_lock(dir);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int cell_store_wait(int dir)
{
	CLEANUP_FD int fd = open_lock(dir);

	if (fd < 0)
		return fd;
	while (flock(fd, LOCK_SH) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

int cell_store_state(int dir, struct cell_state *ret)
{
	bool alive = cell_store_alive(dir);
	int r = cell_state_read(dir, ret); /* after the lock: who found it free, finds what was written at the end */

	if (r == 0 && !alive && ret->status != CELL_EXITED)
		ret->status = CELL_DEAD;
	return r;
}

/* Whether a cell of that name is there. */
static int name_taken(int store, const char *name)
{
	char(*ids)[CELL_ID_SIZE] = NULL;
	int count = cell_store_list(store, &ids), taken = 0;

	if (count < 0)
		return count;
	for (int i = 0; ids && i < count && !taken; i++) {
		CLEANUP_FD int dir = cell_store_dir(store, ids[i]);
		json_t *config = NULL;

		if (dir < 0 || cell_store_config(dir, &config) < 0)
			continue;
		taken = strcmp(json_string_value(json_object_get(config, "name")), name) == 0;
		json_decref(config);
	}
	free((void *)ids);
	return taken;
}

static int choose_name(int store, struct cell_config *config)
{
	int r;

	if (config->name[0]) {
		r = name_taken(store, config->name);
		return r > 0 ? -EEXIST : r;
	}
	for (int i = 0; i < TRIES; i++) {
		r = cell_name_generate(config->name, i > TRIES / 2);
		if (r == 0)
			r = name_taken(store, config->name);
		if (r <= 0)
			return r;
	}
	return -EEXIST;
}

static int choose_id(int store, char id[CELL_ID_SIZE])
{
	u8 bytes[6];
	struct stat st;

	do {
		if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
			return -errno;
		for (size_t i = 0; i < sizeof(bytes); i++)
			(void)snprintf(id + 2 * i, 3, "%02x", bytes[i]);
	} while (fstatat(store, id, &st, AT_SYMLINK_NOFOLLOW) == 0);
	return 0;
}

/* As json_dumpfd(), which writes a word at a time. */
static int dump(const json_t *json, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), r;
	FILE *to = copy < 0 ? NULL : fdopen(copy, "w");

	if (!to) {
		r = -errno;
		close_fd(&copy);
		return r;
	}
	errno = 0;
	r = json_dumpf(json, to, JSON_INDENT(1)) < 0 ? -(errno ? errno : ENOMEM) : 0;
	return fclose(to) < 0 && r == 0 ? -errno : r;
}

static int write_config(int dir, const struct cell_config *config)
{
	CLEANUP_FD int fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	json_t *json;
	int r;

	if (fd < 0)
		return -errno;
	json = cell_config_json(config);
	if (!json)
		return -ENOMEM;
	r = dump(json, fd);
	json_decref(json);
	return r;
}

/* Writes a file beside it and renames; the time of the old one stays, by which cells are sorted. */
static int replace_config(int dir, const json_t *config)
{
	CLEANUP_FD int fd = openat(dir, "config.new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	int r;

	if (fd < 0 || fstatat(dir, "config.json", &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	r = dump(config, fd);
	if (r < 0)
		return r;
	(void)futimens(fd, (const struct timespec[]){ st.st_mtim, st.st_mtim });
	return renameat(dir, "config.new", dir, "config.json") < 0 ? -errno : 0;
}

int cell_store_change(int store, const char *id, json_t *members)
{
	CLEANUP_FD int lock = lock_store(store), dir = lock < 0 ? lock : cell_store_dir(store, id);
	const char *name = json_string_value(json_object_get(members, "name")), *old;
	json_t *config = NULL;
	int r = dir < 0 ? dir : cell_store_config(dir, &config);

	if (r < 0)
		return r;
	old = json_string_value(json_object_get(config, "name"));
	if (name && strcmp(name, old) != 0)
		r = name_taken(store, name);
	r = r > 0 ? -EEXIST : r;
	if (r == 0)
		r = json_object_update(config, members) < 0 ? -ENOMEM : replace_config(dir, config);
	json_decref(config);
	return r;
}

/* All files of a cell, in a directory that has not its name yet. */
static int fill(int dir, const struct cell_config *config, int *ret_monitor)
{
	struct cell_state state = { .status = CELL_CREATED };
	CLEANUP_FD int monitor = openat(dir, "monitor", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (monitor < 0 || flock(monitor, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	r = write_config(dir, config);
	if (r == 0)
		r = cell_state_create(dir, &state);
	if (r == 0)
		*ret_monitor = take_fd(&monitor);
	return r;
}

static int make(int store, struct cell_config *config, int *ret_dir, int *ret_monitor)
{
	char hidden[CELL_ID_SIZE + 1];
	CLEANUP_FD int dir = FD_NONE, monitor = FD_NONE;
	int r = choose_name(store, config);

	if (r == 0)
		r = choose_id(store, config->id);
	if (r < 0)
		return r;
	(void)snprintf(hidden, sizeof(hidden), ".%s", config->id);
	if (mkdirat(store, hidden, 0700) < 0)
		return -errno;
	dir = cell_store_dir(store, hidden);
	r = dir < 0 ? dir : fill(dir, config, &monitor);
	if (r == 0 && renameat(store, hidden, store, config->id) < 0)
		r = -errno;
	if (r < 0) {
		(void)tree_remove(store, hidden);
		return r;
	}
	*ret_dir = take_fd(&dir);
	*ret_monitor = take_fd(&monitor);
	return 0;
}

int cell_store_create(int store, struct cell_config *config, int *ret_dir, int *ret_monitor)
{
	struct timespec now;
	CLEANUP_FD int lock = lock_store(store);

	if (lock < 0)
		return lock;
	clear_remains(store);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	config->created = (s64)now.tv_sec * 1000000000 + now.tv_nsec;
	return make(store, config, ret_dir, ret_monitor);
}

int cell_store_remove(int store, const char *id, bool own)
{
	char hidden[CELL_ID_SIZE + 1];
	CLEANUP_FD int lock = lock_store(store), dir = FD_NONE;

	if (lock < 0)
		return lock;
	dir = cell_store_dir(store, id);
	if (dir < 0)
		return dir;
	if (!own && cell_store_alive(dir))
		return -EBUSY;
	(void)snprintf(hidden, sizeof(hidden), ".%s", id);
	if (renameat(store, id, store, hidden) < 0)
		return -errno;
	return tree_remove(store, hidden);
}

struct listed {
	char id[CELL_ID_SIZE];
	struct timespec made;
};

static int older_first(const void *a, const void *b)
{
	const struct listed *x = a, *y = b;

	if (x->made.tv_sec != y->made.tv_sec)
		return x->made.tv_sec < y->made.tv_sec ? -1 : 1;
	if (x->made.tv_nsec != y->made.tv_nsec)
		return x->made.tv_nsec < y->made.tv_nsec ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* Of each cell, when its config.json was written, which is never written again. */
static int read_list(int store, DIR *stream, struct listed **ret)
{
	struct listed *list = NULL;
	size_t count = 0, room = 0;
	const struct dirent *entry;

	while ((entry = readdir(stream))) {
		char path[CELL_ID_SIZE + sizeof("/config.json")];
		struct stat st = { 0 };

		if (!is_id(entry->d_name))
			continue;
		if (count == room) {
			struct listed *more;

			room = room ? 2 * room : 16;
			more = reallocarray(list, room, sizeof(*list));
			if (!more) {
				free(list);
				return -ENOMEM;
			}
			list = more;
		}
		memcpy(list[count].id, entry->d_name, CELL_ID_SIZE);
		(void)snprintf(path, sizeof(path), "%s/config.json", list[count].id);
		(void)fstatat(store, path, &st, AT_SYMLINK_NOFOLLOW);
		list[count++].made = st.st_mtim;
	}
	*ret = list;
	return (int)count;
}

int cell_store_list(int store, char (**ret_ids)[CELL_ID_SIZE])
{
	DIR *stream = open_list(store);
	struct listed *list = NULL;
	char(*ids)[CELL_ID_SIZE];
	int count;

	if (!stream)
		return -EMFILE; /* or no memory, which is as good a reason */
	count = read_list(store, stream, &list);
	(void)closedir(stream);
	if (count < 0)
		return count;
	ids = calloc((size_t)count + 1, sizeof(*ids));
	if (!ids) {
		free(list);
		return -ENOMEM;
	}
	if (count > 0)
		qsort(list, (size_t)count, sizeof(*list), older_first);
	for (int i = 0; i < count; i++)
		memcpy(ids[i], list[i].id, CELL_ID_SIZE);
	free(list);
	*ret_ids = ids;
	return count;
}

/* How well a word names a cell: 0 not, 1 as the beginning of its id, 2 by id or name. */
static int names(int store, const char *id, const char *word)
{
	CLEANUP_FD int dir = FD_NONE;
	json_t *config = NULL;
	int fit;

	if (strcmp(id, word) == 0)
		return 2;
	dir = cell_store_dir(store, id);
	if (dir >= 0 && cell_store_config(dir, &config) == 0) {
		fit = strcmp(json_string_value(json_object_get(config, "name")), word) == 0;
		json_decref(config);
		if (fit)
			return 2;
	}
	return *word && strncmp(id, word, strlen(word)) == 0;
}

int cell_store_find(int store, const char *word, char ret_id[CELL_ID_SIZE])
{
	char(*ids)[CELL_ID_SIZE] = NULL;
	int count = cell_store_list(store, &ids), found = -1, r = -ENOENT;

	if (count < 0)
		return count;
	for (int i = 0; ids && i < count; i++) {
		int fit = names(store, ids[i], word);

		if (fit) {
			r = fit == 2 || r == -ENOENT ? 0 : -ENOTUNIQ;
			found = i;
		}
		if (fit == 2)
			break;
	}
	if (r == 0 && ids)
		memcpy(ret_id, ids[found], CELL_ID_SIZE);
	free((void *)ids);
	return r;
}
