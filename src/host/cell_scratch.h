/* SPDX-License-Identifier: Apache-2.0 */
/* `scratch` of a cell's directory: what stands in for file systems of its own where the agent makes the tree (cli/guest_mounts.c). */
#ifndef LICHEN_HOST_CELL_SCRATCH_H
#define LICHEN_HOST_CELL_SCRATCH_H

#include "host/mount_spec.h"

/* Empties what is a tmpfs to the cell, before its command is started again. cell: its directory. Best effort. */
void cell_scratch_clear(int cell, const struct mount_specs *mounts);

#endif
