// SPDX-License-Identifier: Apache-2.0
/* The options that give a guest a file tree of its own. */
#include "cli/guest_root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/guest_names.h"
#include "cli/words.h"
#include "host/state_dir.h"
#include "host/tree.h"
#include "lichen.h"

/* The copies live as long as the process. */
int guest_parse_volume(void *field, const char *value, struct option_error *error)
{
	struct guest_root root;
	typeof(root.volumes) *volumes = field;
	struct root_bind *bind = &volumes->binds[volumes->count];
	char *text, *guest, *mode;

	if (volumes->count == ROOT_BINDS_MAX) {
		snprintf(error->text, sizeof(error->text), "at most %u volumes can be given", ROOT_BINDS_MAX);
		return -E2BIG;
	}
	text = strdup(value);
	if (!text) {
		snprintf(error->text, sizeof(error->text), "out of memory");
		return -ENOMEM;
	}
	guest = strchr(text, ':');
	mode = guest ? strchr(guest + 1, ':') : NULL;
	if (guest)
		*guest++ = 0;
	if (mode)
		*mode++ = 0;
	if (!guest || !*text || *guest != '/' || (mode && strcmp(mode, "ro") != 0 && strcmp(mode, "rw") != 0)) {
		snprintf(error->text, sizeof(error->text), "option '--volume' needs HOST:/GUEST[:ro|rw], not '%.100s'", value);
		free(text);
		return -EINVAL;
	}
	*bind = (struct root_bind){ .host = text, .guest = guest, .read_only = mode && !strcmp(mode, "ro") };
	volumes->count++;
	return 0;
}

/* --- a temporary upper layer ------------------------------------------------------------------------------------------------------------- */

static int make_temporary(struct guest_root *given)
{
	const char *base = getenv("TMPDIR");

	if (snprintf(given->temporary, sizeof(given->temporary), "%s/lichen-XXXXXX", base && *base ? base : "/tmp") >=
		    PATH_MAX - 16 ||
	    !mkdtemp(given->temporary)) {
		int error = errno;

		given->temporary[0] = 0;
		return -error;
	}
	return 0;
}

/* The files that name the guest, and where they are in the tree. paths: theirs. */
static int add_names(const struct guest_root *given, struct root_spec *spec, char paths[GUEST_NAMES_FILES][PATH_MAX])
{
	const char *dir = given->names ? given->names : given->temporary;
	int r = guest_names_write(dir, given->hostname);

	for (size_t i = 0; r == 0 && i < GUEST_NAMES_FILES; i++) {
		if (snprintf(paths[i], PATH_MAX, "%s/%s", dir, guest_names_files[i][0]) >= PATH_MAX)
			r = -ENAMETOOLONG;
		spec->binds[spec->bind_count++] = (struct root_bind){ .host = paths[i], .guest = guest_names_files[i][1] };
	}
	return r;
}

void guest_root_end(struct guest_root *given)
{
	if (!given->temporary[0])
		return;
	(void)tree_remove(AT_FDCWD, given->temporary);
	given->temporary[0] = 0;
}

int guest_root_stage(const struct command *command, struct guest_root *given, const char *workdir, struct guest_tree *ret)
{
	struct root_spec spec = { .directory = given->directory, .upper = given->upper, .work = given->work, .workdir = workdir };
	char upper[PATH_MAX], work[PATH_MAX], names[GUEST_NAMES_FILES][PATH_MAX];
	struct root_error error;
	int r;

	*ret = (struct guest_tree){ 0 };
	if (!given->directory)
		return given->volumes.count ? command_usage(command, "--volume needs --rootfs")
		     : given->upper         ? command_usage(command, "--upper needs --rootfs")
		     : given->ephemeral     ? command_usage(command, "--ephemeral needs --rootfs")
					    : -1;
	if (given->upper && given->ephemeral)
		return command_usage(command, "--upper and --ephemeral cannot be used together");
	r = given->ephemeral || (given->hostname && !given->names) ? make_temporary(given) : 0;
	if (r == 0 && given->hostname)
		r = add_names(given, &spec, names);
	if (r < 0) {
		fprintf(stderr, "lichen %s: cannot make temporary files: %s (%s)\n", command->name, strerror(-r), errno_name(-r));
		return LICHEN_EXIT_FAILED;
	}
	if (given->ephemeral) {
		(void)snprintf(upper, sizeof(upper), "%.*s/upper", PATH_MAX - 16, given->temporary);
		(void)snprintf(work, sizeof(work), "%.*s/work", PATH_MAX - 16, given->temporary);
		spec.upper = upper;
		spec.work = work;
	}
	ret->agent = given->native ? NULL : malloc(sizeof(*ret->agent));
	if (!given->native && !ret->agent) {
		fprintf(stderr, "lichen: out of memory\n");
		return LICHEN_EXIT_FAILED;
	}
	memcpy(spec.binds + spec.bind_count, given->volumes.binds, given->volumes.count * sizeof(spec.binds[0]));
	spec.bind_count += given->volumes.count;
	r = given->native ? native_stage(&spec, &ret->native, &error) : root_stage(&spec, ret->agent, &error);
	if (r == 0)
		return -1;
	fprintf(stderr, "lichen %s: cannot lay out the tree: %s: %s (%s)\n", command->name, error.what, strerror(-r),
		errno_name(-r));
	guest_tree_done(ret);
	return LICHEN_EXIT_FAILED;
}

void guest_tree_done(struct guest_tree *tree)
{
	free(tree->agent);
	native_root_free(tree->native);
	*tree = (struct guest_tree){ 0 };
}

const char *guest_root_place(const struct guest_root *given, bool cell, char path[PATH_MAX])
{
	const char *base = getenv("TMPDIR");
	char *slash;
	int fd;

	if (given->upper) {
		(void)snprintf(path, PATH_MAX, "./%s", given->upper);
		if (given->upper[0] == '/')
			(void)snprintf(path, PATH_MAX, "%s", given->upper);
		while ((slash = strrchr(path, '/')) && !slash[1] && slash != path)
			*slash = 0;
		if (slash)
			slash[slash == path] = 0;
		return path;
	}
	if (given->ephemeral) {
		(void)snprintf(path, PATH_MAX, "%s", base && *base ? base : "/tmp");
		return path;
	}
	if (!cell)
		return NULL;
	fd = state_dir_open(path);
	if (fd >= 0)
		(void)close(fd);
	return path;
}
