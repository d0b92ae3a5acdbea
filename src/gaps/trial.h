/* SPDX-License-Identifier: Apache-2.0 */
/* A probe's step in a process of its own: for steps that change the process for good (namespaces, identity, filters). */
#ifndef LICHEN_GAPS_TRIAL_H
#define LICHEN_GAPS_TRIAL_H

#include "base/types.h"

/*
 * Forks and runs step(arg) in the child. Returns what it returned (0 to 254: 0 or a positive errno), EINTR when the child was
 * killed by a signal, or the errno of fork. What the step changes in memory is lost, files and kernel objects are not.
 */
int trial_run(int (*step)(void *arg), void *arg) MUST_CHECK;

#endif
