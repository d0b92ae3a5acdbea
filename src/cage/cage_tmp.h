/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.tmp: a directory for temporary files that is the run's own. It lies where temporary files do (TMPDIR, /tmp), is a rule of files.write like any other, and
 * TMPDIR of the command names it. What is in it can be executed if that can be done with something else that the command may write, too. After the run it is
 * removed; after a lichen that was killed, by the next one, while its command runs: where temporary files lie there may be thousands.
 */
#ifndef LICHEN_CAGE_CAGE_TMP_H
#define LICHEN_CAGE_CAGE_TMP_H

#include <limits.h>
#include <pthread.h>

#include "cage/policy.h"
#include "host/mount_scratch.h"

struct cage_tmp {
	struct mount_scratch scratch;
	char path[PATH_MAX]; /* in it, the command's: without symbolic links */
	pthread_t sweeper;
	bool sweeps;
};
#define CAGE_TMP_NONE ((struct cage_tmp){ .scratch = MOUNT_SCRATCH_NONE })

/* Makes one if the policy wants it, and adds it to the policy, which must not outlive it. 0 or negative errno. */
int cage_tmp_begin(struct cage_policy *policy, struct cage_tmp *ret) MUST_CHECK;
/* When the command has been let go: begins to look for what others left, in a thread. One that was not made is fine. */
void cage_tmp_sweep(struct cage_tmp *tmp);
/* Removes it. One that was not made is fine. */
void cage_tmp_end(struct cage_tmp *tmp);

#endif
