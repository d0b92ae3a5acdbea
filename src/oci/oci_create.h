/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a container, as the verbs of the command line have it: what is common to them, and to whom they belong, is in oci_state.h. Each returns 0 or
 * negative errno with the error filled.
 *
 *   oci_create.c   create      oci_control.c   start, kill, delete      oci_exec.c   exec
 */
#ifndef LICHEN_OCI_OCI_CREATE_H
#define LICHEN_OCI_OCI_CREATE_H

#include "oci/oci_state.h"

struct oci_create {
	const char *root, *id, *bundle;
	const char *pid_file; /* NULL = none */
	int console;          /* of oci_console_connect(); negative: there is none */
	bool console_offered; /* it is used if the configuration wants a terminal; else it is an error if it does not */
	bool no_pivot, no_new_keyring;
	u32 preserve_fds; /* besides the three streams */
};

/* Whatever fails, nothing is left. *ret_pid: the first process, a child of the caller. */
int oci_create(const struct oci_create *create, pid_t *ret_pid, struct oci_notes *notes, struct oci_error *error) MUST_CHECK;

/* Lets a created container's program run, and waits until it does. */
int oci_start(const char *root, const char *id, struct oci_error *error) MUST_CHECK;
/* all: every process of it, also when the first has ended. */
int oci_kill(const char *root, const char *id, int sig, bool all, struct oci_error *error) MUST_CHECK;
/* force: also one that runs, and one that there is not. */
int oci_delete(const char *root, const char *id, bool force, struct oci_error *error) MUST_CHECK;

struct oci_exec {
	const char *root, *id;
	const struct oci_process *process;
	const char *pid_file;
	int console;
	u32 preserve_fds;
	bool ignore_paused;
	struct oci_notes *notes; /* filled */
};

/* Runs a further process in a container. *ret_pid: a child of the caller. */
int oci_exec(const struct oci_exec *exec, pid_t *ret_pid, struct oci_error *error) MUST_CHECK;

/* A file with a pid, as a whole or not at all. */
int oci_write_pid(const char *path, pid_t pid, struct oci_error *error) MUST_CHECK;
/* All descriptors above the streams and `preserve` more are closed on execve(2). */
int oci_close_on_exec(u32 preserve, struct oci_error *error) MUST_CHECK;

#endif
