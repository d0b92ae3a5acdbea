/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process in a container's namespaces. Those of pids, IPC, host names and networks that are given by path are entered by the runtime itself for the time of
 * the clone, and left again: so the child is its own, and it still sees the machine's tree. Users and mounts are entered by the child.
 */
#ifndef LICHEN_OCI_OCI_SPAWN_H
#define LICHEN_OCI_OCI_SPAWN_H

#include <sys/types.h>

#include "oci/oci_spec.h"

struct oci_spawn {
	const struct oci_namespace *namespaces; /* OCI_NAMESPACES of them */
	int (*child)(void *data);               /* what the child does, and exits with */
	void *data;
};

/* Returns the child's pid, or negative errno with the error. A new namespace of cgroups is the child's business: oci_spawn_enter(). */
pid_t oci_spawn(const struct oci_spawn *spawn, struct oci_error *error) MUST_CHECK;

/* In the child, once it is in its cgroup: a new namespace of cgroups, and the mounts that are given by path. */
int oci_spawn_enter(const struct oci_namespace *namespaces, struct oci_error *error) MUST_CHECK;

/*
 * Leaves away what this machine has not: the pid namespace where a further process could not enter it (gVisor), as `exec` must be able to; that of cgroups;
 * a new one of the network, in whose place a filter then refuses all sockets but AF_UNIX (spec->no_network, host/network.h).
 */
void oci_spawn_check(struct oci_spec *spec, struct oci_notes *notes);

/* Writes the mappings of a child in a new user namespace. */
int oci_spawn_map(const struct oci_spec *spec, pid_t pid, struct oci_error *error) MUST_CHECK;

/* Enters those of `pid` that `asked` says, but for that of pids. *ret_no_network: that of the network cannot be entered on this machine (gVisor): the
 * process must get none … */
int oci_join(pid_t pid, const bool asked[OCI_NAMESPACES], bool *ret_no_network, struct oci_error *error) MUST_CHECK;
/* … which is for children that are made afterwards. */
int oci_join_pids(pid_t pid, const bool asked[OCI_NAMESPACES], struct oci_error *error) MUST_CHECK;

#endif
