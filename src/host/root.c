// SPDX-License-Identifier: Apache-2.0
/* Lays out the file tree of a cell with a root of its own. */
#include "host/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "abi/layout.h"
#include "base/cleanup.h"
#include "gaps/mountinfo.h"
#include "host/root_layers.h"

#define PROC_MAGIC 0x9fa0

struct stage {
	struct fs_state *fs;
	struct root_error *error;
	int root;           /* descriptor of the directory */
	char top[PATH_MAX]; /* its path, "" for "/" */
	u32 devices;        /* numbers that were given to file systems of the tree's own */
};

static int PRINTF_LIKE(3, 4) fail(struct stage *stage, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(stage->error->what, sizeof(stage->error->what), format, args);
	va_end(args);
	return -error;
}

static bool has_openat2(void)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	long fd = syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how));

	if (fd >= 0)
		(void)close((int)fd);
	return fd >= 0;
}

/* Puts a link's text, read at `out`, in front of `rest`. */
static int follow(const char *link, char out[PATH_MAX], char rest[PATH_MAX])
{
	char text[2 * PATH_MAX + 2];

	(void)snprintf(text, sizeof(text), "%s/%s", link, rest);
	if (strlen(text) >= PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(rest, text, strlen(text) + 1);
	if (link[0] == '/')
		out[0] = 0;
	else
		*strrchr(out, '/') = 0;
	return 0;
}

/* The canonical path of a mount point, whose directories may be links. What is not there is taken as it is. */
static int canonical(const struct stage *stage, const char *guest, char out[PATH_MAX])
{
	char rest[PATH_MAX], host[2 * PATH_MAX], link[PATH_MAX];
	u32 links = 0;

	if (snprintf(rest, sizeof(rest), "%s", guest) >= (int)sizeof(rest))
		return -ENAMETOOLONG;
	out[0] = 0;
	for (;;) {
		size_t from = strspn(rest, "/"), n = strcspn(rest + from, "/"), length = strlen(out);
		ssize_t size;

		if (!n)
			return 0;
		memcpy(link, rest + from, n);
		link[n] = 0;
		memmove(rest, rest + from + n, strlen(rest + from + n) + 1);
		if (!strcmp(link, "."))
			continue;
		if (!strcmp(link, "..")) {
			if (length)
				*strrchr(out, '/') = 0;
			continue;
		}
		if (length + n + 2 > PATH_MAX)
			return -ENAMETOOLONG;
		out[length] = '/';
		memcpy(out + length + 1, link, n + 1);
		(void)snprintf(host, sizeof(host), "%s%s", stage->top, out);
		size = readlink(host, link, sizeof(link) - 1);
		if (size < 0)
			continue;
		link[size] = 0;
		if (++links > 40)
			return -ELOOP;
		int r = follow(link, out, rest);
		if (r < 0)
			return r;
	}
}

/* Makes a mount point below `top` if it is missing and may be made: below directories that are none but directories. */
static void make_point(int top, const char *path, bool directory)
{
	char text[PATH_MAX], *at = text;
	CLEANUP_FD int here = fcntl(top, F_DUPFD_CLOEXEC, 0);

	(void)snprintf(text, sizeof(text), "%s", path);
	while (here >= 0 && *(at += strspn(at, "/"))) {
		size_t n = strcspn(at, "/");
		bool last = !at[n + strspn(at + n, "/")];
		int next;

		at[n] = 0;
		if (last && !directory) {
			next = openat(here, at, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
			close_fd(&next);
			return;
		}
		(void)mkdirat(here, at, 0755);
		next = openat(here, at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		(void)close(here);
		here = next;
		at += last ? n : n + 1;
	}
}

static int put_text(struct stage *stage, const char *text, u32 *ret_at, u16 *ret_length)
{
	size_t length = strlen(text);

	if (length + 1 > sizeof(stage->fs->table.text) - stage->fs->table.used || length > UINT16_MAX)
		return -E2BIG;
	*ret_at = stage->fs->table.used;
	*ret_length = (u16)length;
	memcpy(stage->fs->table.text + stage->fs->table.used, text, length + 1);
	stage->fs->table.used += (u32)length + 1;
	return 0;
}

/* One more mount. host: canonical; "/" becomes the empty string. */
static int add(struct stage *stage, const char *host, const char *target, u32 flags)
{
	struct fs_mount *m = &stage->fs->table.mounts[stage->fs->table.count];
	struct statfs fs;
	int r;

	for (u32 i = 1; i < stage->fs->table.count; i++) /* what was there before is covered */
		if (!strcmp(stage->fs->table.text + stage->fs->table.mounts[i].target, target))
			m = &stage->fs->table.mounts[i];
	if (m == &stage->fs->table.mounts[FS_MOUNTS_MAX])
		return -E2BIG;
	if (statfs(host, &fs) == 0 && fs.f_type == PROC_MAGIC)
		flags |= FS_PROC;
	r = put_text(stage, strcmp(host, "/") != 0 ? host : "", &m->source, &m->source_length);
	if (r == 0)
		r = put_text(stage, target, &m->target, &m->target_length);
	if (r < 0)
		return r;
	m->flags = flags;
	if (m == &stage->fs->table.mounts[stage->fs->table.count])
		stage->fs->table.count++;
	return 0;
}

static bool is_overlay(const struct stage *stage)
{
	return stage->fs->table.mounts[0].layer_count != 0;
}

/* The directory that was just mounted is told as a tmpfs, and its size is limited (agent/fs_quota.h). */
static int be_tmpfs(struct stage *stage, const char *source, const char *target, const struct root_bind *bind)
{
	struct fs_state *fs = stage->fs;
	u64 pages = (bind->size + LAYOUT_PAGE - 1) / LAYOUT_PAGE;
	struct fs_mount *m = fs->table.mounts;
	char options[64] = "";
	int used = 0;
	u16 length;
	int r;

	while (strcmp(fs->table.text + m->target, target) != 0)
		m++;
	if (pages)
		used = snprintf(options, sizeof(options), "size=%lluk", (unsigned long long)pages * (LAYOUT_PAGE / 1024));
	if (bind->mode != 01777)
		(void)snprintf(options + used, sizeof(options) - (size_t)used, "%smode=%03o", used ? "," : "", bind->mode);
	r = put_text(stage, "tmpfs", &m->type, &length);
	m->from = m->type;
	if (r == 0)
		r = put_text(stage, options, &m->options, &length);
	if (r < 0)
		return r;
	m->device = ++stage->devices;
	if (!pages)
		return 0;
	if (strlen(source) >= FS_QUOTA_PATH || fs->quota_count == FS_QUOTAS_MAX)
		return -ENAMETOOLONG;
	struct fs_quota *quota = &fs->quotas[fs->quota_count++];
	*quota = (struct fs_quota){ .state = FS_QUOTA_READY, .length = (u32)strlen(source), .pages = pages, .used_files = 1 };
	memcpy(quota->path, source, quota->length + 1);
	return 0;
}

/* Binds a path of the machine. tmpfs: it is to be one, NULL: it is what it is. */
static int bind_path(struct stage *stage, const char *host, const char *guest, u32 flags, const struct root_bind *tmpfs)
{
	char source[PATH_MAX], target[PATH_MAX];
	struct stat st;
	int r;

	if (!realpath(host, source) || stat(source, &st) < 0)
		return fail(stage, errno, "'%s' on this machine", host);
	r = is_overlay(stage) ? root_layers_canonical(stage->fs, guest, target) : canonical(stage, guest, target);
	if (r < 0)
		return fail(stage, -r, "'%s' in the tree", guest);
	if (!target[0])
		return fail(stage, EINVAL, "'%s' in the tree: the root itself cannot be bound over, use --rootfs", guest);
	if (is_overlay(stage) && strncmp(target, "/proc/", 6) != 0)
		root_layers_point(stage->fs, target, S_ISDIR(st.st_mode) ? S_IFDIR | 0755 : S_IFREG | 0644, NULL);
	else if (strncmp(target, "/proc/", 6) != 0)
		make_point(stage->root, target, S_ISDIR(st.st_mode));
	r = add(stage, source, target, flags | (S_ISDIR(st.st_mode) ? 0 : FS_FILE));
	if (r == 0 && tmpfs)
		r = be_tmpfs(stage, source, target, tmpfs);
	return r < 0 ? fail(stage, -r, "too many or too long paths, at '%s'", guest) : 0;
}

static u32 flags_of(const struct root_bind *bind)
{
	u32 flags = bind->read_only ? FS_READ_ONLY : 0;

	if (bind->kind == ROOT_TMPFS)
		flags |= (bind->exec ? 0 : FS_NOEXEC) | (bind->suid ? 0 : FS_NOSUID) | (bind->dev ? 0 : FS_NODEV);
	return flags;
}

/* What every tree has of the machine's, where the machine has it; /proc's own files that change the machine are read-only, as in a
 * container. /dev/shm is the tree's own. */
static int bind_usual(struct stage *stage)
{
	/* where users other than root make things: they may not copy up what these lie in */
	static const char *const shared[] = { "/tmp", "/var/tmp", "/run/lock" };
	static const struct {
		const char *path;
		u32 flags;
	} usual[] = {
		{ "/proc", 0 },
		{ "/sys", FS_READ_ONLY },
		{ "/dev/null", 0 },
		{ "/dev/zero", 0 },
		{ "/dev/full", 0 },
		{ "/dev/random", 0 },
		{ "/dev/urandom", 0 },
		{ "/dev/tty", 0 },
		{ "/dev/pts", 0 },
		{ "/dev/ptmx", 0 },
		{ "/etc/resolv.conf", FS_READ_ONLY },
		{ "/etc/hosts", FS_READ_ONLY },
		{ "/proc/sys", FS_READ_ONLY },
		{ "/proc/sysrq-trigger", FS_READ_ONLY },
		{ "/proc/irq", FS_READ_ONLY },
		{ "/proc/bus", FS_READ_ONLY },
	};
	static const char *const links[][2] = { { "/proc/self/fd", "/dev/fd" },
						{ "/proc/self/fd/0", "/dev/stdin" },
						{ "/proc/self/fd/1", "/dev/stdout" },
						{ "/proc/self/fd/2", "/dev/stderr" } };

	for (size_t i = 0; i < ARRAY_SIZE(usual); i++) {
		struct stat st;
		int r;

		if (stat(usual[i].path, &st) < 0)
			continue;
		r = bind_path(stage, usual[i].path, usual[i].path, usual[i].flags, NULL);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(shared) && is_overlay(stage) && geteuid() == 0; i++)
		root_layers_raise(stage->fs, shared[i]);
	if (is_overlay(stage))
		root_layers_point(stage->fs, "/dev/shm", S_IFDIR | 01777, NULL);
	else if (mkdirat(stage->root, "dev/shm", 01777) == 0)
		(void)fchmodat(stage->root, "dev/shm", 01777, 0); /* whatever the umask */
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (is_overlay(stage))
			root_layers_point(stage->fs, links[i][1], S_IFLNK, links[i][0]);
		else
			(void)symlinkat(links[i][0], stage->root, links[i][1] + 1);
	return 0;
}

/* The directory where the command starts is made where it is missing, in whatever is mounted there. What cannot be made is missed when the command
 * starts. */
static int make_workdir(struct stage *stage, const char *workdir)
{
	char path[PATH_MAX];
	const struct fs_mount *in = &stage->fs->table.mounts[0];
	int r = is_overlay(stage) ? root_layers_canonical(stage->fs, workdir, path) : canonical(stage, workdir, path);

	if (*workdir != '/')
		return fail(stage, EINVAL, "the working directory '%.100s', which is no absolute path", workdir);
	if (r < 0)
		return fail(stage, -r, "the working directory '%.100s'", workdir);
	for (u32 i = 1; i < stage->fs->table.count; i++) {
		const struct fs_mount *m = &stage->fs->table.mounts[i];

		if (!strncmp(path, stage->fs->table.text + m->target, m->target_length) &&
		    (path[m->target_length] == '/' || !path[m->target_length]) && m->target_length >= in->target_length)
			in = m;
	}
	if (in == &stage->fs->table.mounts[0] && is_overlay(stage)) {
		root_layers_point(stage->fs, path, S_IFDIR | 0755, NULL);
	} else if (!(in->flags & (FS_READ_ONLY | FS_PROC | FS_FILE))) {
		CLEANUP_FD int top = in == &stage->fs->table.mounts[0]
					   ? fcntl(stage->root, F_DUPFD_CLOEXEC, 0)
					   : open(stage->fs->table.text + in->source, O_PATH | O_DIRECTORY | O_CLOEXEC);

		make_point(top, path + in->target_length, true);
	}
	return 0;
}

int root_stage(const struct root_spec *spec, struct fs_state *ret, struct root_error *error)
{
	struct stage stage = { .fs = ret, .error = error };
	CLEANUP_FD int root = FD_NONE;
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->table.used = 1; /* offset 0 is the empty string */
	if (!realpath(spec->directory, stage.top))
		return fail(&stage, errno, "'%s' as root", spec->directory);
	root = open(stage.top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail(&stage, errno, "'%s' as root", spec->directory);
	stage.root = root;
	if (access("/proc/self/fd", F_OK) < 0)
		return fail(&stage, errno, "'%s': the agent resolves paths with its help", "/proc/self/fd");
	ret->features = has_openat2() ? FS_OPENAT2 : 0;
	r = add(&stage, stage.top, "", 0);
	if (r < 0)
		return fail(&stage, -r, "'%s' as root", spec->directory);
	if (spec->upper)
		r = root_layers_stage(spec, stage.top, ret, error);
	if (r < 0)
		return r;
	if (!strcmp(stage.top, "/"))
		stage.top[0] = 0;
	r = bind_usual(&stage);
	for (u32 i = 0; i < spec->bind_count && r == 0; i++)
		r = bind_path(&stage, spec->binds[i].host, spec->binds[i].guest, flags_of(&spec->binds[i]),
			      spec->binds[i].kind == ROOT_TMPFS ? &spec->binds[i] : NULL);
	if (r == 0 && spec->workdir)
		r = make_workdir(&stage, spec->workdir);
	if (r < 0)
		return r;
	if (spec->read_only)
		ret->table.mounts[0].flags |= FS_READ_ONLY;
	if (snprintf(ret->cwd, sizeof(ret->cwd), "%s", spec->workdir ? spec->workdir : "/") >= (int)sizeof(ret->cwd))
		return fail(&stage, ENAMETOOLONG, "the working directory '%.100s…'", spec->workdir);
	return 0;
}

/* FS_ flags of a mount of the machine. */
static u32 machine_flags(const char *point)
{
	static const struct {
		unsigned long told;
		u32 flag;
	} names[] = { { ST_RDONLY, FS_READ_ONLY }, { ST_NOSUID, FS_NOSUID },   { ST_NODEV, FS_NODEV },
		      { ST_NOEXEC, FS_NOEXEC },    { ST_NOATIME, FS_NOATIME }, { ST_NODIRATIME, FS_NODIRATIME } };
	struct statvfs fs;
	u32 flags = 0;

	if (statvfs(point, &fs))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (fs.f_flag & names[i].told)
			flags |= names[i].flag;
	return flags;
}

/* Control groups of the machine, and where they usually are. */
static bool is_of_groups(const struct mountinfo_row *row)
{
	static const char usual[] = "/sys/fs/cgroup";
	size_t length = sizeof(usual) - 1;

	return !strncmp(row->type, "cgroup", 6) ||
	       (!strncmp(row->point, usual, length) && (!row->point[length] || row->point[length] == '/'));
}

/* What is mounted on the machine, so far as there is room: of two on one point the upper one. */
static void add_machines(struct stage *stage, bool groups)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	struct mountinfo_row row;
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) > 0 && stage->fs->table.count < FS_MOUNTS_MAX / 2) {
		struct stat st;

		if (!mountinfo_parse(line, &row) || !strcmp(row.point, "/") || !strcmp(row.point, "/proc") ||
		    (!groups && is_of_groups(&row)) || lstat(row.point, &st))
			continue;
		if (add(stage, row.point, row.point, machine_flags(row.point) | (S_ISDIR(st.st_mode) ? 0 : FS_FILE)) < 0)
			break;
	}
	free(line);
	if (file)
		(void)fclose(file);
}

int root_stage_machine(const char *workdir, bool mounts, bool groups, struct fs_state *ret)
{
	struct root_error unused;
	struct stage stage = { .fs = ret, .error = &unused, .root = FD_NONE };
	char here[PATH_MAX];
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->table.used = 1;
	if (access("/proc/self/fd", F_OK) < 0 || !realpath(workdir ? workdir : ".", here))
		return -errno;
	ret->features = has_openat2() ? FS_OPENAT2 : 0;
	r = add(&stage, "/", "", 0);
	if (r == 0)
		r = add(&stage, "/proc", "/proc", 0);
	if (r == 0 && mounts)
		add_machines(&stage, groups);
	if (r == 0 && snprintf(ret->cwd, sizeof(ret->cwd), "%s", here) >= (int)sizeof(ret->cwd))
		r = -ENAMETOOLONG;
	return r;
}

/* What a mount hangs on: the one with the longest target that its own begins with. */
static u32 parent_of(const struct fs_table *table, const struct fs_mount *m)
{
	const struct fs_mount *best = NULL;

	for (u32 i = 0; i < table->count; i++) {
		const struct fs_mount *p = &table->mounts[i];

		if (p->target_length < m->target_length &&
		    !memcmp(table->text + p->target, table->text + m->target, p->target_length) &&
		    table->text[m->target + p->target_length] == '/' && (!best || p->target_length > best->target_length))
			best = p;
	}
	return best ? best->id : 0;
}

/* Whether what a mount shows lies in what another one shows, which may not be the case of what is mounted in the machine's root. */
static bool is_within(const struct fs_table *table, const struct fs_mount *m, const struct fs_mount *other)
{
	return other->source_length && m->source_length >= other->source_length &&
	       !memcmp(table->text + m->source, table->text + other->source, other->source_length) &&
	       (m->source_length == other->source_length || table->text[m->source + other->source_length] == '/');
}

static void copy_table(struct fs_table *to, const struct fs_table *from)
{
	to->count = from->count;
	to->used = from->used;
	to->layer_count = from->layer_count;
	memcpy(to->mounts, from->mounts, from->count * sizeof(to->mounts[0]));
	memcpy(to->layers, from->layers, from->layer_count * sizeof(to->layers[0]));
	memcpy(to->text, from->text, from->used);
}

void root_copy(struct fs_state *to, const struct fs_state *from)
{
	to->features = from->features;
	to->layered = from->layered;
	copy_table(&to->table, &from->table);
	memcpy(to->cwd, from->cwd, strlen(from->cwd) + 1);
	for (size_t i = 0; i < ARRAY_SIZE(to->seen); i++)
		if (from->seen[i])
			to->seen[i] = from->seen[i];
	to->quota_count = from->quota_count;
	memcpy(to->quotas, from->quotas, from->quota_count * sizeof(to->quotas[0]));
}

void root_begin(const struct fs_state *fs, struct fs_spaces *spaces)
{
	struct fs_space *first = &spaces->space[0];
	struct fs_table *table = &first->copy[0];

	copy_table(table, &fs->table);
	spaces->next_id = FS_FIRST_ID;
	spaces->next_peers = spaces->next_device = 1;
	spaces->next_inode = FS_FIRST_INODE;
	for (u32 i = 0; i < table->count; i++) {
		table->mounts[i].id = spaces->next_id++;
		table->mounts[i].flags |= FS_RELATIME;
		if (table->mounts[i].device >= spaces->next_device)
			spaces->next_device = table->mounts[i].device + 1;
	}
	for (u32 i = 0; i < table->count; i++)
		table->mounts[i].parent = parent_of(table, &table->mounts[i]);
	for (u32 i = 0; i < table->count; i++)
		for (u32 k = 0; k < table->count; k++)
			if (i != k && is_within(table, &table->mounts[i], &table->mounts[k])) {
				table->mounts[i].flags |= FS_BOUND;
				first->bound = FS_BOUND;
			}
	first->inode = spaces->next_inode++;
	first->state = FS_SPACE_READY;
}
