// SPDX-License-Identifier: Apache-2.0
/* The directories of containers. */
#include "oci/oci_state.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "oci/oci_cgroup.h"

#define STATE "state.json"
#define STATE_NEW "state.json.new"

const char *oci_status_name(enum oci_status status)
{
	static const char *const names[] = { "creating", "created", "running", "paused", "stopped" };

	return names[status];
}

/* --- directories --------------------------------------------------------------------------------------------------------------------------- */

static int check_id(const char *id, struct oci_error *error)
{
	bool valid = *id && strlen(id) <= OCI_ID_MAX && strcmp(id, ".") != 0 && strcmp(id, "..") != 0;

	for (const char *at = id; valid && *at; at++)
		valid = isalnum((unsigned char)*at) || strchr("_+-.", *at);
	return valid ? 0 : oci_fail(error, -EINVAL, "invalid container id format: %.200s", id);
}

static int make_directories(const char *path)
{
	char text[PATH_MAX];

	if (snprintf(text, sizeof(text), "%s/", path) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	for (char *slash = strchr(text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(text, 0711) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int open_directory(const char *root, const char *id)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", root, id) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int oci_container_new(const char *root, const char *id, struct oci_container *ret, struct oci_error *error)
{
	char path[PATH_MAX];
	CLEANUP_FD int dir = FD_NONE;
	int r = check_id(id, error);

	if (r < 0)
		return r;
	r = make_directories(root);
	if (r < 0) {
		errno = -r;
		return oci_fail_errno(error, "mkdir %s", root);
	}
	if (snprintf(path, sizeof(path), "%s/%s", root, id) >= (int)sizeof(path))
		return oci_fail(error, -ENAMETOOLONG, "the path of the state is too long");
	if (mkdir(path, 0711) < 0 && errno != EEXIST)
		return oci_fail_errno(error, "mkdir %s", path);
	dir = open_directory(root, id);
	if (dir < 0)
		return oci_fail_errno(error, "open %s", path);
	if (flock(dir, LOCK_EX | LOCK_NB) < 0 || faccessat(dir, STATE, F_OK, 0) == 0)
		return oci_fail(error, -EEXIST, "container with given ID already exists");
	ret->id = strdup(id);
	ret->data = json_object();
	if (!ret->id || !ret->data) {
		oci_container_done(ret);
		return oci_fail(error, -ENOMEM, "out of memory");
	}
	ret->dir = take_fd(&dir);
	return 0;
}

int oci_container_open(const char *root, const char *id, bool lock, struct oci_container *ret, struct oci_error *error)
{
	CLEANUP_FD int dir = FD_NONE, file = FD_NONE;
	int r = check_id(id, error);

	if (r < 0)
		return r;
	dir = open_directory(root, id);
	if (dir >= 0 && lock && flock(dir, LOCK_EX) < 0)
		return oci_fail_errno(error, "locking the container %s", id);
	file = dir < 0 ? -1 : openat(dir, STATE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (file < 0 && (errno == ENOENT || errno == ENOTDIR))
		return oci_fail(error, -ENOENT, "container does not exist");
	if (file < 0)
		return oci_fail_errno(error, "container %s", id);
	ret->data = json_loadfd(file, 0, NULL);
	ret->id = strdup(id);
	if (!json_is_object(ret->data) || !ret->id) {
		oci_container_done(ret);
		return oci_fail(error, -EBADMSG, "container %s: its state.json is damaged", id);
	}
	ret->dir = take_fd(&dir);
	return 0;
}

void oci_container_done(struct oci_container *container)
{
	close_fd(&container->dir);
	free(container->id);
	json_decref(container->data);
	*container = OCI_CONTAINER_NONE;
}

int oci_container_save(const struct oci_container *container, struct oci_error *error)
{
	CLEANUP_FD int fd = openat(container->dir, STATE_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0 || json_dumpfd(container->data, fd, JSON_COMPACT) < 0 ||
	    renameat(container->dir, STATE_NEW, container->dir, STATE) < 0)
		return oci_fail_errno(error, "writing state.json of %s", container->id);
	return 0;
}

/* state.json goes first: from then on there is no container. */
int oci_container_remove(const char *root, struct oci_container *container, struct oci_error *error)
{
	static const char *const files[] = { STATE, STATE_NEW, "config.json", OCI_FIFO };
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (unlinkat(container->dir, files[i], 0) < 0 && errno != ENOENT)
			return oci_fail_errno(error, "removing %s of %s", files[i], container->id);
	(void)snprintf(path, sizeof(path), "%s/%s", root, container->id);
	return rmdir(path) < 0 && errno != ENOENT ? oci_fail_errno(error, "rmdir %s", path) : 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **oci_container_list(const char *root)
{
	DIR *stream = opendir(root);
	const struct dirent *entry;
	size_t count = 0, room = 16;
	char **ids = calloc(room, sizeof(*ids));

	if (!ids) {
		if (stream)
			(void)closedir(stream);
		return NULL;
	}
	while (stream && (entry = readdir(stream))) {
		if (entry->d_name[0] == '.')
			continue;
		if (count + 1 == room) {
			char **more = realloc(ids, 2 * room * sizeof(*ids));

			if (!more)
				break;
			ids = more;
			room *= 2;
		}
		ids[count] = strdup(entry->d_name);
		if (ids[count])
			count++;
	}
	if (stream)
		(void)closedir(stream);
	ids[count] = NULL;
	qsort((void *)ids, count, sizeof(*ids), compare);
	return ids;
}

/* --- how it is doing ------------------------------------------------------------------------------------------------------------------------ */

/* A text of state.json, "" = not there. */
static const char *oci_container_text(const struct oci_container *container, const char *name)
{
	const char *text = json_string_value(json_object_get(container->data, name));

	return text ? text : "";
}

pid_t oci_container_pid(const struct oci_container *container)
{
	return (pid_t)json_integer_value(json_object_get(container->data, "pid"));
}

/* proc(5), stat: the name, in parentheses, may have any character; the state is the third field, the start time the 22nd. */
u64 oci_process_started(pid_t pid)
{
	char path[32], text[1024];
	CLEANUP_FD int fd = FD_NONE;
	const char *at;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	at = strrchr(text, ')');
	if (!at || !at[1] || strchr("ZX", at[2]))
		return 0;
	at += 2;
	for (int field = 3; field < 22 && at; field++) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	return at ? strtoull(at, NULL, 10) + 1 : 0; /* one more: the first process of a machine starts at 0 */
}

bool oci_container_alive(const struct oci_container *container)
{
	u64 started = oci_process_started(oci_container_pid(container));

	return started && started == (u64)json_integer_value(json_object_get(container->data, "started"));
}

/* Only the first process of a container that was not started reads the FIFO. */
static bool has_reader(const struct oci_container *container)
{
	CLEANUP_FD int fd = openat(container->dir, OCI_FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);

	return fd >= 0;
}

enum oci_status oci_container_status(const struct oci_container *container)
{
	if (!oci_container_alive(container))
		return OCI_STOPPED;
	if (!json_is_true(json_object_get(container->data, "ready")))
		return OCI_CREATING;
	if (oci_cgroup_frozen(json_object_get(container->data, "cgroup")))
		return OCI_PAUSED;
	return has_reader(container) ? OCI_CREATED : OCI_RUNNING;
}

int oci_container_spec(const struct oci_container *container, struct oci_spec *ret, struct oci_error *error)
{
	char path[64];
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/config.json", container->dir);
	r = oci_read_file(path, &text, &size, error);
	return r < 0 ? r : oci_spec_parse(text, size, ret, error);
}

json_t *oci_container_state(const struct oci_container *container, enum oci_status status)
{
	json_t *annotations = json_deep_copy(json_object_get(container->data, "annotations"));
	const char *omitted = oci_container_text(container, "omitted");
	json_t *state = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "ociVersion", OCI_VERSION, "id", container->id, "pid",
				  status == OCI_STOPPED ? 0 : oci_container_pid(container), "status", oci_status_name(status),
				  "bundle", oci_container_text(container, "bundle"), "rootfs",
				  oci_container_text(container, "rootfs"), "created", oci_container_text(container, "created"));

	if (*omitted) {
		annotations = annotations ? annotations : json_object();
		json_object_set_new(annotations, OCI_ANNOTATION_OMITTED, json_string(omitted));
	}
	if (json_object_size(annotations) && state)
		json_object_set(state, "annotations", annotations);
	json_decref(annotations);
	if (state)
		json_object_set_new(state, "owner", json_string(oci_container_text(container, "owner")));
	return state;
}

/* --- its processes -------------------------------------------------------------------------------------------------------------------------- */

static bool in_namespace(pid_t pid, u64 mounts)
{
	char path[64];
	struct stat st;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	return stat(path, &st) == 0 && st.st_ino == mounts;
}

static bool has_pid(const pid_t *pids, int count, pid_t pid)
{
	for (int i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

int oci_container_processes(const struct oci_container *container, pid_t **ret)
{
	u64 mounts = (u64)json_integer_value(json_object_get(container->data, "mountNamespace"));
	int count = oci_cgroup_processes(json_object_get(container->data, "cgroup"), ret);
	DIR *stream = count < 0 || !mounts ? NULL : opendir("/proc");
	const struct dirent *entry;

	while (stream && count >= 0 && (entry = readdir(stream))) {
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
		pid_t *more;

		if (pid <= 0 || has_pid(*ret, count, pid) || !in_namespace(pid, mounts))
			continue;
		more = realloc(*ret, ((size_t)count + 1) * sizeof(**ret));
		if (!more) {
			free(*ret);
			*ret = NULL;
			count = -ENOMEM;
			break;
		}
		more[count++] = pid;
		*ret = more;
	}
	if (stream)
		(void)closedir(stream);
	return count;
}
