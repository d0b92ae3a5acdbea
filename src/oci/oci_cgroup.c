// SPDX-License-Identifier: Apache-2.0
/* Where a container's cgroups are, who is in them, and whether they stand still. */
#include "oci/oci_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/cgroup_own.h"

#define MOUNT "/sys/fs/cgroup"
#define WAIT_STEPS 1000
#define WAIT_STEP_NS 2000000
#define DEPTH_MAX 32

static void wait_step(void)
{
	(void)nanosleep(&(struct timespec){ 0, WAIT_STEP_NS }, NULL);
}

/* --- files -------------------------------------------------------------------------------------------------------------------------------- */

int oci_cgroup_write(const char *dir, const char *file, const char *text)
{
	char path[PATH_MAX];
	CLEANUP_FD int fd = FD_NONE;

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

int oci_cgroup_read(const char *dir, const char *file, char *text, size_t size)
{
	char path[PATH_MAX];
	CLEANUP_FD int fd = FD_NONE;
	ssize_t n;

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, size - 1);
	if (n < 0)
		return -errno;
	text[n] = '\0';
	if (n && text[n - 1] == '\n')
		text[n - 1] = '\0';
	return 0;
}

/* --- places ------------------------------------------------------------------------------------------------------------------------------- */

bool oci_cgroup_is_v2(json_t *cgroup)
{
	return json_object_get(cgroup, "") != NULL;
}

static bool has_word(const char *list, const char *word, const char *separators)
{
	size_t length = strlen(word);

	while (*list) {
		size_t span = strcspn(list, separators);

		if (span == length && strncmp(list, word, length) == 0)
			return true;
		list += span;
		list += strspn(list, separators);
	}
	return false;
}

const char *oci_cgroup_place(json_t *cgroup, const char *controller)
{
	const char *unified = json_string_value(json_object_get(cgroup, ""));
	char controllers[512];

	if (!unified)
		return json_string_value(json_object_get(cgroup, controller));
	if (oci_cgroup_read(unified, "cgroup.controllers", controllers, sizeof(controllers)) == 0 &&
	    has_word(controllers, controller, " "))
		return unified;
	return NULL;
}

/* The directory of a container below a mount point that shows the cgroup `mounted`. */
static bool place(const char *point, const char *mounted, const char *controllers, const char *path, const char *id,
		  char ret[PATH_MAX])
{
	char own[PATH_MAX] = "";
	size_t cut = strcmp(mounted, "/") != 0 ? strlen(mounted) : 0;

	if (path && *path == '/')
		return snprintf(ret, PATH_MAX, "%s%s", point, path) < PATH_MAX;
	if (!cgroup_own_path(controllers, own) || strncmp(own, mounted, cut) != 0)
		cut = strlen(own); /* a cgroup namespace, or one above the mount */
	return snprintf(ret, PATH_MAX, "%s%s/%s", point, own + cut, path && *path ? path : id) < PATH_MAX;
}

/* v1: a new cgroup of processors may use none until it is told which: those of the one above. */
static void inherit_cpuset(const char *dir)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
	char above[PATH_MAX + 4], text[4096] = "";

	(void)snprintf(above, sizeof(above), "%s/..", dir);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (oci_cgroup_read(dir, files[i], text, sizeof(text)) == 0 && !*text &&
		    oci_cgroup_read(above, files[i], text, sizeof(text)) == 0)
			(void)!oci_cgroup_write(dir, files[i], text);
}

/* v2: what is there for this cgroup becomes so for those below it. */
static void enable_all(const char *dir)
{
	char text[512], word[64], *save = NULL;

	if (oci_cgroup_read(dir, "cgroup.controllers", text, sizeof(text)) < 0)
		return;
	for (char *name = strtok_r(text, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		(void)snprintf(word, sizeof(word), "+%.60s", name);
		(void)!oci_cgroup_write(dir, "cgroup.subtree_control", word);
	}
}

static int make_place(const char *point, const char *path, bool v2, bool cpuset)
{
	char text[PATH_MAX];
	size_t skip = strlen(point);

	(void)snprintf(text, sizeof(text), "%s", path);
	for (char *slash = strchr(text + skip, '/'); slash;) {
		char *next = strchr(slash + 1, '/');

		if (v2) {
			*slash = '\0';
			enable_all(text);
			*slash = '/';
		}
		if (next)
			*next = '\0';
		if (mkdir(text, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (cpuset)
			inherit_cpuset(text);
		if (next)
			*next = '/';
		slash = next;
	}
	return 0;
}

/* The controllers among the options of a hierarchy's super block, "name=systemd" as well. */
static void add_controllers(json_t *into, char *options, const char *path)
{
	static const char *const others[] = { "rw",     "ro",     "noprefix", "xattr",   "clone_children",
					      "nosuid", "noexec", "nodev",    "relatime" };
	char *save = NULL;

	for (char *name = strtok_r(options, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
		bool other = strncmp(name, "release_agent", 13) == 0;

		for (size_t i = 0; i < ARRAY_SIZE(others) && !other; i++)
			other = strcmp(name, others[i]) == 0;
		if (!other)
			json_object_set_new(into, name, json_string(path));
	}
}

/* The names of a hierarchy as /proc/self/cgroup lists them: its options without those that are none, the order of both is the kernel's. */
static void names_of(const char *options, char names[512])
{
	json_t *set = json_object();
	char copy[512];
	const char *key;
	json_t *value;
	size_t length = 0;

	(void)snprintf(copy, sizeof(copy), "%s", options);
	add_controllers(set, copy, "");
	names[0] = '\0';
	json_object_foreach(set, key, value)
	{
		if (length + strlen(key) + 2 < 512)
			length += (size_t)snprintf(names + length, 512 - length, "%s%s", length ? "," : "", key);
	}
	json_decref(set);
}

static int make_hierarchies(const char *path, const char *id, json_t *into, struct oci_notes *notes)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char line[3 * PATH_MAX], type[64], options[512], names[512], mounted[PATH_MAX], point[PATH_MAX], dir[PATH_MAX];

	while (file && fgets(line, sizeof(line), file)) {
		char *rest = strstr(line, " - ");
		int r;

		if (!rest || sscanf(line, "%*d %*d %*s %4095s %4095s", mounted, point) != 2 ||
		    sscanf(rest, " - %63s %*s %511s", type, options) != 2 || strcmp(type, "cgroup") != 0)
			continue;
		names_of(options, names);
		if (json_object_get(into, names) || !place(point, mounted, names, path, id, dir))
			continue;
		r = make_place(point, dir, false, has_word(names, "cpuset", ","));
		if (r < 0)
			oci_note(notes, "no cgroup of %s: %s: %s", names, dir, strerror(-r));
		else
			add_controllers(into, options, dir);
	}
	if (file)
		(void)fclose(file);
	return 0;
}

int oci_cgroup_make(const char *path, const char *id, json_t **ret, struct oci_notes *notes, struct oci_error *error)
{
	json_t *cgroup = json_object();
	char dir[PATH_MAX];
	struct statfs fs;
	int r = 0;

	if (path && strstr(path, ".."))
		r = oci_fail(error, -EINVAL, "config: cgroupsPath with '..': %s", path);
	else if (path && strchr(path, ':'))
		r = oci_fail(error, -EINVAL, "config: cgroupsPath '%s' is one of systemd's: not supported, use the cgroupfs driver",
			     path);
	else if (statfs(MOUNT, &fs) < 0 || fs.f_type != CGROUP2_SUPER_MAGIC)
		r = make_hierarchies(path, id, cgroup, notes);
	else if (place(MOUNT, "/", "", path, id, dir)) {
		r = make_place(MOUNT, dir, true, false);
		if (r < 0)
			oci_note(notes, "no cgroup: %s: %s", dir, strerror(-r));
		else
			json_object_set_new(cgroup, "", json_string(dir));
		r = 0;
	}
	if (r == 0 && json_object_size(cgroup) == 0)
		oci_note(notes, "the container has no cgroups");
	if (r < 0)
		json_decref(cgroup);
	else
		*ret = cgroup;
	return r;
}

int oci_cgroup_enter(json_t *cgroup, pid_t pid, struct oci_error *error)
{
	const char *name;
	char text[16];
	json_t *dir;

	(void)snprintf(text, sizeof(text), "%d", pid);
	json_object_foreach(cgroup, name, dir)
	{
		int r = oci_cgroup_write(json_string_value(dir), "cgroup.procs", text);

		if (r < 0) {
			errno = -r;
			return oci_fail_errno(error, "entering the cgroup %s", json_string_value(dir));
		}
	}
	return 0;
}

/* --- processes ---------------------------------------------------------------------------------------------------------------------------- */

/* For each directory below, deepest first, and for the directory. */
static int each(const char *dir, int depth, int (*visit)(const char *dir, void *data), void *data)
{
	DIR *stream = depth < DEPTH_MAX ? opendir(dir) : NULL;
	const struct dirent *entry;
	char path[PATH_MAX];
	int r = 0;

	while (stream && r == 0 && (entry = readdir(stream)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < (int)sizeof(path))
			r = each(path, depth + 1, visit, data);
	if (stream)
		(void)closedir(stream);
	return r == 0 ? visit(dir, data) : r;
}

struct pids {
	pid_t *list;
	int count;
};

static int collect(const char *dir, void *data)
{
	struct pids *pids = data;
	char path[PATH_MAX];
	FILE *file;
	int pid;

	(void)snprintf(path, sizeof(path), "%s/cgroup.procs", dir);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &pid) == 1) {
		pid_t *more = realloc(pids->list, ((size_t)pids->count + 1) * sizeof(*more));

		if (!more)
			break;
		more[pids->count++] = pid;
		pids->list = more;
	}
	if (file)
		(void)fclose(file);
	return 0;
}

/* One hierarchy tells of all of them. */
static const char *any_place(json_t *cgroup)
{
	static const char *const names[] = { "", "devices", "freezer", "pids", "memory" };
	json_t *dir = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !dir; i++)
		dir = json_object_get(cgroup, names[i]);
	return json_string_value(dir ? dir : json_object_iter_value(json_object_iter(cgroup)));
}

int oci_cgroup_processes(json_t *cgroup, pid_t **ret)
{
	const char *dir = any_place(cgroup);
	struct pids pids = { 0 };

	if (dir)
		(void)each(dir, 0, collect, &pids);
	*ret = pids.list;
	return pids.count;
}

/* --- standing still ----------------------------------------------------------------------------------------------------------------------- */

/* The place of a freezer, and its file. */
static const char *freezer(json_t *cgroup, const char **ret_file)
{
	const char *unified = json_string_value(json_object_get(cgroup, ""));

	*ret_file = unified ? "cgroup.freeze" : "freezer.state";
	return unified ? unified : json_string_value(json_object_get(cgroup, "freezer"));
}

bool oci_cgroup_frozen(json_t *cgroup)
{
	const char *file, *dir = freezer(cgroup, &file);
	char text[64];

	if (!dir || oci_cgroup_read(dir, file, text, sizeof(text)) < 0)
		return false;
	return strcmp(text, "1") == 0 || strcmp(text, "FROZEN") == 0 || strcmp(text, "FREEZING") == 0;
}

static bool settled(const char *dir, bool v2, bool freeze)
{
	char text[256];

	if (oci_cgroup_read(dir, v2 ? "cgroup.events" : "freezer.state", text, sizeof(text)) < 0)
		return true;
	if (v2)
		return strstr(text, freeze ? "frozen 1" : "frozen 0") != NULL;
	return strcmp(text, freeze ? "FROZEN" : "THAWED") == 0;
}

int oci_cgroup_freeze(json_t *cgroup, bool freeze, struct oci_error *error)
{
	const char *file, *dir = freezer(cgroup, &file);
	bool v2 = oci_cgroup_is_v2(cgroup);
	const char *word = v2 ? (freeze ? "1" : "0") : (freeze ? "FROZEN" : "THAWED");
	int r;

	if (!dir)
		return oci_fail(error, -EOPNOTSUPP,
				"this machine has no cgroup freezer: the container can be neither paused nor resumed");
	for (int i = 0; i < WAIT_STEPS; i++) {
		r = oci_cgroup_write(dir, file, word); /* v1: again and again, a process in fork(2) escapes the first */
		if (r < 0) {
			errno = -r;
			return oci_fail_errno(error, "%s/%s", dir, file);
		}
		if (settled(dir, v2, freeze))
			return 0;
		wait_step();
	}
	(void)!oci_cgroup_write(dir, file, v2 ? "0" : "THAWED");
	return oci_fail(error, -ETIMEDOUT, "unable to %s the container", freeze ? "freeze" : "thaw");
}

/* --- the end ------------------------------------------------------------------------------------------------------------------------------ */

static int remove_one(const char *dir, void *data)
{
	(void)data;
	for (int i = 0; i < WAIT_STEPS; i++) {
		if (rmdir(dir) == 0 || errno == ENOENT || errno == ENOTDIR)
			return 0;
		if (errno != EBUSY)
			return -errno;
		wait_step(); /* the last of them are being reaped */
	}
	return -EBUSY;
}

int oci_cgroup_remove(json_t *cgroup, struct oci_error *error)
{
	const char *name;
	json_t *dir;

	json_object_foreach(cgroup, name, dir)
	{
		int r = access(json_string_value(dir), F_OK) == 0 ? each(json_string_value(dir), 0, remove_one, NULL) : 0;

		if (r < 0) {
			errno = -r;
			return oci_fail_errno(error, "removing the cgroup %s", json_string_value(dir));
		}
	}
	return 0;
}
