/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory of the host for a run: a cell's own file systems lie in it (agent/fs_mount.h), a cage's temporary files. Who makes it holds a lock of it (flock) until it is removed: what is
 * found without one was left by a lichen that was killed, and is removed by the next that makes one.
 */
#ifndef LICHEN_HOST_MOUNT_SCRATCH_H
#define LICHEN_HOST_MOUNT_SCRATCH_H

#include "abi/commons.h"
#include "base/types.h"

#define MOUNT_SCRATCH_SIZE 256u /* as in struct commons */

struct mount_scratch {
	int lock;
	char path[MOUNT_SCRATCH_SIZE];
};
#define MOUNT_SCRATCH_NONE ((struct mount_scratch){ .lock = -9 })

/* Makes one in TMPDIR, /tmp or /var/tmp, not on a tmpfs first: for what may be much. 0 or the negative errno of the last place that was tried. What others left there is for mount_scratch_sweep_disk(). */
int mount_scratch_make_on_disk(struct mount_scratch *ret) MUST_CHECK;
/* Makes one for a cell, whose commons tell where it is, and how overlays that the guest mounts can be kept there. */
int mount_scratch_stage(struct mount_scratch *ret, struct commons *commons) MUST_CHECK;
/* Removes those that a killed lichen has left, where they are made; but for the tmpfs. */
void mount_scratch_sweep(void);
void mount_scratch_sweep_disk(void);
/* Removes it with all that is in it. One that was not made is fine. */
void mount_scratch_end(struct mount_scratch *scratch);

#endif
