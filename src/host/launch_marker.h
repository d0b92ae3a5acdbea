/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent is told in the environment of its first image. */
#ifndef LICHEN_HOST_LAUNCH_MARKER_H
#define LICHEN_HOST_LAUNCH_MARKER_H

#include <signal.h>

#include "host/launch.h"

/* The guest's environment with the agent's marker behind it; the marker names the path to execute. mask: that the guest starts with. NULL without
 * memory; never freed: an execve follows. */
char **launch_marked_env(const struct launch *spec, const struct cell_fds *fds, const char *path, const sigset_t *mask) MUST_CHECK;

#endif
