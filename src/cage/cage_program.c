// SPDX-License-Identifier: Apache-2.0
/* The command's own program: searched as the command's shell would search it in the cage, where what no rule lets be executed is passed over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "cage/cage_int.h"
#include "host/launch_command.h"

static bool may_execute(const void *data, const char *path)
{
	const struct cage *cage = data;
	CLEANUP_FREE char *real = realpath(path, NULL);

	return real && cage_policy_allows(cage->policy, CAGE_EXECUTE, real, NULL, NULL);
}

const char *cage_find_program(const struct cage *cage, const struct launch *launch, char out[PATH_MAX])
{
	const char *name = launch->program ? launch->program : launch->argv[0];

	if (!cage_has(cage, CAGE_LAYER_FILES) || launch_find_command_that(name, launch->envp, may_execute, cage, out) < 0)
		return launch->program; /* the kernel refuses what is found then */
	return out;
}

void cage_judge_program(struct cage *cage, const struct launch *launch, const struct launch_result *result)
{
	const char *name = launch->program ? launch->program : launch->argv[0];
	char found[PATH_MAX], path[2 * PATH_MAX];
	CLEANUP_FREE char *real = NULL;

	cage->refused_program[0] = 0;
	if ((result->error != EACCES && !(result->error == ENOENT && cage_hides(cage))) || !cage_has(cage, CAGE_LAYER_FILES) ||
	    launch_find_command(name, launch->envp, found) < 0)
		return;
	(void)snprintf(path, sizeof(path), "%s%s%s", *found == '/' ? "" : launch->workdir, *found == '/' ? "" : "/", found);
	real = realpath(path, NULL);
	if (real && !cage_policy_allows(cage->policy, CAGE_EXECUTE, real, NULL, NULL))
		(void)snprintf(cage->refused_program, sizeof(cage->refused_program), "%s", real);
}

const char *cage_refused_program(const struct cage *cage)
{
	return cage->refused_program;
}
