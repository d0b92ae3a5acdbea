/* SPDX-License-Identifier: Apache-2.0 */
/* What `lichen doctor --kernel-config` says, as a table, a page and JSON. Formats: docs/doctor-json.md. */
#ifndef LICHEN_CLI_CONFIG_REPORT_H
#define LICHEN_CLI_CONFIG_REPORT_H

#include <stdio.h>

#include "host/kernel_config.h"

/* What was asked, and what came of it. */
struct config_report {
	const char *path;     /* as the command line names it */
	const char *workload; /* as --for names it; NULL = none was asked about */
	const struct kernel_config *config;
	const struct config_advice *advice;
};

/* "built in", "module", "missing", or "dropped": set, and switched off by what it depends on. */
const char *config_state(const struct config_row *row);

/* The verdict in words. Returns `text`. */
const char *config_verdict(const struct config_report *report, char *text, size_t size);

/* The table: what is missing, and what to add; what is there in one paragraph. */
void config_print(const struct config_report *report, FILE *to);

/* One JSON object and a newline. Returns 0 or -ENOMEM. */
int config_print_json(const struct config_report *report, FILE *to) MUST_CHECK;

/* A page. Returns 0 or the negative errno of writing it. */
int config_print_html(const struct config_report *report, FILE *to) MUST_CHECK;

#endif
