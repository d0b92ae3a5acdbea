// SPDX-License-Identifier: Apache-2.0
/* A tool without the cage: limits of resources and no_new_privs; nothing else confines it. The audit log and config.yaml say so. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "flow/flow_tool.h"

static NORETURN void give_up(int report, const char *what)
{
	flow_tool_report(report, FLOW_TOOL_SAYS_FAILED, what, strerror(errno));
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
		give_up(report, "cannot enter the directory");
	limit(RLIMIT_FSIZE, (u64)config->max_file_size_mb << 20);
	limit(RLIMIT_NOFILE, (u64)config->max_open_files);
	limit(RLIMIT_CORE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		give_up(report, "cannot set no_new_privs");
	(void)setenv("PATH", FLOW_TOOL_PATH, 1); /* where execvpe() looks */
	(void)execvpe(tool->argv[0], tool->argv, tool->envp);
	give_up(report, tool->argv[0]);
}
