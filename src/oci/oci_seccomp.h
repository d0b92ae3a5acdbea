/* SPDX-License-Identifier: Apache-2.0 */
/*
 * linux.seccomp: compiled by libseccomp before the container's process is there, so that what is wrong with it is told early, and installed by that
 * process with one system call. Calls that this libseccomp does not know are left out of the rules, as with runc: the default action is theirs.
 */
#ifndef LICHEN_OCI_OCI_SECCOMP_H
#define LICHEN_OCI_OCI_SECCOMP_H

#include <linux/filter.h>

#include "oci/oci_spec.h"

struct oci_seccomp {
	struct sock_filter *program; /* NULL = none */
	u16 length;
	u32 flags; /* SECCOMP_FILTER_FLAG_… */
};

/* seccomp NULL: no filter. free(3) the program. 0 or negative errno with the error. */
int oci_seccomp_compile(json_t *seccomp, struct oci_seccomp *ret, struct oci_error *error) MUST_CHECK;
/* Installs it in the calling process. 0 or negative errno. */
int oci_seccomp_install(const struct oci_seccomp *seccomp) MUST_CHECK;

/* For `features`: names as the specification has them, NULL at the end. */
const char *oci_seccomp_action_name(size_t index);
const char *oci_seccomp_operator_name(size_t index);
const char *oci_seccomp_arch_name(size_t index);
const char *oci_seccomp_flag_name(size_t index);

#endif
