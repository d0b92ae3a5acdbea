// SPDX-License-Identifier: Apache-2.0
/* The root of a cage: see the header. */
#include "cage/cage_view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define STEP_SIZE 192
#define LINKS_MAX 40

/* What a view is made of, opened. */
struct parts {
	const char *base; /* where it is built */
	int *sources;     /* of each tree; negative: none */
	struct {
		char *path, *target;
	} * links;
	size_t link_count;
	char *workdir; /* canonical */
	struct cage_covers covers;
	int socket; /* what masks are made of where the kernel has nothing better */
};

static int failed(char *step, const char *what, const char *path)
{
	int error = errno ? errno : EIO;

	(void)snprintf(step, STEP_SIZE, "%s '%.120s'", what, path);
	return -error;
}

static void free_parts(struct parts *parts, size_t count)
{
	for (size_t i = 0; parts->sources && i < count; i++)
		if (parts->sources[i] >= 0)
			(void)close(parts->sources[i]);
	for (size_t i = 0; i < parts->link_count; i++) {
		free(parts->links[i].path);
		free(parts->links[i].target);
	}
	if (parts->socket >= 0)
		(void)close(parts->socket);
	cage_covers_done(&parts->covers);
	free(parts->sources);
	free(parts->links);
	free(parts->workdir);
}

/* --- 1: before anything is covered ------------------------------------------------------------------------------------------------------------ */

static bool has_link(const struct parts *parts, const char *path)
{
	for (size_t i = 0; i < parts->link_count; i++)
		if (strcmp(parts->links[i].path, path) == 0)
			return true;
	return false;
}

static int add_link(struct parts *parts, const char *path, const char *target)
{
	void *more = reallocarray(parts->links, parts->link_count + 1, sizeof(*parts->links));
	char *copy = strdup(path), *to = strdup(target);

	if (more)
		parts->links = more;
	if (!more || !copy || !to) {
		free(copy);
		free(to);
		return -ENOMEM;
	}
	parts->links[parts->link_count].path = copy;
	parts->links[parts->link_count++].target = to;
	return 0;
}

/* "." and ".." of a path whose part before them has no symbolic links. */
static void normalise(char *path)
{
	char *out = path;

	for (char *in = path; *in;) {
		char *name = in + strspn(in, "/");
		size_t length = strcspn(name, "/");

		in = name + length;
		if (length == 0 || (length == 1 && name[0] == '.'))
			continue;
		if (length == 2 && name[0] == '.' && name[1] == '.') {
			while (out > path && *--out != '/')
				;
			continue;
		}
		*out++ = '/';
		memmove(out, name, length);
		out += length;
	}
	if (out == path)
		*out++ = '/';
	*out = 0;
}

/* The first symbolic link on the way to a path becomes a link of the view, and the path what it is behind it. 1: there was one, 0: none. */
static int take_link(struct parts *parts, char path[PATH_MAX])
{
	for (char *slash = path; slash;) {
		char target[PATH_MAX], behind[2 * PATH_MAX], *end = strchr(slash + 1, '/');
		ssize_t length;

		if (end)
			*end = 0;
		length = readlink(path, target, sizeof(target) - 1);
		if (length > 0) {
			target[length] = 0;
			if (!has_link(parts, path) && add_link(parts, path, target) < 0)
				return -ENOMEM;
			*slash = 0;
			if (snprintf(behind, sizeof(behind), "%s/%s%s%s", target[0] == '/' ? "" : path, target, end ? "/" : "",
				     end ? end + 1 : "") >= PATH_MAX)
				return -ENAMETOOLONG;
			memcpy(path, behind, strlen(behind) + 1);
			normalise(path);
			return 1;
		}
		if (end)
			*end = '/';
		slash = end;
	}
	return 0;
}

static int take_name(struct parts *parts, const char *name)
{
	char path[PATH_MAX];
	int r = snprintf(path, sizeof(path), "%s", name) < PATH_MAX ? 1 : -ENAMETOOLONG;

	for (int i = 0; i < LINKS_MAX && r > 0; i++)
		r = take_link(parts, path);
	return r == -ENAMETOOLONG || r > 0 ? 0 : r;
}

/* A file system that is made for the view. */
static bool is_new(const struct cage_tree *tree)
{
	return tree->memory || strcmp(tree->path, "/proc") == 0;
}

/* Where what may be seen is covered while the view is built: nothing is looked up there any more. Another than `but`, if that is not NULL. */
static const char *choose_base(const char *but)
{
	static const char *const places[] = { "/tmp", "/run", "/usr", "/dev" };
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if ((!but || strcmp(places[i], but) != 0) && lstat(places[i], &st) == 0 && S_ISDIR(st.st_mode))
			return places[i];
	return places[0];
}

static int take_parts(const struct cage_view *view, struct parts *parts, char *step)
{
	int r = 0;

	r = cage_covers_take(&parts->covers, step);
	parts->base = choose_base(NULL);
	parts->sources = calloc(view->count + 1, sizeof(*parts->sources));
	parts->workdir = view->workdir ? realpath(view->workdir, NULL) : NULL;
	for (size_t i = 0; parts->sources && i < view->count; i++) {
		parts->sources[i] = is_new(&view->trees[i]) ? FD_NONE : cage_open_path(view->trees[i].path);
		if (parts->sources[i] < 0 && (parts->sources[i] == -EMFILE || parts->sources[i] == -ENFILE)) {
			errno = -parts->sources[i];
			r = failed(step, "opening", view->trees[i].path);
		}
	}
	for (size_t i = 0; i < view->name_count && r == 0; i++)
		r = take_name(parts, view->names[i]);
	if (r == 0 && view->workdir)
		r = take_name(parts, view->workdir);
	return parts->sources ? r : -ENOMEM;
}

/* --- 2: its directories ------------------------------------------------------------------------------------------------------------------------- */

/* In the working directory, which is the view's root: all directories of an absolute path, but for the last of its names. */
static int make_parents(const char *path, char *step)
{
	char text[PATH_MAX];

	(void)snprintf(text, sizeof(text), "%s", path + 1);
	for (char *slash = strchr(text, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (mkdir(text, 0755) < 0 && errno != EEXIST)
			return failed(step, "making a directory for", path);
		*slash = '/';
	}
	return 0;
}

static int make_place(const char *path, bool directory, char *step)
{
	int r = path[1] ? make_parents(path, step) : 0;
	CLEANUP_FD int fd = FD_NONE;

	if (r < 0 || !path[1])
		return r;
	if (directory)
		return mkdir(path + 1, 0755) < 0 && errno != EEXIST ? failed(step, "making a directory for", path) : 0;
	fd = open(path + 1, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	return fd < 0 && errno != ENXIO ? failed(step, "making a file for", path) : 0;
}

/* Whether a link of the view leads to it: what were made there would be made where that leads to, in the machine's tree. */
static bool is_behind_link(const struct parts *parts, size_t index)
{
	for (size_t i = 0; i < parts->link_count; i++)
		if (i != index && policy_within(parts->links[i].path, parts->links[index].path))
			return true;
	return false;
}

static int make_places(const struct cage_view *view, const struct parts *parts, char *step)
{
	struct stat st;
	int r = 0;

	for (size_t i = 0; i < view->count && r == 0; i++) {
		bool new = is_new(&view->trees[i]);

		if (new || (parts->sources[i] >= 0 && fstat(parts->sources[i], &st) == 0))
			r = make_place(view->trees[i].path, new || S_ISDIR(st.st_mode), step);
	}
	if (r == 0 && parts->workdir)
		r = make_place(parts->workdir, true, step);
	for (size_t i = 0; i < parts->link_count && r == 0; i++) {
		if (is_behind_link(parts, i)) /* what was a link when one name was looked at was a directory for another */
			continue;
		r = make_parents(parts->links[i].path, step);
		if (r == 0 && symlink(parts->links[i].target, parts->links[i].path + 1) < 0 && errno != EEXIST)
			r = failed(step, "making a link", parts->links[i].path);
	}
	return r;
}

/* --- 3: its trees ------------------------------------------------------------------------------------------------------------------------------- */

static int mount_proc(const char *place)
{
	unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;

	return mount("proc", place, "proc", flags, "hidepid=ptraceable") == 0 ? 0 : mount("proc", place, "proc", flags, NULL);
}

/* The place is looked up anew: an outer tree may lie over what was there. */
static int attach(const char *base, const struct cage_tree *tree, int source, char *step)
{
	char place[PATH_MAX], from[32], to[32];
	CLEANUP_FD int fd = FD_NONE;

	if (snprintf(place, sizeof(place), "%s%s", base, tree->path[1] ? tree->path : "") >= (int)sizeof(place))
		return -ENAMETOOLONG;
	if (tree->memory)
		return cage_mounts_memory(place, tree, step);
	fd = cage_open_path(place);
	if (fd < 0)
		errno = -fd;
	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", source);
	(void)snprintf(to, sizeof(to), "/proc/self/fd/%d", fd);
	if (fd < 0 || (source < 0 ? mount_proc(to) : mount(from, to, NULL, MS_BIND | MS_REC, NULL)) < 0)
		return failed(step, "mounting", tree->path);
	return source < 0 ? 0 : cage_mounts_restrict(place, tree, step);
}

static int cover(const char *base, const char *path, int socket, char *step)
{
	char place[PATH_MAX];

	if (snprintf(place, sizeof(place), "%s%s", base, path) >= (int)sizeof(place))
		return -ENAMETOOLONG;
	return cage_mounts_mask(place, socket, step);
}

static int fill(const struct cage_view *view, const struct parts *parts, size_t from, char *step)
{
	char proc[32];
	int r = 0;

	for (size_t i = from; i < view->count && r == 0; i++)
		if (parts->sources[i] >= 0 || is_new(&view->trees[i]))
			r = attach(parts->base, &view->trees[i], parts->sources[i], step);
	(void)snprintf(proc, sizeof(proc), "%s/proc", parts->base);
	if (r == 0)
		r = cage_covers_put(&parts->covers, parts->base, step);
	if (r == 0)
		r = cage_mounts_hide_procs(parts->base, proc, step);
	for (size_t i = 0; i < view->mask_count && r == 0; i++)
		r = cover(parts->base, view->masks[i], parts->socket, step);
	return r;
}

/* --- all of it ---------------------------------------------------------------------------------------------------------------------------------- */

/* A socket that nobody listens at, on a file system that the view has not. */
static int make_socket(struct parts *parts, const char *place, char *step)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/socket", place);
	if (mount("tmpfs", place, "tmpfs", MS_NOSUID, "mode=755,size=64k") < 0 || mknod(path, S_IFSOCK | 0600, 0) < 0)
		return failed(step, "making what masks are made of at", path);
	parts->socket = cage_open_path(path);
	return parts->socket < 0 ? parts->socket : 0;
}

/* The root is a file system of its own. */
static int build(const struct cage_view *view, struct parts *parts, char *step)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int r = view->mask_count ? make_socket(parts, parts->base, step) : 0;

	if (r < 0)
		return r;
	if (mount("tmpfs", parts->base, "tmpfs", MS_NOSUID, "mode=755,size=16m") < 0 || chdir(parts->base) < 0)
		return failed(step, "mounting an empty file system on", parts->base);
	r = make_places(view, parts, step);
	if (r == 0)
		r = fill(view, parts, 0, step);
	if (r == 0 && mount(NULL, parts->base, NULL, flags, NULL) < 0)
		r = failed(step, "making the root read-only, which is at", parts->base);
	return r;
}

/* The root is the machine's, as it may be. */
static int build_on_root(const struct cage_view *view, struct parts *parts, char *step)
{
	int r = attach(parts->base, &view->trees[0], parts->sources[0], step);

	if (r == 0 && view->mask_count) /* now: what is mounted before is in the view, too */
		r = make_socket(parts, choose_base(parts->base), step);
	if (r == 0 && chdir(parts->base) < 0)
		r = failed(step, "changing to", parts->base);
	return r == 0 ? fill(view, parts, 1, step) : r;
}

/* Neither a path nor the namespace leads to the old one. */
static int enter(const struct parts *parts, char *step)
{
	if (chdir(parts->base) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return failed(step, "changing the root to", parts->base);
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return failed(step, "leaving the old root", "/");
	return 0;
}

int cage_view_enter(const struct cage_view *view, char *step)
{
	struct parts parts = { .socket = FD_NONE };
	int r;

	(void)snprintf(step, STEP_SIZE, "making a root");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return failed(step, "making the mounts private below", "/");
	r = take_parts(view, &parts, step);
	if (r == 0)
		r = view->count && strcmp(view->trees[0].path, "/") == 0 && parts.sources[0] >= 0
			  ? build_on_root(view, &parts, step)
			  : build(view, &parts, step);
	if (r == 0)
		r = enter(&parts, step);
	free_parts(&parts, view->count);
	return r;
}

/* --- trying ------------------------------------------------------------------------------------------------------------------------------------- */

static bool namespace_name(char name[64])
{
	ssize_t length = readlink("/proc/self/ns/mnt", name, 63);

	name[length > 0 ? length : 0] = 0;
	return length > 0;
}

/* gVisor of 2022 says that it has made a mount namespace, and has none: what were mounted then would be the machine's. */
static bool in_new_namespace(const char *before)
{
	char after[64];

	return namespace_name(after) && strcmp(before, after) != 0;
}

bool cage_view_works(void)
{
	static const struct cage_tree trees[] = { { .path = "/dev/null", .write = true }, { .path = "/etc" }, { .path = "/proc" } };
	const struct cage_view view = { .trees = trees, .count = ARRAY_SIZE(trees), .workdir = "/" };
	char before[64], step[STEP_SIZE];

	return namespace_name(before) && unshare(CLONE_NEWNS) == 0 && in_new_namespace(before) && cage_view_enter(&view, step) == 0;
}
