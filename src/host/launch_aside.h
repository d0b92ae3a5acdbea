/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that the supervisor of a cell starts in it by itself, as call_usermodehelper() of the kernel does: by root, in "/", with no streams, in the
 * namespaces and the tree in which the cell began.
 */
#ifndef LICHEN_HOST_LAUNCH_ASIDE_H
#define LICHEN_HOST_LAUNCH_ASIDE_H

#include "host/cell_fds.h"
#include "host/launch.h"

struct supervisor;

struct aside {
	const struct launch *cell;
	const struct cell_fds *fds;
	const struct supervisor *supervisor;
	pid_t guest; /* the cell's first process */
};

/* Starts argv[0], which is a path, and does not wait for it: supervise_wait() reaps it; it ends with the supervisor. 0 or negative errno. */
int launch_aside(const struct aside *aside, char *const argv[], char *const envp[]) MUST_CHECK;

#endif
