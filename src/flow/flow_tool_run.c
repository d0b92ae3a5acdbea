// SPDX-License-Identifier: Apache-2.0
/*
 * How a tool is started, in a process of its own with its streams in place.
 *
 * In the cage: config.yaml and the step's config become a policy, and the cage's library does the rest. Without: limits of resources and no_new_privs; nothing
 * else confines it. The audit log and config.yaml say which.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "flow/flow_tool.h"

/* Says why nothing was started; `kind`: 'l' a layer is missing, 'f' it failed. */
static NORETURN void give_up(int report, char kind, const char *what, const char *why)
{
	char text[256];
	int size = snprintf(text, sizeof(text), "%c%s%s%s", kind, what, *why ? ": " : "", why);

	size = size < (int)sizeof(text) ? size : (int)sizeof(text) - 1;
	if (write(report, text, (size_t)size) != size)
		_exit(126);
	_exit(125);
}

static void limit(int resource, u64 most)
{
	const struct rlimit limit = { .rlim_cur = most, .rlim_max = most };

	(void)setrlimit(resource, &limit);
}

void flow_tool_uncaged(const struct flow_tool *tool, int report)
{
	const struct flow_config *config = tool->task->config;

	if (fchdir(tool->task->base) < 0)
		give_up(report, 'f', "cannot enter the directory", strerror(errno));
	limit(RLIMIT_FSIZE, (u64)config->max_file_size_mb << 20);
	limit(RLIMIT_NOFILE, (u64)config->max_open_files);
	limit(RLIMIT_CORE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		give_up(report, 'f', "cannot set no_new_privs", strerror(errno));
	(void)setenv("PATH", FLOW_TOOL_PATH, 1); /* where execvpe() looks */
	(void)execvpe(tool->argv[0], tool->argv, tool->envp);
	give_up(report, 'f', tool->argv[0], strerror(errno));
}

void flow_tool_caged(const struct flow_tool *tool, int report)
{
	(void)tool;
	give_up(report, 'l', "this version of lichen has no cage for tools", "");
}
