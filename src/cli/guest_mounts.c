// SPDX-License-Identifier: Apache-2.0
/* What is mounted in a guest's tree: volumes are taken into use, directories for the others made. Texts live as long as the process. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/guest_root.h"
#include "cli/words.h"
#include "host/tree.h"
#include "host/tree_copy.h"
#include "host/volumes.h"
#include "lichen.h"

struct mounting {
	const struct command *command;
	struct guest_root *given;
	struct root_spec *spec;
};

static int PRINTF_LIKE(3, 4) fail(const struct mounting *at, int error, const char *format, ...)
{
	va_list args;
	fprintf(stderr, "lichen %s: ", at->command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s (%s)\n", strerror(error), errno_name(error));
	return LICHEN_EXIT_FAILED;
}

/* Adds a bind. Binds come in the order of their depth, as docker mounts them: what lies above comes first. */
static int add(const struct mounting *at, const struct root_bind *bind)
{
	struct root_spec *spec = at->spec;
	u32 depth = 0, i;
	if (spec->bind_count == ARRAY_SIZE(spec->binds))
		return fail(at, E2BIG, "more than %u things are to be mounted", ROOT_BINDS_MAX);
	for (const char *c = bind->guest; *c; c++)
		depth += *c == '/';
	for (i = spec->bind_count; i > 0; i--) {
		u32 other = 0;
		for (const char *c = spec->binds[i - 1].guest; *c; c++)
			other += *c == '/';
		if (other <= depth)
			break;
		spec->binds[i] = spec->binds[i - 1];
	}
	spec->binds[i] = *bind;
	spec->bind_count++;
	return -1;
}

/* The image's directory at a path, to fill a volume from; negative when there is none. */
static int original(const struct mounting *at, const char *target)
{
	char path[PATH_MAX];
	CLEANUP_FD int root = open(at->given->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || tree_clean_path(target, path) < 0)
		return FD_NONE;
	return tree_open_dir(root, path);
}

/* A new directory in the scratch directory, called as config.json says (cell_tree.c). NULL after saying why not. */
static char *scratch_directory(const struct mounting *at, const struct mount_spec *mount, mode_t mode)
{
	const char *scratch = guest_root_scratch(at->command, at->given);
	char *path = NULL;
	if (!scratch)
		return NULL;
	const struct mount_spec *first = at->given->mounts.mounts;
	bool listed = mount >= first && mount < first + at->given->mounts.count;
	if (listed ? asprintf(&path, "%s/mount%u", scratch, (u32)(mount - first)) < 0 : asprintf(&path, "%s/shm", scratch) < 0) {
		fail(at, ENOMEM, "making a directory");
		return NULL;
	}
	if (mkdir(path, 0700) == 0 && chmod(path, mode) == 0)
		return path;
	fail(at, errno, "cannot make '%s'", path);
	free(path);
	return NULL;
}

/* As mkdir -p. */
static int make_path(const char *path)
{
	char text[PATH_MAX];
	if (snprintf(text, sizeof(text), "%s", path) >= (int)sizeof(text))
		return -ENAMETOOLONG;
	for (char *slash = strchr(text + 1, '/');; slash = strchr(slash + 1, '/')) {
		if (slash)
			*slash = '\0';
		if (mkdir(text, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (!slash)
			return 0;
		*slash = '/';
	}
}

static int bind_path(const struct mounting *at, const struct mount_spec *mount)
{
	const struct root_bind bind = { .host = mount->source, .guest = mount->target, .read_only = mount->read_only };
	struct stat st;
	if (mount->make_source && stat(mount->source, &st) < 0 && errno == ENOENT) {
		int error = make_path(mount->source);
		if (error)
			return fail(at, -error, "cannot make '%s' for --volume", mount->source);
	}
	return add(at, &bind);
}

/* A volume of this guest alone. */
static int bind_anonymous(const struct mounting *at, const struct mount_spec *mount)
{
	char *path = scratch_directory(at, mount, 0755);
	CLEANUP_FD int from = mount->no_copy ? FD_NONE : original(at, mount->target),
		       to = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : FD_NONE;
	if (!path)
		return LICHEN_EXIT_FAILED;
	int error = from < 0 ? 0 : to < 0 ? -errno : tree_copy(from, to);
	if (error)
		return fail(at, -error, "cannot fill the volume on '%s'", mount->target);
	return add(at, &(struct root_bind){ .host = path, .guest = mount->target, .read_only = mount->read_only });
}

static int bind_volume(const struct mounting *at, const struct mount_spec *mount)
{
	char volumes[PATH_MAX], *path;
	if (!mount->source)
		return bind_anonymous(at, mount);
	CLEANUP_FD int dir = volumes_open(volumes), from = mount->no_copy ? FD_NONE : original(at, mount->target);
	int error = dir < 0 ? dir : volume_use(dir, mount->source, from);
	if (error)
		return fail(at, -error, "cannot use volume '%s'", mount->source);
	if (asprintf(&path, "%s/%s/_data", volumes, mount->source) < 0)
		return fail(at, ENOMEM, "using volume '%s'", mount->source);
	return add(at, &(struct root_bind){ .host = path, .guest = mount->target, .read_only = mount->read_only });
}

static int bind_tmpfs(const struct mounting *at, const struct mount_spec *mount)
{
	char *path = scratch_directory(at, mount, mount->mode);
	if (!path)
		return LICHEN_EXIT_FAILED;
	return add(at, &(struct root_bind){ .host = path,
					    .guest = mount->target,
					    .read_only = mount->read_only,
					    .kind = ROOT_TMPFS,
					    .size = mount->size,
					    .mode = mount->mode,
					    .exec = mount->exec,
					    .suid = mount->suid,
					    .dev = mount->dev });
}

/* A file of /etc with a text of our own; nothing for NULL. `text` is freed. */
static int bind_text(const struct mounting *at, const char *guest, char *text)
{
	CLEANUP_FREE char *kept = text;
	const char *scratch = kept ? guest_root_scratch(at->command, at->given) : NULL;
	char *path = NULL;
	if (!kept)
		return -1;
	if (!scratch || asprintf(&path, "%s/%s", scratch, strrchr(guest, '/') + 1) < 0)
		return LICHEN_EXIT_FAILED;
	FILE *file = fopen(path, "wxe");
	bool written = file && fputs(kept, file) >= 0 && fchmod(fileno(file), 0644) == 0;
	if (file && fclose(file))
		written = false;
	return written ? add(at, &(struct root_bind){ .host = path, .guest = guest }) : fail(at, errno, "cannot write '%s'", path);
}

static bool covered(const struct guest_root *given, const char *target)
{
	for (u32 i = 0; i < given->mounts.count; i++)
		if (!strcmp(given->mounts.mounts[i].target, target))
			return true;
	return false;
}

/* This very program. */
static int bind_init(const struct mounting *at)
{
	char *path = realpath("/proc/self/exe", NULL);
	if (!path)
		return fail(at, errno, "cannot find lichen's own program for --init");
	return add(at, &(struct root_bind){ .host = path, .guest = GUEST_INIT, .read_only = true });
}

/* What options other than mounts put into the tree, unless a mount says otherwise. */
static int stage_usual(const struct mounting *at)
{
	struct guest_root *given = at->given;
	const struct mount_spec shm = { .kind = MOUNT_TMPFS, .target = "/dev/shm", .size = given->shm_size, .mode = 01777 };
	char *text = NULL;
	int status = -1;
	if ((given->shm_size || given->read_only) && !covered(given, shm.target))
		status = bind_tmpfs(at, &shm);
	if (status < 0 && given->hostname && !covered(given, "/etc/hostname"))
		status = asprintf(&text, "%s\n", given->hostname) < 0 ? fail(at, ENOMEM, "/etc/hostname")
								      : bind_text(at, "/etc/hostname", text);
	text = NULL;
	if (status < 0 && !covered(given, "/etc/hosts"))
		status = guest_resolve_hosts(given, &text) ? fail(at, ENOMEM, "/etc/hosts") : bind_text(at, "/etc/hosts", text);
	if (status < 0 && given->init)
		status = bind_init(at);
	text = NULL;
	if (status < 0 && !covered(given, "/etc/resolv.conf"))
		status = guest_resolve_resolver(given, &text) ? fail(at, ENOMEM, "/etc/resolv.conf")
							      : bind_text(at, "/etc/resolv.conf", text);
	return status;
}

int guest_mounts_stage(const struct command *command, struct guest_root *given, struct root_spec *spec)
{
	const struct mounting at = { command, given, spec };
	int status = stage_usual(&at);
	for (u32 i = 0; i < given->mounts.count && status < 0; i++) {
		const struct mount_spec *mount = &given->mounts.mounts[i];
		status = mount->kind == MOUNT_BIND   ? bind_path(&at, mount)
		       : mount->kind == MOUNT_VOLUME ? bind_volume(&at, mount)
						     : bind_tmpfs(&at, mount);
	}
	return status;
}
