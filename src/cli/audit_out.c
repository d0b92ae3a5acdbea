// SPDX-License-Identifier: Apache-2.0
/* Prints logs: see the header. What stands in entries comes from outside: nothing of it reaches a terminal as a control character. */
#include "cli/audit_out.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/tame.h"
#include "cli/json_out.h"
#include "cli/words.h"
#include "lichen.h"

#define ENTRY_COLUMN 39u /* of what an entry says */

static const char *text_of(const json_t *event, const char *member)
{
	const char *text = json_string_value(json_object_get(event, member));
	return text ? text : "";
}

/* --- text ------------------------------------------------------------------------------------------------------------------------------- */

/* The words of a command, those with blanks or quotes as JSON strings. */
static void put_command(const json_t *words, FILE *to)
{
	const json_t *word;
	size_t i;
	json_array_foreach(words, i, word)
	{
		const char *text = json_string_value(word);
		bool quoted = !text || !*text || strpbrk(text, " \t\r\n\"'\\");
		CLEANUP_FREE char *quote = quoted ? json_dumps(word, JSON_ENCODE_ANY) : NULL;
		fprintf(to, " %s", quote ? quote : text ? text : "");
	}
}

static void put_gaps(const json_t *event, const char *member, const char *what, FILE *to)
{
	const json_t *row, *rows = json_object_get(event, member);
	size_t i;
	json_array_foreach(rows, i, row)
	{
		fprintf(to, "%s%s", i ? ", " : what, text_of(row, "gap"));
	}
}

/* A run without an end, or NULL. */
static const struct audit_open_run *open_run(const struct audit_found *found, const json_t *event)
{
	for (size_t i = 0; i < found->open_count; i++)
		if (strcmp(found->open[i].id, text_of(event, "run")) == 0)
			return &found->open[i];
	return NULL;
}

static json_int_t number_of(const json_t *event, const char *member)
{
	return json_integer_value(json_object_get(event, member));
}

/* What a step is about to do: the words of its tool, its file, its URL. */
static void put_target(const json_t *event, FILE *to)
{
	const char *path = text_of(event, "path"), *url = text_of(event, "url");
	const json_t *words = json_object_get(event, "command");
	if (words || *path || *url)
		fputc(':', to);
	put_command(words, to);
	fprintf(to, "%s%s%s%s", *path ? " " : "", path, *url ? " " : "", url);
}

/* Events of a flow. Returns whether it is one. */
static bool put_flow_event(const json_t *event, const char *type, const struct audit_open_run *open, FILE *to)
{
	if (strcmp(type, "flow.start") == 0) {
		fprintf(to, "flow \"%s\"%s%s", text_of(event, "name"),
			json_is_true(json_object_get(event, "sandbox")) ? "" : ", no sandbox",
			!open           ? ""
			: open->running ? " (running)"
					: " (truncated: the log has no end of it)");
	} else if (strcmp(type, "step.start") == 0) {
		fprintf(to, "step %" JSON_INTEGER_FORMAT ": %s %s", number_of(event, "step"), text_of(event, "agent"),
			text_of(event, "action"));
		put_target(event, to);
	} else if (strcmp(type, "step.end") == 0) {
		fprintf(to, "step %" JSON_INTEGER_FORMAT " %s, %" JSON_INTEGER_FORMAT " ms%s%s", number_of(event, "step"),
			text_of(event, "outcome"), number_of(event, "duration_ms"), *text_of(event, "error") ? ": " : "",
			text_of(event, "error"));
	} else if (strcmp(type, "step.skip") == 0) {
		fprintf(to, "step %" JSON_INTEGER_FORMAT " skipped: not %s", number_of(event, "step"), text_of(event, "condition"));
	} else if (strcmp(type, "flow.end") == 0) {
		fprintf(to, "flow %s, status %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " ms", text_of(event, "outcome"),
			number_of(event, "status"), number_of(event, "duration_ms"));
	} else {
		return false;
	}
	return true;
}

/* Layers that are not fully there. */
static void put_layers(const json_t *layers, FILE *to)
{
	size_t i;
	json_t *layer;
	json_array_foreach(layers, i, layer) if (strcmp(text_of(layer, "state"), "pass") != 0)
		fprintf(to, ", %s %s", text_of(layer, "layer"), text_of(layer, "state"));
}

/* Events of a cage. Returns whether it is one. */
static bool put_cage_event(const json_t *event, const char *type, FILE *to)
{
	const json_t *rule = json_object_get(event, "rule");
	if (strcmp(type, "run.policy") == 0) {
		fprintf(to, "cage %s", text_of(event, "policy"));
		put_layers(json_object_get(event, "layers"), to);
	} else if (strcmp(type, "denial") == 0) {
		fprintf(to, "denied%s %s %s%s%s", json_is_true(json_object_get(event, "quiet")) ? " as expected" : "",
			text_of(event, "what"), text_of(event, "object"), json_is_object(rule) ? " by " : "",
			json_is_object(rule) ? text_of(rule, "text") : "");
	} else if (strcmp(type, "network") == 0) {
		fprintf(to, "network: %s %s", text_of(event, "event"), text_of(event, "target"));
	} else if (strcmp(type, "run.limit") == 0) {
		fprintf(to, "limits.%s ended it", text_of(event, "limit"));
	} else if (strcmp(type, "learn") == 0) {
		fprintf(to, "not confined: its policy is learnt, %s", text_of(event, "policy"));
	} else {
		return false;
	}
	return true;
}

static void put_event(const struct audit_print *print, const json_t *event, FILE *to)
{
	const char *type = text_of(event, "type");
	const struct audit_open_run *open = open_run(print->found, event);
	if (strcmp(type, "run.start") == 0) {
		fputs("start", to);
		put_command(json_object_get(event, "command"), to);
		fputs(!open ? "" : open->running ? " (running)" : " (truncated: the log has no end of it)", to);
	} else if (strcmp(type, "run.plan") == 0) {
		bool none =
			!json_array_size(json_object_get(event, "filled")) && !json_array_size(json_object_get(event, "refused"));
		fputs(none ? "plan: nothing to fill" : "plan", to);
		put_gaps(event, "filled", ": filled ", to);
		put_gaps(event, "refused", ": refused ", to);
	} else if (strcmp(type, "run.end") == 0) {
		fprintf(to, "end, status %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT " ms",
			json_integer_value(json_object_get(event, "status")),
			json_integer_value(json_object_get(event, "duration_ms")));
		if (*text_of(event, "failure"))
			fprintf(to, ": %s", text_of(event, "failure"));
	} else if (strcmp(type, "log.created") == 0) {
		fprintf(to, "the log begins, by lichen %s", text_of(event, "lichen"));
	} else if (strcmp(type, "log.recovered") == 0) {
		fprintf(to, "a crash had torn the log: %" JSON_INTEGER_FORMAT " bytes that were not acknowledged",
			json_integer_value(json_object_get(event, "discarded_bytes")));
	} else if (!put_flow_event(event, type, open, to) && !put_cage_event(event, type, to)) {
		fputs(*type ? type : "no event", to);
	}
}

void audit_print_text(const struct audit_print *print, const json_t *event, const char *text, size_t size)
{
	char *said = NULL, time[20] = "", run[9] = "";
	size_t length;
	FILE *to = open_memstream(&said, &length);
	(void)text, (void)size;
	if (!to)
		return;
	put_event(print, event, to);
	if (fclose(to) == 0) {
		(void)snprintf(time, sizeof(time), "%s", text_of(event, "time"));
		(void)snprintf(run, sizeof(run), "%s", text_of(event, "run"));
		tame(time);
		tame(run);
		tame(said);
		fprintf(print->to, "%6" JSON_INTEGER_FORMAT "  %-19s  %-8s  ", json_integer_value(json_object_get(event, "seq")),
			time, run);
		text_wrap(said, ENTRY_COLUMN, print->to);
	}
	free(said);
}

/* --- lines ------------------------------------------------------------------------------------------------------------------------------ */

void audit_print_line(const struct audit_print *print, const json_t *event, const char *text, size_t size)
{
	(void)event;
	fwrite(text, 1, size, print->to);
	fputc('\n', print->to);
}

/* RFC 4180: quoted, quotes doubled. */
static void put_field(const char *text, size_t size, bool last, FILE *to)
{
	fputc('"', to);
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '"')
			fputc('"', to);
		fputc(text[i], to);
	}
	fputs(last ? "\"\r\n" : "\",", to);
}

void audit_print_csv(const struct audit_print *print, const json_t *event, const char *text, size_t size)
{
	const json_t *status = json_object_get(event, "status"), *words = json_object_get(event, "command");
	CLEANUP_FREE char *command = words ? json_dumps(words, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	fprintf(print->to, "%" JSON_INTEGER_FORMAT ",", json_integer_value(json_object_get(event, "seq")));
	for (int i = 0; i < 3; i++) {
		const char *field = text_of(event, ((const char *[]){ "time", "type", "run" })[i]);
		put_field(field, strlen(field), false, print->to);
	}
	if (json_is_integer(status))
		fprintf(print->to, "%" JSON_INTEGER_FORMAT, json_integer_value(status));
	fputc(',', print->to);
	put_field(command ? command : "", command ? strlen(command) : 0, false, print->to);
	put_field(text, size, true, print->to);
}

int audit_print_entry(void *data, u64 index, const u8 *entry, size_t size)
{
	struct audit_print *print = data;
	json_t *event = json_loadb((const char *)entry, size, 0, NULL);
	const struct audit_filter *filter = print->filter;
	(void)index;
	if ((!filter->run || strncmp(text_of(event, "run"), filter->run, strlen(filter->run)) == 0) &&
	    (!filter->type || strcmp(text_of(event, "type"), filter->type) == 0)) {
		print->print(print, event, (const char *)entry, size);
		print->printed++;
	}
	json_decref(event);
	return ferror(print->to) ? 1 : 0;
}

/* --- what was found --------------------------------------------------------------------------------------------------------------------- */

static u64 truncated(const struct audit_found *found)
{
	u64 count = 0;
	for (size_t i = 0; i < found->open_count; i++)
		count += !found->open[i].running;
	return count;
}

void audit_report_print(const struct audit_report *report, FILE *to)
{
	const struct audit_tree *tree = report->view->tree;
	const struct audit_found *found = report->found;
	struct merkle_hash root = merkle_edge_root(&tree->edge);
	char text[64], key[NOTE_KEY_TEXT];
	u64 cut = truncated(found);
	base64_put(text, root.bytes, sizeof(root.bytes));
	fprintf(to, "log        %s\n", report->view->key.name);
	fprintf(to, "entries    %" PRIu64 ", all as they were signed\n", tree->edge.size);
	fprintf(to, "root       %s\n", text);
	fprintf(to, "runs       %" PRIu64 " ended, %" PRIu64 " running, %" PRIu64 " truncated\n", found->ended,
		found->open_count - cut, cut);
	for (size_t i = 0; i < found->open_count; i++)
		if (!found->open[i].running)
			fprintf(to, "           truncated: run %s, which began with entry %" PRIu64 "\n", found->open[i].id,
				found->open[i].seq);
	if (found->recovered)
		fprintf(to, "recovered  %" PRIu64 " times after a crash; see `lichen audit show --type=log.recovered`\n",
			found->recovered);
	if (tree->torn)
		fprintf(to, "torn       %zu bytes of an interrupted write, which was not acknowledged\n", tree->torn);
	if (report->own_key)
		fprintf(to, "key        %s\n           of the log's own file: compare it, or use --key\n",
			note_key_verifier(&report->view->key, key));
}

static json_t *open_runs(const struct audit_found *found)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < found->open_count; i++)
		(void)json_array_append_new(rows, json_pack("{s:s, s:I, s:s}", "run", found->open[i].id, "seq",
							    (json_int_t)found->open[i].seq, "state",
							    found->open[i].running ? "running" : "truncated"));
	return rows;
}

json_t *audit_report_json(const struct audit_report *report)
{
	const struct audit_tree *tree = report->view->tree;
	const struct audit_error *error = report->error;
	struct merkle_hash root = merkle_edge_root(&tree->edge);
	char text[64], key[NOTE_KEY_TEXT];
	base64_put(text, root.bytes, sizeof(root.bytes));
	return json_pack("{s:s, s:o, s:s, s:s, s:I, s:I, s:s, s:b, s:o?, s:o?, s:{s:I, s:o}, s:I, s:I}", "schema",
			 LICHEN_AUDIT_SCHEMA, "log", json_out_text(report->path), "origin", report->view->key.name, "key",
			 note_key_verifier(&report->view->key, key), "entries", (json_int_t)tree->edge.size, "published",
			 (json_int_t)tree->published, "root", text, "whole", !error, "error",
			 error ? json_out_text(error->text) : json_null(), "bad_entry",
			 error && error->entry != AUDIT_NO_ENTRY ? json_integer((json_int_t)error->entry) : json_null(), "runs",
			 "ended", (json_int_t)report->found->ended, "open", open_runs(report->found), "recovered",
			 (json_int_t)report->found->recovered, "torn_bytes", (json_int_t)tree->torn);
}

void audit_print_witness(const char *name, u64 seconds, FILE *to)
{
	char text[40] = "at no known time";
	time_t when = (time_t)seconds;
	struct tm utc;
	if (gmtime_r(&when, &utc))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	fprintf(to, "  witnessed by %s, %s\n", name, text);
}
