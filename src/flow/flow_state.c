// SPDX-License-Identifier: Apache-2.0
/* The state directory of flows: see the header. */
#include "flow/flow_state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"
#include "base/write_bytes.h"
#include "flow/flow_sort.h"
#include "host/state_dir.h"
#include "host/tree.h"

#define RUN_FILE "run.json"
#define LOCK_FILE "lock"
#define KEY_FILE "redaction-key"
#define FILE_MAX (256u << 20)

static int open_flows(void)
{
	char path[PATH_MAX];
	CLEANUP_FD int state = state_dir_open(path);

	if (state < 0)
		return state;
	if (mkdirat(state, "flows", 0700) < 0 && errno != EEXIST)
		return -errno;
	return tree_enter(state, "flows");
}

int flow_state_create(const char *id, int *ret_lock)
{
	CLEANUP_FD int flows = open_flows(), dir = FD_NONE, lock = FD_NONE;

	if (flows < 0)
		return flows;
	if (mkdirat(flows, id, 0700) < 0)
		return -errno;
	dir = tree_enter(flows, id);
	if (dir < 0)
		return dir;
	lock = openat(dir, LOCK_FILE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	*ret_lock = take_fd(&lock);
	return take_fd(&dir);
}

/* --- finding ---------------------------------------------------------------------------------------------------------------------------- */

static bool is_id(const char *name)
{
	return strlen(name) == FLOW_ID && strspn(name, "0123456789abcdef") == FLOW_ID;
}

struct search {
	const char *start;
	char *full;
	unsigned found;
};

static int match(void *arg, int dir, const char *name)
{
	struct search *search = arg;

	(void)dir;
	if (is_id(name) && strncmp(name, search->start, strlen(search->start)) == 0 && search->found++ == 0)
		memcpy(search->full, name, FLOW_ID + 1);
	return 0;
}

int flow_state_open(const char *id, char full[FLOW_ID + 1])
{
	struct search search = { .start = id, .full = full };
	CLEANUP_FD int flows = open_flows();

	if (flows < 0)
		return flows;
	int r = *id ? tree_each(flows, match, &search) : 0;
	if (r < 0)
		return r;
	if (search.found != 1)
		return search.found ? -ENOTUNIQ : -ENOENT;
	return tree_enter(flows, full);
}

/* --- files ------------------------------------------------------------------------------------------------------------------------------ */

/* Replaces a file: who reads sees all of the old one or all of the new one. */
static int put_file(int dir, const char *name, const char *bytes, size_t size)
{
	char temporary[NAME_MAX + 1];

	(void)snprintf(temporary, sizeof(temporary), ".%.200s", name);
	CLEANUP_FD int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int r = write_bytes(fd, bytes, size);
	if (r < 0)
		return r;
	return fsync(fd) < 0 || renameat(dir, temporary, dir, name) < 0 ? -errno : 0;
}

static int get_file(int dir, const char *name, char **ret, size_t *ret_size)
{
	CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (u64)st.st_size > FILE_MAX)
		return -EINVAL;
	return read_bytes(fd, FILE_MAX, ret, ret_size);
}

int flow_state_put_output(int dir, unsigned step, const char *text, size_t size)
{
	char name[40];

	(void)snprintf(name, sizeof(name), "step-%u.out", step);
	return put_file(dir, name, text, size);
}

int flow_state_put_audit(int dir, const char *text, size_t size)
{
	return put_file(dir, "audit.jsonl", text, size);
}

int flow_state_get_output(int dir, unsigned step, char **ret, size_t *ret_size)
{
	char name[40];

	(void)snprintf(name, sizeof(name), "step-%u.out", step);
	return get_file(dir, name, ret, ret_size);
}

int flow_state_write(int dir, const json_t *state)
{
	CLEANUP_FREE char *text = json_dumps(state, JSON_INDENT(2));

	return text ? put_file(dir, RUN_FILE, text, strlen(text)) : -ENOMEM;
}

static bool is_locked(int dir)
{
	CLEANUP_FD int lock = openat(dir, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return lock >= 0 && flock(lock, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

json_t *flow_state_read(int dir)
{
	CLEANUP_FREE char *text = NULL;
	bool running = is_locked(dir);
	size_t size = 0;

	if (get_file(dir, RUN_FILE, &text, &size) < 0)
		return NULL;
	json_t *state = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	const char *said = json_string_value(json_object_get(state, "state"));
	if (!said) {
		json_decref(state);
		return NULL;
	}
	if (strcmp(said, "running") == 0 && !running)
		(void)json_object_set_new(state, "state", json_string("interrupted"));
	said = json_string_value(json_object_get(state, "state"));
	(void)json_object_set_new(state, "resumable", json_boolean(strcmp(said, "running") != 0 && strcmp(said, "ok") != 0));
	return state;
}

/* --- all runs --------------------------------------------------------------------------------------------------------------------------- */

static int add_run(void *arg, int dir, const char *name)
{
	CLEANUP_FD int run = is_id(name) ? tree_enter(dir, name) : FD_NONE;
	json_t *state = run >= 0 ? flow_state_read(run) : NULL;

	if (state)
		(void)json_array_append_new(arg, state);
	return 0;
}

json_t *flow_state_list(void)
{
	CLEANUP_FD int flows = open_flows();
	json_t *runs = json_array();

	if (flows >= 0 && runs)
		(void)tree_each(flows, add_run, runs);
	return flow_sorted(runs, "started");
}

/* --- the key ---------------------------------------------------------------------------------------------------------------------------- */

/* A key that is there whole or not at all, whoever makes it first. */
static int make_key(int flows, size_t size)
{
	char temporary[40];
	u8 bytes[64];
	u64 mark;
	int r;

	if (size > sizeof(bytes) || getrandom(bytes, size, 0) != (ssize_t)size ||
	    getrandom(&mark, sizeof(mark), 0) != (ssize_t)sizeof(mark))
		return -EIO;
	(void)snprintf(temporary, sizeof(temporary), ".key-%016llx", (unsigned long long)mark);
	r = put_file(flows, temporary, (const char *)bytes, size);
	explicit_bzero(bytes, sizeof(bytes));
	if (r == 0 && linkat(flows, temporary, flows, KEY_FILE, 0) < 0 && errno != EEXIST)
		r = -errno;
	(void)unlinkat(flows, temporary, 0);
	return r;
}

int flow_state_key(u8 *key, size_t size)
{
	CLEANUP_FD int flows = open_flows();
	CLEANUP_FREE char *bytes = NULL;
	size_t found = 0;

	if (flows < 0)
		return flows;
	int r = get_file(flows, KEY_FILE, &bytes, &found);
	if (r == -ENOENT) {
		r = make_key(flows, size);
		if (r == 0)
			r = get_file(flows, KEY_FILE, &bytes, &found);
	}
	if (r < 0)
		return r;
	if (found != size || !bytes)
		return -EBADMSG;
	memcpy(key, bytes, size);
	explicit_bzero(bytes, found);
	return 0;
}
