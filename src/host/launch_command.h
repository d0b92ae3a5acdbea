/* SPDX-License-Identifier: Apache-2.0 */
/* Which program a command's first word means. */
#ifndef LICHEN_HOST_LAUNCH_COMMAND_H
#define LICHEN_HOST_LAUNCH_COMMAND_H

#include <limits.h>

#include "base/types.h"

/* Searches a command as execvp does, along PATH of envp: into `out` (PATH_MAX). 0, -ENOENT, or -EACCES when only unusable ones were found. */
int launch_find_command(const char *command, char *const *envp, char *out) MUST_CHECK;
/* The same, passing over what may() refuses, as execvp does what execve(2) refuses. A word with a slash is taken as it is. */
int launch_find_command_that(const char *command, char *const *envp, bool (*may)(const void *data, const char *path),
			     const void *data, char *out) MUST_CHECK;

/* In a tree of the cell's own its first program is searched by the agent: the word as it is. */
int launch_copy_command(const char *command, char *out) MUST_CHECK;

#endif
