// SPDX-License-Identifier: Apache-2.0
/* What `lichen why` says, as text for 80 columns, and the words that its other forms share. */
#include <string.h>
#include <sys/wait.h>

#include "cli/why_report.h"
#include "cli/words.h"
#include "gaps/registry.h"
#include "why/call.h"
#include "why/lines.h"

#define SHOWN 10 /* findings in the text; the others are counted */
#define COLUMN 11

const char *why_kind(const struct finding *finding)
{
	static const struct {
		enum cause_id cause;
		const char *kind;
	} rows[] = {
		{ CAUSE_unprivileged, "privilege" },  { CAUSE_file_denied, "privilege" }, { CAUSE_program_denied, "privilege" },
		{ CAUSE_socket_denied, "privilege" }, { CAUSE_port_low, "privilege" },    { CAUSE_memory, "limit" },
		{ CAUSE_many_files, "limit" },        { CAUSE_many_processes, "limit" },  { CAUSE_file_size, "limit" },
		{ CAUSE_locked_memory, "limit" },     { CAUSE_disk_full, "limit" },       { CAUSE_quota, "limit" },
		{ CAUSE_killed_memory, "limit" },     { CAUSE_killed_cpu, "limit" },      { CAUSE_killed_size, "limit" },
		{ CAUSE_watches_full, "limit" },      { CAUSE_all_files, "limit" },       { CAUSE_no_call, "kernel" },
		{ CAUSE_no_family, "kernel" },        { CAUSE_no_device, "kernel" },      { CAUSE_killed_fault, "program" },
		{ CAUSE_killed_abort, "program" },    { CAUSE_NONE, "unknown" },
	};
	if (finding->gap >= 0)
		return "gap";
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].cause == finding->cause)
			return rows[i].kind;
	return "configuration";
}

const char *why_who(const struct why_report *report, const struct finding *finding, char *text, size_t size)
{
	const struct trace_record *record = finding->refusal ? finding->refusal->record : NULL;
	const char *program = finding->program ? model_name(finding->program) : "";
	char comm[17] = "";
	if (finding->process == MODEL_NONE) {
		snprintf(text, size, "lichen");
		return text;
	}
	s32 pid = report->model->processes[finding->process].pid;
	if (record)
		model_comm(record, comm);
	/* A thread or a script that calls itself something else. */
	bool other = comm[0] && strncmp(comm, program, 15) != 0;
	int used = snprintf(text, size, "%s%s%s%s (pid %d", *program ? program : comm, other && *program ? " '" : "",
			    other && *program ? comm : "", other && *program ? "'" : "", pid);
	if (record && record->tid != record->pid && used > 0 && (size_t)used < size)
		used += snprintf(text + used, size - (size_t)used, ", thread %d", record->tid);
	if (used > 0 && (size_t)used < size)
		snprintf(text + used, size - (size_t)used, ")");
	return text;
}

size_t why_last_words(const struct why_report *report, const struct model_line *lines[], size_t max)
{
	const struct model *model = report->model;
	size_t count = 0, from = model->line_count;
	while (from > 0 && count < max) {
		from--;
		count += model->lines[from].fd == 2 || model->lines[from].alarm;
	}
	count = 0;
	for (; from < model->line_count && count < max; from++)
		if (model->lines[from].fd == 2 || model->lines[from].alarm)
			lines[count++] = &model->lines[from];
	return count;
}

/* How the run ended: "ended with status 1". */
static const char *ending(const struct why_report *report, char *text, size_t size)
{
	const struct model *model = report->model;
	if (report->not_started)
		snprintf(text, size, "did not start");
	else if (!model->ended)
		snprintf(text, size, "has no end in this record");
	else if (model->status > 128)
		snprintf(text, size, "was ended by %s", call_signal_name(model->status - 128));
	else
		snprintf(text, size, "ended with status %d", model->status);
	return text;
}

const char *why_verdict(const struct why_report *report, char *text, size_t size)
{
	const struct model *model = report->model;
	const struct verdict *verdict = report->verdict;
	char end[64];
	int used = snprintf(text, size, "%s %s", model->argc ? model_name(model->argv[0]) : "the command",
			    ending(report, end, sizeof(end)));
	if (used < 0 || (size_t)used >= size)
		return text;
	char *rest = text + used;
	size -= (size_t)used;
	if (report->not_started)
		snprintf(rest, size, ".");
	else if (verdict->count == 0 && model->status == 0)
		snprintf(rest, size, "; nothing that mattered was refused (%llu refused calls are what healthy runs meet).",
			 (unsigned long long)verdict->refused);
	else if (verdict->count == 0)
		snprintf(rest, size, "; no refused call explains it (%llu were refused, none of them known to matter).",
			 (unsigned long long)verdict->refused);
	else
		snprintf(rest, size, "; of %llu refused call%s and %zu message%s, %zu %s.", (unsigned long long)verdict->refused,
			 verdict->refused == 1 ? "" : "s", model->line_count, model->line_count == 1 ? "" : "s", verdict->count,
			 verdict->count == 1 ? "thing mattered" : "things mattered");
	return text;
}

/* A labelled paragraph. */
static void field(const char *label, const char *text, FILE *to)
{
	if (!text || !*text)
		return;
	fprintf(to, "   %-*s", COLUMN - 3, label);
	text_wrap(text, COLUMN, to);
}

static void print_sentence(const char *label, const char *text, FILE *to)
{
	char sentence[2048];
	if (!text || !*text)
		return;
	snprintf(sentence, sizeof(sentence), "%s.", text);
	field(label, sentence, to);
}

static void print_answer(const struct finding *finding, FILE *to)
{
	char text[256];
	const char *words = strerrordesc_np(finding->refusal->error);
	int used = snprintf(text, sizeof(text), "%s: %s", errno_name(finding->refusal->error), words ? words : "unknown error");
	if (finding->times > 1 && used > 0 && (size_t)used < sizeof(text))
		snprintf(text + used, sizeof(text) - (size_t)used, " (%u times)", finding->times);
	field("answer", text, to);
}

static void print_lines(const struct why_report *report, const struct finding *finding, FILE *to)
{
	for (unsigned i = 0; i < finding->line_count; i++) {
		const struct model_line *line = finding->lines[i];
		char text[LINE_MAX_BYTES + 160], who[64] = "";
		if (line->process != finding->process)
			snprintf(who, sizeof(who), "%.30s (pid %d): ", model_name(line->program),
				 report->model->processes[line->process].pid);
		snprintf(text, sizeof(text), "%s\"%.1027s\"", who, line->text);
		field(i == 0 ? "said" : "", text, to);
	}
	if (finding->more_lines) {
		char text[64];
		snprintf(text, sizeof(text), "(%u more lines)", finding->more_lines);
		field("", text, to);
	}
}

static void print_cause(const struct finding *finding, FILE *to)
{
	char text[1024];
	const char *name = finding->gap >= 0 ? gap_by_id((enum gap_id)finding->gap)->name : NULL;
	snprintf(text, sizeof(text), "%s%s%s%s", name ? "gap '" : "", name ? name : "", name ? "': " : "",
		 finding->what ? finding->what : "unknown");
	print_sentence("cause", text, to);
}

static void print_finding(const struct why_report *report, unsigned number, const struct finding *finding, FILE *to)
{
	char who[128], head[256];
	const char *ended = finding->weight == FINDING_ENDED && !report->not_started ? ": this ended the run" : "";
	why_who(report, finding, who, sizeof(who));
	snprintf(head, sizeof(head), "%u. %s%s", number, who, ended);
	const struct cell cell = { head, SCREEN_COLUMNS, COLOUR_BOLD };
	fputc('\n', to);
	print_row(&cell, 1, to);
	field("call", finding->call, to);
	if (finding->refusal)
		print_answer(finding, to);
	else if (!finding->signal)
		field("call", "none was refused: the program looked for something and did not find it", to);
	if (finding->signal)
		field("killed", call_signal_name(finding->signal), to);
	print_lines(report, finding, to);
	print_cause(finding, to);
	print_sentence("here", finding->looked, to);
	print_sentence("lichen", finding->filling, to);
	field("also", finding->advice, to);
	field("run", finding->command, to);
}

/* A run that failed and of which nothing is known but what it said. */
static void print_last_words(const struct why_report *report, FILE *to)
{
	const struct model_line *lines[5];
	size_t count = why_last_words(report, lines, ARRAY_SIZE(lines));
	if (count > 0)
		fputs("\nIts last words:\n", to);
	for (size_t i = 0; i < count; i++)
		field(model_name(lines[i]->program), lines[i]->text, to);
}

void why_print_text(const struct why_report *report, FILE *to)
{
	const struct verdict *verdict = report->verdict;
	char text[512], sentence[544];
	snprintf(sentence, sizeof(sentence), "lichen why: %s", why_verdict(report, text, sizeof(text)));
	text_wrap(sentence, 0, to);
	for (size_t i = 0; i < verdict->count && i < SHOWN; i++)
		print_finding(report, (unsigned)i + 1, &verdict->findings[i], to);
	if (verdict->count > SHOWN)
		fprintf(to, "\n%zu more: --json or --html show them.\n", verdict->count - SHOWN);
	if (verdict->count == 0 && report->model->status != 0)
		print_last_words(report, to);
	if (report->model->lost)
		fprintf(to, "\n%llu records were lost: something may be missing here.\n", (unsigned long long)report->model->lost);
}
