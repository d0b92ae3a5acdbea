/* SPDX-License-Identifier: Apache-2.0 */
/* How `lichen audit` prints: entries as text, lines or CSV, and what it has found, as text or JSON (docs/audit-json.md). */
#ifndef LICHEN_CLI_AUDIT_OUT_H
#define LICHEN_CLI_AUDIT_OUT_H

#include <jansson.h>
#include <stdio.h>

#include "audit/audit_verify.h"

#define AUDIT_CSV_HEAD "seq,time,type,run,status,command,event\r\n"

/* Which entries; NULL = all. */
struct audit_filter {
	const char *run, *type;
};

struct audit_print;

/* Prints one entry; `event`: what it says, NULL when it is no JSON. */
typedef void audit_printer(const struct audit_print *print, const json_t *event, const char *text, size_t size);

struct audit_print {
	const struct audit_found *found; /* which runs have no end */
	const struct audit_filter *filter;
	FILE *to;
	audit_printer *print;
	u64 printed; /* so many entries */
};

audit_printer audit_print_text, audit_print_line, audit_print_csv;

/* For audit_tree_each(); data: struct audit_print. Stops when the stream fails. */
int audit_print_entry(void *data, u64 index, const u8 *entry, size_t size);

struct audit_report {
	const char *path;
	const struct audit_view *view;
	const struct audit_found *found;
	const struct audit_error *error; /* NULL = the log is whole */
	bool own_key;                    /* nobody has said which key it must be */
};

/* For people: what `lichen audit verify` says of a log that is whole. */
void audit_report_print(const struct audit_report *report, FILE *to);
/* NULL without memory. */
json_t *audit_report_json(const struct audit_report *report) MUST_CHECK;

/* "witnessed by NAME, TIME"; seconds: since 1970. */
void audit_print_witness(const char *name, u64 seconds, FILE *to);

#endif
