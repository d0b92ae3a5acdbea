/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cgroups of a container: a JSON object, which its state.json keeps: {"memory": "/sys/fs/cgroup/memory/PATH", …} for the hierarchies of v1 that are
 * mounted, {"": "/sys/fs/cgroup/PATH"} for v2. Where: linux.cgroupsPath below the mount point if it is absolute, else below our own cgroup; without one, ID
 * there. A hierarchy in which no directory can be made is left out, and said; a limit that needs it is then refused.
 *
 *   oci_cgroup.c          places, processes, freezing
 *   oci_cgroup_limit.c    linux.resources
 *   oci_cgroup_device.c   which devices may be used: v1 files, v2 an eBPF program
 *   oci_cgroup_stats.c    figures for `events`
 */
#ifndef LICHEN_OCI_OCI_CGROUP_H
#define LICHEN_OCI_OCI_CGROUP_H

#include <sys/types.h>

#include "oci/oci_spec.h"

/* Makes them. json_decref() *ret. 0 or negative errno with the error. */
int oci_cgroup_make(const char *path, const char *id, json_t **ret, struct oci_notes *notes, struct oci_error *error) MUST_CHECK;
/* Sets what `resources` asks for; devices: the rules for devices as well, which later updates leave alone. NULL: nothing. */
int oci_cgroup_limit(json_t *cgroup, json_t *resources, bool devices, struct oci_notes *notes, struct oci_error *error) MUST_CHECK;
/* Puts a process into them. */
int oci_cgroup_enter(json_t *cgroup, pid_t pid, struct oci_error *error) MUST_CHECK;
/* Pids of their members, and of those below; free(3) *ret. The count or negative errno. */
int oci_cgroup_processes(json_t *cgroup, pid_t **ret) MUST_CHECK;
/* Stops or resumes all of them; -EOPNOTSUPP: there is no freezer. */
int oci_cgroup_freeze(json_t *cgroup, bool freeze, struct oci_error *error) MUST_CHECK;
bool oci_cgroup_frozen(json_t *cgroup);
/* Removes them with those below; they are empty. 0 or negative errno. */
int oci_cgroup_remove(json_t *cgroup, struct oci_error *error) MUST_CHECK;
/* What runc's `events --stats` tells as data. NULL = no memory. */
json_t *oci_cgroup_stats(json_t *cgroup);

/* The directory of a controller, that of v2 as well if it has the controller; NULL = none. */
const char *oci_cgroup_place(json_t *cgroup, const char *controller);
bool oci_cgroup_is_v2(json_t *cgroup);
/* One file in a directory. 0 or negative errno; read: without the newline at its end. */
int oci_cgroup_write(const char *dir, const char *file, const char *text) MUST_CHECK;
int oci_cgroup_read(const char *dir, const char *file, char *text, size_t size) MUST_CHECK;

/* oci_cgroup_device.c. rules: linux.resources.devices. */
int oci_cgroup_devices(json_t *cgroup, json_t *rules, struct oci_notes *notes, struct oci_error *error) MUST_CHECK;

#endif
