/* SPDX-License-Identifier: Apache-2.0 */
/* What `lichen why` says: as text for 80 columns, as JSON (docs/why-json.md), as one HTML page. */
#ifndef LICHEN_CLI_WHY_REPORT_H
#define LICHEN_CLI_WHY_REPORT_H

#include <stdio.h>

#include "why/finding.h"

struct why_report {
	const struct model *model;
	const struct verdict *verdict;
	const struct circumstances *circumstances;
	bool not_started; /* the command did not begin */
};

/* The verdict in one sentence with its full stop. Returns `text`. */
const char *why_verdict(const struct why_report *report, char *text, size_t size);

/* Who met a finding: "dockerd (pid 12, thread 14)". Returns `text`. */
const char *why_who(const struct why_report *report, const struct finding *finding, char *text, size_t size);

/* Of which kind the cause is: "gap", "privilege", "configuration", "program", "limit", "unknown". */
const char *why_kind(const struct finding *finding);

/* The last lines that a failed run printed; at most `max`. Returns how many. */
size_t why_last_words(const struct why_report *report, const struct model_line *lines[], size_t max);

void why_print_text(const struct why_report *report, FILE *to);
/* One JSON object and a newline. Returns 0 or -ENOMEM. */
int why_print_json(const struct why_report *report, FILE *to) MUST_CHECK;
/* Returns 0 or the negative errno of writing it. */
int why_print_html(const struct why_report *report, FILE *to) MUST_CHECK;

#endif
