/* SPDX-License-Identifier: Apache-2.0 */
/* What the two halves of disk_usage share: files with names, and those without. */
#ifndef LICHEN_CAGE_DISK_USAGE_INT_H
#define LICHEN_CAGE_DISK_USAGE_INT_H

#include "cage/disk_usage.h"

/* Notes a file. 1: it is new, 0: it was counted, or negative errno with total->why. */
int disk_seen_add(struct disk_usage *usage, u64 device, u64 inode, struct disk_total *total) MUST_CHECK;
/* Whether a canonical path is `root` or below it. */
bool disk_is_below(const char *path, const char *root) MUST_CHECK;

#endif
