/* SPDX-License-Identifier: Apache-2.0 */
/* Makes pseudo terminals. */
#ifndef LICHEN_HOST_PTY_H
#define LICHEN_HOST_PTY_H

#include <sys/types.h>

#include "base/types.h"

/* A pair, both ends close-on-exec, the master non-blocking. member: 0, or a process whose /dev/pts it belongs to. 0 or negative errno. */
int pty_new(pid_t member, int *ret_master, int *ret_slave) MUST_CHECK;

#endif
