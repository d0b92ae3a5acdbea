/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy from what a command used (`lichen run --learn`): the run is not confined, its calls that worked are recorded (TRACE_USES), and what they needed
 * becomes a policy under which the same command runs again.
 *
 *   programs     by name, with their interpreters and libraries; a directory of them when more than EXECUTES_MOST of it were used
 *   files read   by name; a directory below /usr and the like, or at or below the working directory, when MERGE_AT or more of its entries were read
 *   temporary    files.tmp, for what was made below the directory that the run has for it; and in /dev/shm, where a cage has one of its own and nothing was
 *                used in it that the run had not made
 *   written      by name when they were there before; else, and for what was made, removed or renamed, the directory
 * Neither / nor the home directory, nor what is above it, becomes a rule: what would need that is left out and told in a comment. Connections to networks
 * make network.mode host: names of hosts are not known here. What was only looked at (stat, access) makes no rule.
 */
#ifndef LICHEN_CAGE_LEARN_H
#define LICHEN_CAGE_LEARN_H

#include <stdio.h>

#include "abi/trace.h"
#include "base/types.h"

#define LEARN_PATHS_MOST 100000u /* what comes behind is left out, and counted */

struct cage_learner;

/* `workdir` is where the command starts, `home` the user's directory (NULL: not known), `tmp` the run's own for temporary files (cage_tmp.h; NULL: none); all
 * absolute. `shm`: a cage here has a /dev/shm of its own. 0 or -ENOMEM. */
int cage_learner_new(const char *workdir, const char *home, const char *tmp, bool shm, struct cage_learner **ret) MUST_CHECK;
/* A struct launch_trace.take, whose data is a struct cage_learner. */
void cage_learner_take(void *data, const struct trace_record *record);
/* Writes the policy. `lost`: records that did not arrive. 0 or negative errno. */
int cage_learner_write(struct cage_learner *learner, u64 lost, FILE *to) MUST_CHECK;
void cage_learner_free(struct cage_learner *learner);

#endif
