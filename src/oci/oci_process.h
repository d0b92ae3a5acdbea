/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process becomes before it executes a container's program, the first one or one of `exec`. Steps in the order of this header; each returns 0 or
 * negative errno with the error filled, and what was asked for as a protection and cannot be had is an error.
 */
#ifndef LICHEN_OCI_OCI_PROCESS_H
#define LICHEN_OCI_OCI_PROCESS_H

#include <limits.h>

#include "oci/oci_seccomp.h"

/* The OOM score, limits, a session keyring of its own (NULL: the caller's), AppArmor's profile and SELinux's label for the program. */
int oci_process_limit(const struct oci_process *process, struct oci_notes *notes, struct oci_error *error) MUST_CHECK;
void oci_process_keyring(const char *id, struct oci_notes *notes);
int oci_process_label(const struct oci_process *process, struct oci_error *error) MUST_CHECK;

/* Takes the network away from a container that was to have its own, and could not. */
int oci_process_no_network(struct oci_error *error) MUST_CHECK;

/* In the container's tree: its environment with HOME, and which file its program is. free(3) *ret_env. */
int oci_process_find(const struct oci_process *process, char program[PATH_MAX], char ***ret_env,
		     struct oci_error *error) MUST_CHECK;

/* A filter that may be installed only with privilege, capabilities, groups and user, the working directory. A filter that needs none is left to
 * the caller, as the last step. */
int oci_process_become(const struct oci_process *process, const struct oci_seccomp *seccomp, struct oci_notes *notes,
		       struct oci_error *error) MUST_CHECK;

/* Whether the filter is the last step. */
bool oci_process_filters_last(const struct oci_process *process);

#endif
