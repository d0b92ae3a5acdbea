/* SPDX-License-Identifier: Apache-2.0 */
/*
 * files.tmp: what is the run's own for temporary files, in two places.
 *
 * A directory. It lies where temporary files do (TMPDIR, /tmp), is a rule of files.write like any other, and
 * TMPDIR of the command names it. What is in it can be executed if that can be done with something else that the command may write, too. After the run it is
 * removed; after a lichen that was killed, by the next one, while its command runs: where temporary files lie there may be thousands.
 *
 * And /dev/shm, where libc keeps shared memory and semaphores that have names (shm_open(3), sem_open(3)): programs cannot be told another place. Where mounts
 * can be made it is a file system in memory that only the run has, which ends with it; nothing of it can be executed. Elsewhere there is none: what the
 * machine has there is shared by all. A policy with a rule that says something of /dev/shm means the machine's, and gets that.
 *
 * It is as large as the machine's (what --shm-size says, in a tree of its own), and no larger than half of the memory (limits.memory, else the machine's), so
 * that a full one says ENOSPC before somebody is killed for want of memory, and than limits.disk, whose count it is not in.
 */
#ifndef LICHEN_CAGE_CAGE_TMP_H
#define LICHEN_CAGE_CAGE_TMP_H

#include <limits.h>
#include <pthread.h>

#include "cage/layer.h"
#include "cage/policy.h"
#include "host/mount_scratch.h"

struct cage_tmp {
	struct mount_scratch scratch;
	char path[PATH_MAX]; /* in it, the command's: without symbolic links */
	pthread_t sweeper;
	bool sweeps;
};
#define CAGE_TMP_NONE ((struct cage_tmp){ .scratch = MOUNT_SCRATCH_NONE })

#define CAGE_SHM "/dev/shm"
struct cage_shm {
	char path[PATH_MAX]; /* /dev/shm, without symbolic links; "": it is the machine's */
	u64 size;            /* bytes, whole pages */
};

/* Makes a directory if the policy wants it, and adds it to the policy, which must not outlive it. 0 or negative errno. */
int cage_tmp_begin(struct cage_policy *policy, struct cage_tmp *ret) MUST_CHECK;
/* What /dev/shm is for a run on such a host; one of its own becomes a rule of the policy. 0 or -ENOMEM. */
int cage_tmp_shm(struct cage_policy *policy, const struct cage_host *host, struct cage_shm *ret) MUST_CHECK;
/* Whether such a host has one to give. */
bool cage_tmp_has_shm(const struct cage_host *host) MUST_CHECK;
/* When the command has been let go: begins to look for what others left, in a thread. One that was not made is fine. */
void cage_tmp_sweep(struct cage_tmp *tmp);
/* Removes the directory. One that was not made is fine. */
void cage_tmp_end(struct cage_tmp *tmp);

#endif
