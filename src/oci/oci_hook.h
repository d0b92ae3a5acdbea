/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: config.md, "POSIX-platform Hooks". Programs that get the container's state as JSON on their standard input. */
#ifndef LICHEN_OCI_OCI_HOOK_H
#define LICHEN_OCI_OCI_HOOK_H

#include "oci/oci_spec.h"

/* Runs the hooks of a time one after the other, until one fails. state: the text that they get. 0 or negative errno with the error. */
int oci_hooks_run(const struct oci_spec *spec, enum oci_hook_time time, const char *state, struct oci_error *error) MUST_CHECK;

#endif
