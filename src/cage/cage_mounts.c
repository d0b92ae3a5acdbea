// SPDX-License-Identifier: Apache-2.0
/* Mounts of a cage: see the header. */
#include "cage/cage_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"

/* linux/mount.h, which glibc's sys/mount.h contradicts in some versions. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#define OPEN_TREE_CLOEXEC_ O_CLOEXEC
#define FROM_DESCRIPTOR 0x4u /* MOVE_MOUNT_F_EMPTY_PATH */
#define TO_DESCRIPTOR 0x40u  /* MOVE_MOUNT_T_EMPTY_PATH */
#define STEP_SIZE 192

struct mount_attributes {
	u64 set, clear, propagation, userns_fd;
};

static int failed(char *step, const char *what, const char *path)
{
	int error = errno ? errno : EIO;

	(void)snprintf(step, STEP_SIZE, "%s '%.120s'", what, path);
	return -error;
}

static int write_file(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -errno;
}

int cage_users_map(uid_t uid, gid_t gid)
{
	char text[64];
	int r = write_file("/proc/self/setgroups", "deny");

	if (r < 0 && r != -ENOENT) /* gVisor has no such file; where the kernel wants it, it refuses the next */
		return r;
	(void)snprintf(text, sizeof(text), "%u %u 1\n", gid, gid);
	r = write_file("/proc/self/gid_map", text);
	(void)snprintf(text, sizeof(text), "%u %u 1\n", uid, uid);
	return r < 0 ? r : write_file("/proc/self/uid_map", text);
}

int cage_users_enter(int namespaces)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	return unshare(CLONE_NEWUSER | namespaces) < 0 ? -errno : cage_users_map(uid, gid);
}

/* The same where the kernel does not know openat2(2) (gVisor, before Linux 5.6): name by name. */
static int walk_path(const char *path)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	while (fd >= 0 && *(path += strspn(path, "/"))) {
		size_t length = strcspn(path, "/");
		char name[NAME_MAX + 1];
		struct stat st;
		int next;

		if (length >= sizeof(name)) {
			(void)close(fd);
			return -ENAMETOOLONG;
		}
		memcpy(name, path, length);
		name[length] = 0;
		path += length;
		next = openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		(void)close(fd);
		fd = next;
		if (fd >= 0 && fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)) {
			(void)close(fd);
			return -ELOOP;
		}
	}
	return fd < 0 ? -errno : fd;
}

int cage_open_path(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd < 0 && errno == ENOSYS && path[0] == '/')
		return walk_path(path);
	return fd < 0 ? -errno : (int)fd;
}

/* Takes away what a tree does not have, with all that is mounted below it. */
static int restrict_tree(int fd, const char *path, const struct cage_tree *tree)
{
	struct mount_attributes attributes = { .set = (tree->write ? 0 : 1 /* MOUNT_ATTR_RDONLY */) |
						      (tree->execute ? 0 : 8 /* MOUNT_ATTR_NOEXEC */) };
	int flags = AT_RECURSIVE | (*path ? 0 : AT_EMPTY_PATH);

	return attributes.set ? (int)syscall(SYS_mount_setattr, fd, path, flags, &attributes, sizeof(attributes)) : 0;
}

/* A field of mountinfo: octal escapes become what they stand for. */
static void unescape(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] && in[3]) {
			*out++ = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
			in += 3;
		} else {
			*out++ = *in;
		}
	}
	*out = 0;
}

/* What a mount has already and keeps. */
static unsigned long flags_of(const char *options)
{
	static const struct {
		char name[8];
		unsigned long flag;
	} known[] = { { "ro", MS_RDONLY }, { "nosuid", MS_NOSUID }, { "nodev", MS_NODEV }, { "noexec", MS_NOEXEC } };
	unsigned long flags = 0;

	for (const char *word = options; *word; word += strspn(word, ",")) {
		size_t length = strcspn(word, ",");

		for (size_t i = 0; i < ARRAY_SIZE(known); i++)
			if (strlen(known[i].name) == length && strncmp(word, known[i].name, length) == 0)
				flags |= known[i].flag;
		word += length;
	}
	return flags;
}

/* What a line of mountinfo says: see proc_pid_mountinfo(5). */
struct mount_line {
	char root[8]; /* "/": all of a file system; else the beginning of what of it */
	char point[PATH_MAX], options[256], type[32];
};

static bool parse_line(const char *line, struct mount_line *ret)
{
	const char *rest = strstr(line, " - ");

	if (!rest || sscanf(line, "%*s %*s %*s %7s%*s", ret->root) != 1 ||
	    sscanf(line, "%*s %*s %*s %*s %4095s %255s", ret->point, ret->options) != 2 || sscanf(rest, " - %31s", ret->type) != 1)
		return false;
	unescape(ret->point);
	return true;
}

/* Calls `each` for what is mounted at a place or below it. 0, or what it said. */
static int each_mount(const char *place, int (*each)(const struct mount_line *line, void *data, char *step), void *data, char *step)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE struct mount_line *mount = malloc(sizeof(*mount));
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!file || !mount) {
		r = failed(step, "reading", "/proc/self/mountinfo");
		if (file)
			(void)fclose(file);
		return r;
	}
	while (r == 0 && getline(&line, &size, file) > 0)
		if (parse_line(line, mount) && policy_within(place, mount->point))
			r = each(mount, data, step);
	(void)fclose(file);
	return r;
}

static int restrict_line(const struct mount_line *line, void *data, char *step)
{
	const struct cage_tree *tree = data;
	unsigned long flags = MS_BIND | MS_REMOUNT | (tree->write ? 0 : MS_RDONLY) | (tree->execute ? 0 : MS_NOEXEC);

	return mount(NULL, line->point, NULL, flags | flags_of(line->options), NULL) < 0
		     ? failed(step, "restricting what is mounted on", line->point)
		     : 0;
}

int cage_mounts_restrict(const char *place, const struct cage_tree *tree, char *step)
{
	CLEANUP_FD int fd = cage_open_path(place);

	if (tree->write && tree->execute)
		return 0;
	if (fd < 0)
		errno = -fd;
	else if (restrict_tree(fd, "", tree) == 0)
		return 0;
	else if (errno == ENOSYS)
		return each_mount(place, restrict_line, (void *)tree, step); /* no mount_setattr(2) */
	return failed(step, "restricting the mounts of", tree->path);
}

int cage_mounts_memory(const char *place, const struct cage_tree *tree, char *step)
{
	CLEANUP_FD int fd = cage_open_path(place);
	char by_number[32], options[48];

	if (fd < 0)
		errno = -fd;
	(void)snprintf(by_number, sizeof(by_number), "/proc/self/fd/%d", fd);
	(void)snprintf(options, sizeof(options), "mode=1777,size=%lluk", (unsigned long long)(tree->memory >> 10));
	if (fd < 0 || mount("tmpfs", by_number, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		return failed(step, "mounting a file system in memory on", tree->path);
	return 0;
}

static int copy_tree(int fd)
{
	return (int)syscall(SYS_open_tree, fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC_ | AT_RECURSIVE | AT_EMPTY_PATH);
}

bool cage_mounts_allowed(void)
{
	static const struct cage_tree nothing;
	CLEANUP_FD int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC_);

	return tree >= 0 && restrict_tree(tree, "", &nothing) == 0;
}

/* --- what lies over parts of the machine's /proc ------------------------------------------------------------------------------------------- */

static int keep(const struct mount_line *line, void *data, char *step)
{
	struct cage_covers *covers = data;
	struct cage_cover *more;

	if (strcmp(line->point, "/proc") == 0 || strcmp(line->type, "autofs") == 0 || strcmp(line->type, "binfmt_misc") == 0)
		return 0;
	more = reallocarray(covers->row, covers->count + 1, sizeof(*more));
	if (more)
		covers->row = more;
	if (!more || !(more[covers->count].path = strdup(line->point)))
		return failed(step, "keeping what covers", line->point);
	more[covers->count++].source = cage_open_path(line->point);
	return 0;
}

int cage_covers_take(struct cage_covers *covers, char *step)
{
	return each_mount("/proc", keep, covers, step);
}

int cage_covers_put(const struct cage_covers *covers, const char *base, char *step)
{
	static const struct cage_tree nothing;
	char path[PATH_MAX], from[32], to[32];
	int r = 0;

	for (size_t i = 0; i < covers->count && r == 0; i++) {
		const struct cage_cover *cover = &covers->row[i];

		if (snprintf(path, sizeof(path), "%s%s", base, cover->path) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		CLEANUP_FD int place = cage_open_path(path);
		if (place == -ENOENT || cover->source == -ENOENT) /* there is nothing to cover; it lay below another */
			continue;
		(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", cover->source);
		(void)snprintf(to, sizeof(to), "/proc/self/fd/%d", place);
		if (cover->source < 0 || place < 0 || mount(from, to, NULL, MS_BIND | MS_REC, NULL) < 0)
			return failed(step, "keeping what covers", cover->path);
		r = cage_mounts_restrict(path, &nothing, step);
	}
	return r;
}

void cage_covers_done(struct cage_covers *covers)
{
	for (size_t i = 0; i < covers->count; i++) {
		free(covers->row[i].path);
		if (covers->row[i].source >= 0)
			(void)close(covers->row[i].source);
	}
	free(covers->row);
	*covers = (struct cage_covers){ .count = 0 };
}

/* --- the mounts of a cage -------------------------------------------------------------------------------------------------------------------- */

/* A tree that may be written, and where it belongs. */
struct copy {
	int tree, place;
};

static int take_copies(const struct cage_tree *trees, size_t count, struct copy *copies, char *step)
{
	for (size_t i = 1; i < count; i++) {
		if (trees[i].memory)
			continue;
		copies[i].place = cage_open_path(trees[i].path);
		if (copies[i].place < 0) {
			errno = -copies[i].place;
			return failed(step, "opening", trees[i].path);
		}
		copies[i].tree = copy_tree(copies[i].place);
		if (copies[i].tree < 0)
			return failed(step, "copying the mounts of", trees[i].path);
		if (restrict_tree(copies[i].tree, "", &trees[i]) < 0)
			return failed(step, "restricting the mounts of", trees[i].path);
	}
	return 0;
}

/* An inner place is looked up anew: by now an outer tree lies over what was opened. */
static int attach_copies(const struct cage_tree *trees, size_t count, bool proc, const struct copy *copies, char *step)
{
	for (size_t i = 1; i < count; i++) {
		int r = trees[i].memory ? cage_mounts_memory(trees[i].path, &trees[i], step) : 0;

		if (r < 0)
			return r;
		if (trees[i].memory)
			continue;
		CLEANUP_FD int place = proc && strcmp(trees[i].path, "/proc") == 0 ? FD_NONE : cage_open_path(trees[i].path);

		if (place == FD_NONE)
			continue;
		if (place < 0)
			errno = -place;
		if (place < 0 || syscall(SYS_move_mount, copies[i].tree, "", place, "", FROM_DESCRIPTOR | TO_DESCRIPTOR) < 0)
			return failed(step, "mounting on", trees[i].path);
	}
	return 0;
}

/* What is mounted on or over some /proc, as it was before anything was done: it is read once. */
struct procs {
	struct cage_covers covers;
	char **others; /* where another whole /proc is */
	size_t count;
};

static bool is_whole_proc(const struct mount_line *line)
{
	return strcmp(line->type, "proc") == 0 && strcmp(line->root, "/") == 0;
}

static int note_proc(const struct mount_line *line, void *data, char *step)
{
	struct procs *procs = data;
	char **more;

	if (is_whole_proc(line) && strcmp(line->point, "/proc") != 0) {
		more = reallocarray(procs->others, procs->count + 1, sizeof(*more));
		if (more)
			procs->others = more;
		if (!more || !(more[procs->count] = strdup(line->point)))
			return failed(step, "keeping in mind", line->point);
		procs->count++;
	}
	return policy_within("/proc", line->point) ? keep(line, &procs->covers, step) : 0;
}

static void procs_done(struct procs *procs)
{
	cage_covers_done(&procs->covers);
	for (size_t i = 0; i < procs->count; i++)
		free(procs->others[i]);
	free(procs->others);
}

/* An empty directory over one. */
static int cover_directory(int place, const char *path, char *step)
{
	unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	char by_number[32];

	(void)snprintf(by_number, sizeof(by_number), "/proc/self/fd/%d", place);
	return mount("tmpfs", by_number, "tmpfs", flags, "mode=000,size=4k") < 0 ? failed(step, "masking", path) : 0;
}

/* What is mounted there may lie below something else by now: only what the path leads to counts. */
static int hide_at(const char *point, char *step)
{
	CLEANUP_FD int place = cage_open_path(point);
	struct statfs fs;

	return place < 0 || fstatfs(place, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC ? 0 : cover_directory(place, point, step);
}

/* Linux 5.8: a mount's own option. Before, hidepid would be the machine's. */
static int mount_proc(char *step)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;

	return mount("proc", "/proc", "proc", flags, "hidepid=ptraceable") < 0 ? failed(step, "mounting proc on", "/proc") : 0;
}

int cage_mounts_enter(const struct cage_tree *trees, size_t count, bool proc, char *step)
{
	struct copy *copies = calloc(count, sizeof(*copies));
	struct procs procs = { .count = 0 };
	int r;

	if (!copies)
		return -ENOMEM;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = failed(step, "making the mounts private below", "/");
	else
		r = take_copies(trees, count, copies, step);
	if (r == 0 && restrict_tree(AT_FDCWD, "/", &trees[0]) < 0)
		r = failed(step, "making everything read-only below", "/");
	if (r == 0 && proc)
		r = each_mount("/", note_proc, &procs, step);
	if (r == 0 && proc)
		r = mount_proc(step);
	if (r == 0 && proc)
		r = cage_covers_put(&procs.covers, "", step);
	if (r == 0)
		r = attach_copies(trees, count, proc, copies, step);
	for (size_t i = 0; i < procs.count && r == 0; i++)
		r = hide_at(procs.others[i], step);
	procs_done(&procs);
	free(copies); /* their descriptors are close-on-exec */
	return r;
}

/* Over a file: a device on a mount without devices, which nobody can open. */
static int mask_file(int place, const char *path, char *step)
{
	struct mount_attributes attributes = { .set = 1 | 4 | 8 /* MOUNT_ATTR_RDONLY, NODEV, NOEXEC */ };
	CLEANUP_FD int tree = (int)syscall(SYS_open_tree, AT_FDCWD, "/dev/null", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC_);

	if (tree < 0 || syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0 ||
	    syscall(SYS_move_mount, tree, "", place, "", FROM_DESCRIPTOR | TO_DESCRIPTOR) < 0)
		return failed(step, "masking", path);
	return 0;
}

static int mask_by_socket(int place, int socket, const char *path, char *step)
{
	char from[32], to[32];

	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", socket);
	(void)snprintf(to, sizeof(to), "/proc/self/fd/%d", place);
	return mount(from, to, NULL, MS_BIND, NULL) < 0 ? failed(step, "masking", path) : 0;
}

int cage_mounts_mask(const char *path, int socket, char *step)
{
	CLEANUP_FD int place = cage_open_path(path);
	struct stat st;

	if (place < 0 || fstat(place, &st) < 0) {
		errno = place < 0 ? -place : errno;
		return failed(step, "opening", path);
	}
	if (!S_ISDIR(st.st_mode)) {
		int r = mask_file(place, path, step);

		return r == -ENOSYS && socket >= 0 ? mask_by_socket(place, socket, path, step) : r;
	}
	return cover_directory(place, path, step);
}

static int hide_proc(const struct mount_line *line, void *data, char *step)
{
	return is_whole_proc(line) && strcmp(line->point, data) != 0 ? hide_at(line->point, step) : 0;
}

int cage_mounts_hide_procs(const char *base, const char *own, char *step)
{
	return each_mount(base, hide_proc, (void *)own, step);
}
