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
#include "cli/words.h"
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

/* DIR/upper, and DIR/work beside it. */
static int make_temporary(struct guest_root *given, char upper[PATH_MAX], char work[PATH_MAX])
{
	const char *base = getenv("TMPDIR");

	if (snprintf(given->temporary, sizeof(given->temporary), "%s/lichen-XXXXXX", base && *base ? base : "/tmp") >=
		    PATH_MAX - 16 ||
	    !mkdtemp(given->temporary)) {
		int error = errno;

		given->temporary[0] = 0;
		return -error;
	}
	(void)snprintf(upper, PATH_MAX, "%.*s/upper", PATH_MAX - 16, given->temporary);
	(void)snprintf(work, PATH_MAX, "%.*s/work", PATH_MAX - 16, given->temporary);
	return 0;
}

void guest_root_end(struct guest_root *given)
{
	if (!given->temporary[0])
		return;
	(void)tree_remove(AT_FDCWD, given->temporary);
	given->temporary[0] = 0;
}

int guest_root_stage(const struct command *command, struct guest_root *given, const char *workdir, struct fs_state **ret)
{
	struct root_spec spec = { .directory = given->directory,
				  .upper = given->upper,
				  .work = given->work,
				  .workdir = workdir,
				  .bind_count = given->volumes.count };
	char upper[PATH_MAX], work[PATH_MAX];
	struct root_error error;
	int r;

	*ret = NULL;
	if (!given->directory)
		return given->volumes.count ? command_usage(command, "--volume needs --rootfs")
		     : given->upper         ? command_usage(command, "--upper needs --rootfs")
		     : given->ephemeral     ? command_usage(command, "--ephemeral needs --rootfs")
					    : -1;
	if (given->upper && given->ephemeral)
		return command_usage(command, "--upper and --ephemeral cannot be used together");
	if (given->ephemeral) {
		r = make_temporary(given, upper, work);
		if (r < 0) {
			fprintf(stderr, "lichen %s: cannot make a temporary directory: %s (%s)\n", command->name, strerror(-r),
				errno_name(-r));
			return LICHEN_EXIT_FAILED;
		}
		spec.upper = upper;
		spec.work = work;
	}
	*ret = malloc(sizeof(**ret));
	if (!*ret) {
		fprintf(stderr, "lichen: out of memory\n");
		return LICHEN_EXIT_FAILED;
	}
	memcpy(spec.binds, given->volumes.binds, sizeof(spec.binds));
	r = root_stage(&spec, *ret, &error);
	if (r == 0)
		return -1;
	fprintf(stderr, "lichen %s: cannot lay out the tree: %s: %s (%s)\n", command->name, error.what, strerror(-r),
		errno_name(-r));
	free(*ret);
	*ret = NULL;
	return LICHEN_EXIT_FAILED;
}
