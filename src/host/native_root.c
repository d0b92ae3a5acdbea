// SPDX-License-Identifier: Apache-2.0
/* Mounts the tree of a native root and enters it: steps 2 to 7 of native.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/native.h"

#define FD_PATH_SIZE 32
#define OPTIONS_SIZE 4096 /* a page: mount(2) */
#define LINKS_MAX 8
#define VOLATILE ",volatile"
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442 /* Linux 5.12 */
#endif

struct mount_attributes { /* linux/mount.h: struct mount_attr, which glibc's sys/mount.h has only since 2.36 */
	u64 set, clear, propagation, userns_fd;
};

static int kernel_pivot_root(const char *new_root, const char *put_old)
{
	return (int)syscall(SYS_pivot_root, new_root, put_old);
}

static int kernel_mount_setattr(const char *path, u64 set, u64 clear)
{
	struct mount_attributes attributes = { .set = set, .clear = clear };

	return (int)syscall(SYS_mount_setattr, AT_FDCWD, path, AT_RECURSIVE, &attributes, sizeof(attributes));
}

static int kernel_set_read_only(const char *path)
{
	return kernel_mount_setattr(path, MOUNT_ATTR_RDONLY, 0);
}

static int kernel_open(const char *path, int flags, mode_t mode)
{
	return open(path, flags, mode);
}

const struct native_calls native_kernel = { .mount = mount,
					    .umount2 = umount2,
					    .pivot_root = kernel_pivot_root,
					    .set_read_only = kernel_set_read_only,
					    .mount_setattr = kernel_mount_setattr,
					    .open = kernel_open,
					    .mkdir = mkdir,
					    .mknod = mknod,
					    .symlink = symlink,
					    .chdir = chdir,
					    .fchdir = fchdir,
					    .chroot = chroot,
					    .sethostname = sethostname };

/* A file or directory of the machine that is opened while it can still be named, and its place in the tree. */
struct source {
	int fd; /* negative: a new tmpfs */
	const char *guest;
	bool directory, read_only;
	const struct root_bind *tmpfs;
};

struct entering {
	const struct native_root *root;
	const struct native_calls *calls;
	struct native_failure *failure;
	int terminal;      /* negative: none */
	int machine, tree; /* their roots */
	u32 count;
	struct source sources[ROOT_BINDS_MAX + 8];
};

int native_failed(struct native_failure *failure, const char *format, ...)
{
	int error = errno ? errno : EIO;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(failure->step, sizeof(failure->step), format, args);
	va_end(args);
	return -error;
}

/* --- what is there on the machine --------------------------------------------------------------------------------------------------------- */

static int open_source(struct entering *e, const char *host, const char *guest, bool read_only)
{
	struct source *source = &e->sources[e->count];
	struct stat st;

	*source = (struct source){ .fd = e->calls->open(host, O_PATH | O_CLOEXEC, 0), .guest = guest, .read_only = read_only };
	if (source->fd < 0 || fstat(source->fd, &st) < 0)
		return native_failed(e->failure, "opening '%s'", host);
	source->directory = S_ISDIR(st.st_mode);
	e->count++;
	return 0;
}

/* Whether a volume is there anyway. */
static bool is_bound(const struct native_root *root, const char *guest)
{
	for (u32 i = 0; i < root->bind_count; i++)
		if (!strcmp(root->binds[i].guest, guest))
			return true;
	return false;
}

static int open_sources(struct entering *e)
{
	static const char *const usual[] = { "/etc/resolv.conf", "/etc/hosts" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(usual) && r == 0; i++)
		if (access(usual[i], F_OK) == 0 && !is_bound(e->root, usual[i]))
			r = open_source(e, usual[i], usual[i], true);
	for (u32 i = 0; i < e->root->bind_count && r == 0; i++) {
		const struct root_bind *bind = &e->root->binds[i];

		if (bind->kind == ROOT_TMPFS)
			e->sources[e->count++] = (struct source){
				.fd = FD_NONE, .guest = bind->guest, .directory = true, .read_only = bind->read_only, .tmpfs = bind
			};
		else
			r = open_source(e, bind->host, bind->guest, bind->read_only);
	}
	return r;
}

/* --- the tree ------------------------------------------------------------------------------------------------------------------------------- */

/* Appends "NAME/proc/self/fd/N": short, and without characters that options give a meaning. */
static int add_layer(struct entering *e, const char *name, const char *path, char options[OPTIONS_SIZE])
{
	size_t length = strlen(options);
	int fd = e->calls->open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return native_failed(e->failure, "opening the layer '%s'", path);
	if (snprintf(options + length, OPTIONS_SIZE - length, "%s/proc/self/fd/%d", name, fd) >= (int)(OPTIONS_SIZE - length)) {
		errno = E2BIG;
		return native_failed(e->failure, "naming the layer '%s'", path);
	}
	return 0;
}

/* What the agent does not write is switched off: so each reads what the other wrote. */
static int mount_overlay(struct entering *e, const char *target)
{
	char options[OPTIONS_SIZE] = "redirect_dir=off,index=off,metacopy=off,xino=off";
	size_t length;
	const struct native_root *root = e->root;
	int r = add_layer(e, ",upperdir=", root->upper, options);

	if (r == 0)
		r = add_layer(e, ",workdir=", root->work, options);
	if (r == 0)
		r = add_layer(e, ",lowerdir=", root->directory, options);
	for (u32 i = 0; i < root->lower_count && r == 0; i++)
		r = add_layer(e, ":", root->lowers[i], options);
	if (r < 0)
		return r;
	length = strlen(options);
	if (root->temporary && length + sizeof(VOLATILE) <= OPTIONS_SIZE) {
		memcpy(options + length, VOLATILE, sizeof(VOLATILE));
		if (e->calls->mount("overlay", target, "overlay", 0, options) == 0)
			return 0;
		options[length] = 0; /* Linux 5.10 */
	}
	if (e->calls->mount("overlay", target, "overlay", 0, options) < 0)
		return native_failed(e->failure, "mounting the overlay");
	return 0;
}

int native_mount(const struct native_calls *calls, const char *type, const char *target, unsigned long flags, const char *data,
		 struct native_failure *failure)
{
	if (calls->mount(type, target, type, flags, data) < 0)
		return native_failed(failure, "mounting %s on %s", type, target);
	return 0;
}

/* Where the new root is mounted before it is the root: on itself. The machine's own needs another place; any directory does. */
static const char *place_of(const char *directory)
{
	static const char *const places[] = { "/mnt", "/tmp", "/run", "/var", "/usr" };
	struct stat st;

	if (strcmp(directory, "/") != 0)
		return directory;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (lstat(places[i], &st) == 0 && S_ISDIR(st.st_mode))
			return places[i];
	return directory;
}

static int mount_root(struct entering *e)
{
	const char *directory = e->root->directory, *place = place_of(directory);
	int r;

	if (e->calls->mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return native_failed(e->failure, "making the mounts private");
	e->terminal = native_device_terminal(e->calls);
	r = open_sources(e);
	if (r < 0)
		return r;
	if (e->root->upper) {
		r = mount_overlay(e, place);
		if (r < 0)
			return r;
	} else if (e->calls->mount(directory, place, NULL, MS_BIND | MS_REC, NULL) < 0) {
		return native_failed(e->failure, "mounting '%s'", directory);
	}
	e->machine = e->calls->open("/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (e->machine < 0 || e->calls->chdir(place) < 0)
		return native_failed(e->failure, "entering '%s'", directory);
	e->tree = e->calls->open(".", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (e->tree < 0 || e->calls->chroot(".") < 0)
		return native_failed(e->failure, "chroot to '%s'", directory);
	return 0;
}

/* The tree, complete, becomes the root of the mount namespace, and the machine's is gone. */
static int leave_machine(struct entering *e)
{
	if (e->calls->fchdir(e->machine) < 0 || e->calls->chroot(".") < 0 || e->calls->fchdir(e->tree) < 0)
		return native_failed(e->failure, "going back to the machine's root");
	if (e->calls->pivot_root(".", ".") < 0)
		return native_failed(e->failure, "pivot_root");
	if (e->calls->umount2(".", MNT_DETACH) < 0)
		return native_failed(e->failure, "leaving the machine's tree");
	return 0;
}

/* --- mount points: paths are the tree's from here on ---------------------------------------------------------------------------------------- */

static int make_directories(const struct native_calls *calls, const char *path, bool last_too)
{
	char text[PATH_MAX];

	if (snprintf(text, sizeof(text), "%s%s", path, last_too ? "/" : "") >= (int)sizeof(text)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *slash = strchr(text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (calls->mkdir(text, 0755) < 0 && errno != EEXIST && errno != EROFS)
			return -1;
		*slash = '/';
	}
	return 0;
}

/* A file; where a link leads to one that is not there, that one. */
static int make_file(const struct native_calls *calls, const char *path)
{
	char at[PATH_MAX], link[PATH_MAX], text[2 * PATH_MAX];

	(void)snprintf(at, sizeof(at), "%s", path);
	for (int i = 0; i < LINKS_MAX; i++) {
		ssize_t size;
		int fd;

		if (make_directories(calls, at, false) < 0)
			return -1;
		size = readlink(at, link, sizeof(link) - 1);
		if (size < 0) {
			fd = calls->open(at, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0644);
			if (fd >= 0)
				(void)close(fd);
			return fd < 0 ? -1 : 0;
		}
		link[size] = 0;
		*strrchr(at, '/') = 0;
		if (snprintf(text, sizeof(text), "%s/%s", link[0] == '/' ? "" : at, link) >= PATH_MAX)
			break;
		memcpy(at, text, strlen(text) + 1);
	}
	errno = ELOOP;
	return -1;
}

/* Makes a mount point that is missing. One that cannot be made is told by the mount. */
static void make_point(const struct native_calls *calls, const char *path, bool directory)
{
	struct stat st;

	if (stat(path, &st) < 0)
		(void)!(directory ? make_directories(calls, path, true) : make_file(calls, path));
}

static int mount_tmpfs(struct entering *e, const struct root_bind *bind)
{
	char options[64];

	if (bind->size)
		(void)snprintf(options, sizeof(options), "mode=%o,size=%llu", bind->mode, (unsigned long long)bind->size);
	else
		(void)snprintf(options, sizeof(options), "mode=%o", bind->mode);
	return native_mount(e->calls, "tmpfs", bind->guest,
			    (bind->exec ? 0 : MS_NOEXEC) | (bind->suid ? 0 : MS_NOSUID) | (bind->dev ? 0 : MS_NODEV), options,
			    e->failure);
}

static int bind_source(struct entering *e, const struct source *source)
{
	char from[FD_PATH_SIZE];

	(void)snprintf(from, sizeof(from), "/proc/self/fd/%d", source->fd);
	make_point(e->calls, source->guest, source->directory);
	if (source->tmpfs) {
		int r = mount_tmpfs(e, source->tmpfs);

		if (r < 0)
			return r;
	} else if (e->calls->mount(from, source->guest, NULL, MS_BIND | MS_REC, NULL) < 0) {
		return native_failed(e->failure, "mounting on '%s'", source->guest);
	}
	if (source->read_only && e->calls->set_read_only(source->guest) < 0)
		return native_failed(e->failure, "making '%s' read-only", source->guest);
	return 0;
}

/* --- /proc and /sys --------------------------------------------------------------------------------------------------------------------------- */

static int mount_proc(struct entering *e)
{
	make_point(e->calls, "/proc", true);
	return native_mount(e->calls, "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, e->failure);
}

/* The control groups are as this machine has them: one hierarchy, or those that it mounted (then a descriptor of their place). */
static int mount_sys(struct entering *e, int groups, bool unified)
{
	int r;

	make_point(e->calls, "/sys", true);
	r = native_mount(e->calls, "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, e->failure);
	if (r == -EBUSY) /* it is there: the tree is the machine's, with all mounts */
		r = 0;
	if (r == 0 && unified)
		r = native_mount(e->calls, "cgroup2", "/sys/fs/cgroup", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, e->failure);
	if (r == -EBUSY)
		r = 0;
	if (r == 0 && !unified && groups >= 0)
		r = bind_source(e, &(struct source){ .fd = groups, .guest = "/sys/fs/cgroup", .directory = true });
	if (r == 0 && e->calls->set_read_only("/sys") < 0)
		r = native_failed(e->failure, "making /sys read-only");
	return r;
}

static int open_groups(const struct entering *e, bool *ret_unified)
{
	int fd = e->calls->open("/sys/fs/cgroup", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	struct statfs fs;

	*ret_unified = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
	return fd;
}

/* As containers have it: what tells secrets is covered, what changes the machine cannot be written. */
static int mask(struct entering *e)
{
	static const char *const masked[] = { "/proc/acpi",
					      "/proc/asound",
					      "/proc/interrupts",
					      "/proc/kcore",
					      "/proc/keys",
					      "/proc/latency_stats",
					      "/proc/sched_debug",
					      "/proc/scsi",
					      "/proc/timer_list",
					      "/proc/timer_stats",
					      "/sys/devices/virtual/powercap",
					      "/sys/firmware" };
	static const char *const read_only[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger" };

	for (size_t i = 0; i < ARRAY_SIZE(masked); i++) {
		struct stat st;
		int r;

		if (stat(masked[i], &st) < 0)
			continue;
		r = S_ISDIR(st.st_mode) ? e->calls->mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, "size=0k")
					: e->calls->mount("/dev/null", masked[i], NULL, MS_BIND, NULL);
		if (r < 0)
			return native_failed(e->failure, "covering %s", masked[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(read_only); i++) {
		struct stat st;

		if (stat(read_only[i], &st) < 0)
			continue;
		if (e->calls->mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) < 0 ||
		    e->calls->set_read_only(read_only[i]) < 0)
			return native_failed(e->failure, "making %s read-only", read_only[i]);
	}
	return 0;
}

/* --- all of it ----------------------------------------------------------------------------------------------------------------------------------- */

static int fill(struct entering *e, int groups, bool unified)
{
	int r = mount_proc(e);

	if (r == 0)
		r = mount_sys(e, groups, unified);
	if (r == 0)
		r = native_device_mount(e->calls, e->terminal, e->failure);
	for (u32 i = 0; i < e->count && r == 0; i++)
		r = bind_source(e, &e->sources[i]);
	if (r == 0)
		r = mask(e);
	if (r == 0 && make_directories(e->calls, e->root->workdir, true) < 0)
		r = native_failed(e->failure, "making the working directory '%s'", e->root->workdir);
	if (r == 0 && e->root->read_only && e->calls->mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		r = native_failed(e->failure, "making the root read-only");
	return r;
}

int native_root_enter(const struct native_root *root, const struct native_calls *calls, struct native_failure *failure)
{
	struct entering e = { .root = root, .calls = calls, .failure = failure };
	bool unified;
	int groups = open_groups(&e, &unified), r;

	r = mount_root(&e);
	if (r == 0)
		r = fill(&e, groups, unified);
	if (r < 0)
		return r;
	r = leave_machine(&e);
	if (r < 0)
		return r;
	if (root->hostname && *root->hostname && calls->sethostname(root->hostname, strlen(root->hostname)) < 0)
		return native_failed(failure, "setting the host name");
	if (calls->chdir("/") < 0 || calls->chdir(root->workdir) < 0)
		return native_failed(failure, "changing to the working directory '%s'", root->workdir);
	return 0;
}
