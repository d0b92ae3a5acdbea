/* SPDX-License-Identifier: Apache-2.0 */
/* Gets at a device whose node may be missing from /dev. */
#ifndef LICHEN_GAPS_DEVICE_NODE_H
#define LICHEN_GAPS_DEVICE_NODE_H

#include "base/types.h"

/* Whether `path` is the character device `device` (major << 8 | minor). */
bool device_node_is(const char *path, u32 device);

/*
 * Opens the character device (major << 8 | minor) with open(2) flags; of these only the access mode, O_APPEND and O_NONBLOCK count.
 * Tries, in this order: /dev/NAME here, /dev/NAME as process 1 sees it, a node made in a tmpfs that is mounted nowhere, a node made in
 * /tmp, /run or the working directory and unlinked at once. everybody: for somebody who may have less privilege than the caller; a node
 * whose permissions do not let everybody in then stays closed. mode: the permissions of a node that is made. Does not block. Returns a
 * close-on-exec descriptor or negative errno.
 */
int device_node_open(const char *name, u32 device, u32 mode, int flags, bool everybody) MUST_CHECK;

#endif
