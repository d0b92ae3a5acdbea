/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first process of a cage's pid namespace. It starts the guest, passes signals on to it, and takes the ends of what loses its parent; when the guest ends it
 * ends as that did, and with it, by the kernel, all that is left. The guest itself is no pid 1: signals mean to it what they always do.
 */
#ifndef LICHEN_CAGE_CAGE_INIT_H
#define LICHEN_CAGE_CAGE_INIT_H

#include "base/types.h"

/* In pid 1, whose descriptors close_from() closes: returns in a child of it, the guest's process, which leads a session of its own. 0 or negative errno. */
int cage_init_begin(int highest) MUST_CHECK;

#endif
