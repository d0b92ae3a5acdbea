/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.yaml: what the operator allows every flow. Its keys are AKIOS's, with AKIOS's defaults, and some of lichen's own; flow_config.def lists them.
 *
 * A flow file may come from elsewhere; config.yaml does not: a step's own `config` can narrow what stands here, never widen it.
 */
#ifndef LICHEN_FLOW_FLOW_CONFIG_H
#define LICHEN_FLOW_FLOW_CONFIG_H

#include "config/yaml_strict.h"

#define FLOW_REDACTION_KEY 32u

struct flow_strings {
	const char **words; /* NULL-terminated */
	size_t count;
};

struct flow_config {
	/* AKIOS's */
	u64 cpu_limit; /* thousandths of a processor */
	s64 memory_limit_mb, max_open_files, max_file_size_mb;
	struct flow_strings allowed_domains, allowed_commands;
	const char *redaction_strategy; /* "mask", "hash", "remove" */
	s64 max_tokens_per_call;
	u64 budget_limit_per_run; /* nano-dollars */
	const char *audit_storage_path, *audit_export_format;
	const char *environment; /* "development", "testing"; "production": sandbox_enabled is true */
	const char
		*log_level; /* of what is told on stderr: "DEBUG", "INFO": each step; "WARNING", "ERROR": those that are not ok */
	s64 audit_retention_days, audit_archive_days;
	bool sandbox_enabled, network_access_allowed, pii_redaction_enabled, cost_kill_enabled, audit_enabled, audit_export_enabled;
	/* lichen's */
	struct flow_strings allowed_paths; /* directories that steps may name in theirs */
	struct flow_strings quiet_denials; /* report.quiet of the policy of tools */
	s64 max_steps, max_retries;
	u64 max_run_time;        /* milliseconds */
	u64 max_output;          /* bytes of a step's output */
	const char *budget_file; /* NULL = the run's own */
	s64 max_tokens_per_run;  /* 0 = no limit but the budget */
	s64 http_requests_per_minute, max_response_mb;
	struct flow_strings allowed_private;        /* HOST:PORT within the machine or its networks, that the helper may call */
	const struct yaml_node *models, *providers; /* NULL = none; flow_models.h */

	u8 redaction_key[FLOW_REDACTION_KEY]; /* for "hash": flow_run() fills it in */
	struct yaml_node *root, *initial;     /* own the strings: the file's (NULL without one), the defaults' */
};

/* Reads the file's text; NULL: all defaults. 0, -EINVAL with error set, or -ENOMEM. */
int flow_config_parse(const char *text, size_t length, struct flow_config *ret, struct yaml_error *error) MUST_CHECK;
void flow_config_done(struct flow_config *config);

#endif
