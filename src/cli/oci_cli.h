/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of `lichen oci` share: its global options, and the log that containerd, dockerd and podman read. */
#ifndef LICHEN_CLI_OCI_CLI_H
#define LICHEN_CLI_OCI_CLI_H

#include <jansson.h>

#include "cli/options.h"
#include "oci/oci_error.h"

#define OCI_EXIT_FAILED 1 /* as runc: what it was is in the log */

struct oci_global {
	const char *root;
	const char *log; /* NULL = stderr */
	bool json, debug, systemd, version;
	const char *rootless; /* accepted: lichen finds out by itself */
};

struct oci_verb {
	struct command command; /* .run is not used */
	int (*run)(const struct oci_verb *verb, const struct oci_global *global, int argc, char **argv);
};

extern const struct oci_verb oci_verb_create, oci_verb_run, oci_verb_start, oci_verb_state, oci_verb_kill, oci_verb_delete,
	oci_verb_exec, oci_verb_ps, oci_verb_list, oci_verb_pause, oci_verb_resume, oci_verb_update, oci_verb_events, oci_verb_spec,
	oci_verb_features;

/* Logs an error, and says it on stderr if the log is a file. Returns OCI_EXIT_FAILED. */
int oci_failed(const struct oci_global *global, const char *what, const struct oci_error *error);
/* Logs what was left away. */
void oci_warn(const struct oci_global *global, const struct oci_notes *omitted);

/* Parses the options of a verb, and takes the container's id, which is the only argument unless `more`. Returns -1 to go on, else the exit status. */
int oci_verb_parse(const struct oci_verb *verb, int argc, char **argv, void *into, bool more, int *ret_first);
/* Prints JSON and drops it. indent: spaces; 0 = on one line. Returns the exit status. */
int oci_print(const struct oci_global *global, json_t *value, int indent);
/* An option_row.parse for a u32. */
int oci_parse_u32(void *field, const char *value, struct option_error *error);

#endif
