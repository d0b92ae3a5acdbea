/* SPDX-License-Identifier: Apache-2.0 */
/* What doctor and `run --explain` say, as tables, pages and JSON. Formats: docs/doctor-json.md. */
#ifndef LICHEN_CLI_REPORT_H
#define LICHEN_CLI_REPORT_H

#include <stdio.h>

#include "host/native_plan.h"
#include "host/plan.h"
#include "host/program_needs.h"

/* What doctor found out. */
struct diagnosis {
	struct plan plan;                    /* made without any request, all gaps probed */
	const char *workload;                /* as --for names it; NULL = no workload was asked about */
	u32 needs;                           /* gaps the workload cannot do without; 0 without a workload */
	u32 uses;                            /* gaps it can use, and goes on without; they decide nothing */
	u32 unmet;                           /* those of `needs` that are neither native nor filled */
	const struct program_needs *program; /* how that is known, when the workload is a program; else NULL */
	struct native_plan containers;       /* who makes their roots, the kernel or the agent */
};

/* "native", "filled", "missing", "blocked" or "unknown". */
const char *row_state(const struct plan_row *row);

/* The gaps that a report shows: the workload's, or all without a workload. */
u32 diagnosis_shown(const struct diagnosis *diagnosis);

/* What the program uses that is neither native nor filled, and what to do, one sentence; "" when there is no such thing. Returns `text`. */
const char *diagnosis_remark(const struct diagnosis *diagnosis, char *text, size_t size);

/* What is supplied in part by a row that lichen fills (gap->limits), NULL when nothing is or lichen does not fill it. */
const char *const *row_limits(enum gap_id id, const struct plan_row *row);

/* Who makes roots of containers here, and why: one sentence; "" when a workload was asked about. Returns `text`. */
const char *diagnosis_containers(const struct diagnosis *diagnosis, char *text, size_t size);

/* The verdict in words, one sentence with its full stop. Returns `text`. */
const char *diagnosis_verdict(const struct diagnosis *diagnosis, char *text, size_t size);

/* The table: the workload's gaps, or all without a workload. */
void diagnosis_print(const struct diagnosis *diagnosis, FILE *to);

/* One JSON object and a newline. Returns 0 or -ENOMEM. */
int diagnosis_print_json(const struct diagnosis *diagnosis, FILE *to) MUST_CHECK;

/* The same content as a page, with evidence and advice in full. Returns 0 or the negative errno of writing it. */
int diagnosis_print_html(const struct diagnosis *diagnosis, FILE *to) MUST_CHECK;

/* What stands below a page's title: version, host, time. */
void report_subtitle(char *text, size_t size);

/* What a run will do: `command` is NULL-terminated, or NULL when none was given. */
void plan_print(const struct plan *plan, const struct native_plan *tree, char *const *command, FILE *to);
int plan_print_json(const struct plan *plan, const struct native_plan *tree, char *const *command, FILE *to) MUST_CHECK;

#endif
