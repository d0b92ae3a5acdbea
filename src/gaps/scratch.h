/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A directory for one probe: <TMPDIR, /tmp, /var/tmp, /dev/shm or /run>/lichen-probe-PID, the first of these that can be written.
 * The name follows from the probe's pid alone, so that whoever reaps a probe that was killed can clear up after it.
 */
#ifndef LICHEN_GAPS_SCRATCH_H
#define LICHEN_GAPS_SCRATCH_H

#include <sys/types.h>

#include "base/types.h"

#define SCRATCH_PATH_MAX 256

/* What a probe that finds no place says it tried. */
#define SCRATCH_TRIED "writing in TMPDIR, /tmp, /var/tmp, /dev/shm or /run"

/* Makes the calling process's directory (mode 0700) and writes its path. Returns 0 or the negative errno of the last place tried. */
int scratch_make(char path[SCRATCH_PATH_MAX]) MUST_CHECK;

/* Removes what process `pid` made there and detaches what it mounted. It knows the names that probes use; a probe that wants another
 * name adds it to the lists in scratch.c. Needs no descriptor. */
void scratch_remove(pid_t pid);

/* An open, already unlinked file for reading and writing in the calling process's scratch directory's place: a descriptor, or
 * negative errno. */
int scratch_file(void) MUST_CHECK;

#endif
