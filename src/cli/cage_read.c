// SPDX-License-Identifier: Apache-2.0
/* Policies for commands: see the header. */
#include "cli/cage_read.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"

static int refuse(const char *who, const char *line)
{
	fprintf(stderr, "%s: %s\n", who, line ? line : "out of memory");
	return line ? -EINVAL : -ENOMEM;
}

int cage_read_refuse(const char *who, const char *name, const struct cage_policy_error *error)
{
	CLEANUP_FREE char *line = cage_policy_error_line(name, error);
	return refuse(who, line);
}

int cage_read_policy(const char *who, const char *name, struct cage_policy **ret, struct cage_policy_error *error)
{
	CLEANUP_FREE char *line = NULL;
	return cage_policy_load(name, ret, &line, error) == 0 ? 0 : refuse(who, line);
}
