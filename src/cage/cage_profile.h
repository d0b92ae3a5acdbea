/* SPDX-License-Identifier: Apache-2.0 */
/*
 * processes.syscalls: a seccomp profile as Docker or the OCI runtime specification (config-linux.md, "Seccomp") writes it. It is in force besides lichen's own
 * list, never instead of it: what either refuses is refused. To allow what the list does not have, processes.allow names it.
 *
 * Docker's form has more: archMap, and rules that hold with some capabilities, architectures or kernels (includes, excludes). They are judged for
 * x86-64, without any capability, and for this kernel. The cage ends what makes calls of other architectures.
 */
#ifndef LICHEN_CAGE_CAGE_PROFILE_H
#define LICHEN_CAGE_CAGE_PROFILE_H

#include "cage/policy.h"
#include "oci/oci_seccomp.h"

#define CAGE_PROFILE_MAX (1u << 20) /* bytes */

/* Compiles a profile. free(3) ret->program. 0, or negative errno with the error. */
int cage_profile_read(const char *json, size_t size, struct oci_seccomp *ret, struct oci_error *error) MUST_CHECK;
/* The same for the one that a policy names; none: an empty one. 0, -EINVAL with the error of the policy, or -ENOMEM. */
int cage_profile_load(const struct cage_policy *policy, struct oci_seccomp *ret, struct cage_policy_error *error) MUST_CHECK;

#endif
