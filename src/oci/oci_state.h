/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers on disk. The directory ROOT/ID has
 *
 *   state.json   written new and renamed; what cannot be known otherwise: the process, the bundle, cgroups, what was left away
 *   config.json  as it was at `create`: `exec` and the hooks at the end are by it, whatever becomes of the bundle
 *   exec.fifo    its reader is the container's first process, from before it is there until it executes its program
 *
 * How a container is doing is derived, never written: the process exists if its pid has its start time; it is `created` while somebody reads the FIFO,
 * whose open(2) says so; paused if its cgroup is frozen. So a lichen that was killed leaves nothing that is wrong, only something to delete. A directory
 * without state.json is what a `create` left that was killed early: it is no container, and the next `create` takes it.
 *
 * flock(2) on the directory is held by whoever changes a container.
 */
#ifndef LICHEN_OCI_OCI_STATE_H
#define LICHEN_OCI_OCI_STATE_H

#include "oci/oci_spec.h"

#define OCI_ID_MAX 1024u
#define OCI_FIFO "exec.fifo"
#define OCI_ANNOTATION_OMITTED "io.lichen.omitted" /* of `state`: what oci_note() said at `create` */

enum oci_status {
	OCI_CREATING, /* by a lichen that still lives, or that was killed */
	OCI_CREATED,
	OCI_RUNNING,
	OCI_PAUSED,
	OCI_STOPPED,
};
const char *oci_status_name(enum oci_status status);

struct oci_container {
	int dir;      /* its directory */
	char *id;     /* its name */
	json_t *data; /* state.json */
};
#define OCI_CONTAINER_NONE                               \
	(struct oci_container)                           \
	{                                                \
		.dir = FD_NONE, .id = NULL, .data = NULL \
	}

/* Makes the directory of a container that is not there, and locks it. 0 or negative errno with the error. */
int oci_container_new(const char *root, const char *id, struct oci_container *ret, struct oci_error *error) MUST_CHECK;
/* Opens one; lock: waits for others that change it. -ENOENT: there is none. */
int oci_container_open(const char *root, const char *id, bool lock, struct oci_container *ret, struct oci_error *error) MUST_CHECK;
void oci_container_done(struct oci_container *container);
/* Writes state.json. */
int oci_container_save(const struct oci_container *container, struct oci_error *error) MUST_CHECK;
/* Removes the directory. */
int oci_container_remove(const char *root, struct oci_container *container, struct oci_error *error) MUST_CHECK;
/* The ids below `root`, sorted, NULL-terminated; free(3) each and the list. No such directory: none. NULL = no memory. */
char **oci_container_list(const char *root);

/* Its first process. */
pid_t oci_container_pid(const struct oci_container *container);
/* The start time of a process, in clock ticks after boot; 0 = there is none, or it is a zombie. */
u64 oci_process_started(pid_t pid);
bool oci_container_alive(const struct oci_container *container);
enum oci_status oci_container_status(const struct oci_container *container);

/* The configuration that it was created with: oci_spec_done() it. */
int oci_container_spec(const struct oci_container *container, struct oci_spec *ret, struct oci_error *error) MUST_CHECK;
/* What the specification calls the state, as hooks and `state` have it: json_decref() it. NULL = no memory. */
json_t *oci_container_state(const struct oci_container *container, enum oci_status status);

/* Pids of its processes, by its cgroup, and by its mount namespace, which no process of another has; free(3) *ret. The count or negative errno. */
int oci_container_processes(const struct oci_container *container, pid_t **ret) MUST_CHECK;

#endif
