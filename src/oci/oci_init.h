/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's first process, from clone(2) to its program; the runtime's side is oci_create.c.
 *
 *   1 waits until the runtime has put it into its cgroups and written the mappings of its users (channel: G)
 *   2 session, namespaces of cgroups; who it is in a new namespace of users; loopback
 *   3 its tree (oci_rootfs.h); the runtime runs the hooks prestart and createRuntime meanwhile (H, G), it createContainer
 *   4 enters the tree; host name, terminal, what is read-only and masked
 *   5 limits, labels; who its program is and what that may (oci_process.h)
 *   6 says that it is ready (R), and reads exec.fifo until `start` writes: the container is `created`
 *   7 hooks startContainer, the filter of system calls, execve(2)
 *
 * Until 6 it dies with the runtime. All descriptors but its streams and those that are handed on are closed on execve.
 */
#ifndef LICHEN_OCI_OCI_INIT_H
#define LICHEN_OCI_OCI_INIT_H

#include "oci/oci_process.h"
#include "oci/oci_rootfs.h"

struct oci_init {
	const char *id;
	struct oci_rootfs rootfs;
	const struct oci_seccomp *seccomp;
	json_t *state; /* what hooks get; the pid is filled in */
	int channel;
	int runtime_end, directory; /* the runtime's, which are closed: a lock goes with the last descriptor */
	int fifo;
	int console; /* negative: no terminal */
	bool no_new_keyring;
	struct oci_notes notes;
	struct oci_error error;
};

/* An oci_spawn.child: data is the struct oci_init. Does not come back but to fail. */
int oci_init_main(void *data);

/* The last step: never comes back. */
NORETURN void oci_init_execute(const struct oci_process *process, const struct oci_seccomp *seccomp, const char *program,
			       char *const *env);
/* Signals as a program finds them. */
void oci_init_signals(void);

#endif
