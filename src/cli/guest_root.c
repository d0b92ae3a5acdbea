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

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/words.h"
#include "host/state_dir.h"
#include "host/tree.h"
#include "lichen.h"

static int parsed(int result, struct option_error *error)
{
	return result == -ENOMEM ? options_refuse(error, "out of memory") : result;
}

int guest_parse_volume(void *field, const char *value, struct option_error *error)
{
	return parsed(mount_spec_volume(field, value, error->text), error);
}

int guest_parse_mount(void *field, const char *value, struct option_error *error)
{
	return parsed(mount_spec_mount(field, value, error->text), error);
}

int guest_parse_tmpfs(void *field, const char *value, struct option_error *error)
{
	return parsed(mount_spec_tmpfs(field, value, error->text), error);
}

int guest_parse_size(void *field, const char *value, struct option_error *error)
{
	u64 size;
	if (!mount_size(value, &size) || !size)
		return options_refuse(error, "'%.100s' is no size: a number, and k, m or g", value);
	*(u64 *)field = size;
	return 0;
}

static int say(const struct command *command, const char *what, int error)
{
	fprintf(stderr, "lichen %s: %s: %s (%s)\n", command->name, what, strerror(error), errno_name(error));
	return LICHEN_EXIT_FAILED;
}

u32 guest_root_layers(const struct guest_root *given, const char *layers[2])
{
	u32 count = 0;
	if (given->upper)
		layers[count++] = given->upper;
	layers[count++] = given->directory ? given->directory : "/";
	return count;
}

bool guest_prepend_init(const struct guest_root *given, char ***argv)
{
	char *self = given->directory ? strdup(GUEST_INIT) : realpath("/proc/self/exe", NULL);
	static char verb[] = "init", end[] = "--";
	char *first[] = { self, verb, end };
	size_t count = 0;
	while ((*argv)[count])
		count++;
	char **longer = self ? calloc(count + 4, sizeof(*longer)) : NULL;
	if (!longer)
		return false;
	memcpy(longer, first, sizeof(first));
	memcpy(longer + 3, *argv, count * sizeof(*longer));
	free((void *)*argv);
	*argv = longer;
	return true;
}

int guest_root_check(const struct command *command, const struct guest_root *given)
{
	const struct {
		bool given;
		const char *option;
	} wants[] = {
		{ given->mounts.count != 0, "--volume, --mount and --tmpfs need" },
		{ given->upper != NULL, "--upper needs" },
		{ given->ephemeral, "--ephemeral needs" },
		{ given->read_only, "--read-only needs" },
		{ given->shm_size != 0, "--shm-size needs" },
		{ given->hosts.count != 0, "--add-host needs" },
		{ given->dns.count != 0, "--dns needs" },
		{ given->dns_search.count != 0, "--dns-search needs" },
		{ given->dns_options.count != 0, "--dns-option needs" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(wants); i++)
		if (!given->directory && wants[i].given)
			return command_usage(command, "%s an image or --rootfs", wants[i].option);
	if (given->upper && given->ephemeral)
		return command_usage(command, "--upper and --ephemeral cannot be used together");
	return -1;
}

/* --- the scratch directory ----------------------------------------------------------------------------------------------------------- */

static bool make_temporary(struct guest_root *given)
{
	const char *base = getenv("TMPDIR");
	if (snprintf(given->temporary, sizeof(given->temporary), "%s/lichen-XXXXXX", base && *base ? base : "/tmp") <
		    PATH_MAX - 16 &&
	    mkdtemp(given->temporary))
		return true;
	int error = errno;
	given->temporary[0] = 0;
	errno = error;
	return false;
}

const char *guest_root_scratch(const struct command *command, struct guest_root *given)
{
	bool made = given->scratch      ? mkdir(given->scratch, 0700) == 0 || errno == EEXIST
		  : given->temporary[0] ? true
					: make_temporary(given);
	if (made)
		return given->scratch ? given->scratch : given->temporary;
	say(command, given->scratch ? given->scratch : "cannot make a temporary directory", errno);
	return NULL;
}

void guest_root_end(struct guest_root *given)
{
	if (!given->temporary[0])
		return;
	(void)tree_remove(AT_FDCWD, given->temporary);
	given->temporary[0] = 0;
}

/* --- laying out ---------------------------------------------------------------------------------------------------------------------------- */

int guest_root_stage(const struct command *command, struct guest_root *given, const char *workdir, struct guest_tree *ret)
{
	struct root_spec spec = { .directory = given->directory,
				  .upper = given->upper,
				  .work = given->work,
				  .workdir = workdir,
				  .read_only = given->read_only };
	char upper[PATH_MAX], work[PATH_MAX];
	struct root_error error;
	*ret = (struct guest_tree){ 0 };
	if (!given->directory)
		return -1;
	if (given->ephemeral) {
		const char *scratch = guest_root_scratch(command, given);
		if (!scratch)
			return LICHEN_EXIT_FAILED;
		snprintf(upper, sizeof(upper), "%.*s/upper", PATH_MAX - 16, scratch);
		snprintf(work, sizeof(work), "%.*s/work", PATH_MAX - 16, scratch);
		spec.upper = upper;
		spec.work = work;
	}
	int status = guest_mounts_stage(command, given, &spec);
	if (status >= 0)
		return status;
	ret->agent = given->native ? NULL : malloc(sizeof(*ret->agent));
	if (!given->native && !ret->agent) {
		fprintf(stderr, "lichen: out of memory\n");
		return LICHEN_EXIT_FAILED;
	}
	int r = given->native ? native_stage(&spec, &ret->native, &error) : root_stage(&spec, ret->agent, &error);
	if (r == 0) {
		if (given->native)
			ret->native->temporary = given->ephemeral;
		return -1;
	}
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

const char *guest_root_place(const struct guest_root *given, bool layered, bool cell, char path[PATH_MAX])
{
	const char *base = getenv("TMPDIR");
	if (given->upper) {
		char *slash;
		snprintf(path, PATH_MAX, "%s%s", given->upper[0] == '/' ? "" : "./", given->upper);
		while ((slash = strrchr(path, '/')) && !slash[1] && slash != path)
			*slash = '\0';
		if (slash)
			slash[slash == path] = '\0';
		return path;
	}
	if (!layered)
		return NULL;
	if (!cell) {
		snprintf(path, PATH_MAX, "%s", base && *base ? base : "/tmp");
		return path;
	}
	int fd = state_dir_open(path);
	if (fd >= 0)
		close(fd);
	return path;
}
