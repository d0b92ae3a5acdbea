/* SPDX-License-Identifier: Apache-2.0 */
/* In which cgroup this process is (cgroups(7), /proc/PID/cgroup). */
#ifndef LICHEN_HOST_CGROUP_OWN_H
#define LICHEN_HOST_CGROUP_OWN_H

#include <limits.h>

#include "base/types.h"

/* Our own cgroup in a hierarchy, as /proc/self/cgroup has it: of a controller, of the controllers that are listed there, "" = v2. "" for the root, and for
 * one above the cgroup namespace. False: there is no such hierarchy. */
bool cgroup_own_path(const char *controllers, char path[PATH_MAX]);

#endif
