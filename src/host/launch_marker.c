// SPDX-License-Identifier: Apache-2.0
/* What the agent is told in the environment of its first image: agent/engine.h, struct marker. */
#include "host/launch_marker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gaps/registry.h"
#include "host/cell_fds.h"

#define MARKER_FIRST 1u /* agent/engine.h: enum marker_flag */
#define MARKER_PLACED 2u

/* What a new member of a running cell is besides (agent/engine.h: MARKER_PLACED); allocated, NULL without memory. */
static char *start_text(const struct launch *spec)
{
	const struct identity_start *who = &spec->identity;
	bool becomes = spec->become && (spec->emulate & GAP_BIT(GAP_identity));
	size_t size;
	char *text = NULL;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	(void)fprintf(to, "LICHEN_START=%x.", becomes ? who->group_count + 1 : 0);
	if (becomes)
		(void)fprintf(to, "%x.%x.", who->uid, who->gid);
	for (u32 i = 0; becomes && i < who->group_count; i++)
		(void)fprintf(to, "%x.", who->groups[i]);
	(void)fprintf(to, ":%s", spec->placed ? spec->workdir : "");
	if (fclose(to) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

char **launch_marked_env(const struct launch *spec, const struct cell_fds *fds, const char *path, const sigset_t *mask)
{
	char *const *envp = spec->envp;
	bool placed = spec->join && (spec->placed || spec->become);
	size_t count = 0, at;
	char **env;
	u64 bits;

	memcpy(&bits, mask, sizeof(bits));
	while (envp[count])
		count++;
	at = count + placed;
	env = calloc(at + 2, sizeof(*env));
	if (env && placed)
		env[count] = start_text(spec);
	if (!env || (placed && !env[count]) ||
	    asprintf(&env[at], "LICHEN_EXEC=%x.%x.%x.%x.%x.%llx.%llx.%x.0.0.0.%x.0.0.0:%s", (unsigned)fds->reserved[RESERVED_AGENT],
		     (unsigned)fds->reserved[RESERVED_COMMONS], (unsigned)fds->reserved[RESERVED_BROKER], ~0u, ~0u,
		     (unsigned long long)fds->mapped, (unsigned long long)bits, MARKER_FIRST | (placed ? MARKER_PLACED : 0), ~0u,
		     path) < 0)
		return NULL;
	memcpy(env, envp, count * sizeof(*env));
	return env;
}
