/* SPDX-License-Identifier: Apache-2.0 */
/* A container's process in the foreground: signals are passed on to it, and its terminal is relayed to ours. */
#ifndef LICHEN_OCI_OCI_WAIT_H
#define LICHEN_OCI_OCI_WAIT_H

#include <signal.h>
#include <sys/types.h>

#include "oci/oci_error.h"

/* Before the process is made: signals wait for oci_wait(), so that none is lost. *ret_old: the mask to be put back for children. */
int oci_wait_begin(sigset_t *ret_old) MUST_CHECK;

/* Waits for the end of a child; master: of its terminal, or negative. Returns its exit status, 128 + N for signal N; or negative errno. Our terminal is as it
 * was afterwards. */
int oci_wait(pid_t pid, int master) MUST_CHECK;

#endif
