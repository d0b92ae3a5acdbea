// SPDX-License-Identifier: Apache-2.0
/* What `lichen why` says, as JSON. The format is described in docs/why-json.md: change both together. */
#include <jansson.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/json_out.h"
#include "cli/why_report.h"
#include "cli/words.h"
#include "gaps/registry.h"
#include "lichen.h"
#include "why/call.h"

static void set(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

/* A string from outside, or null. */
static json_t *words_or_null(const char *text)
{
	return text ? json_out_text(text) : json_null();
}

/* Seconds since the run began. */
static json_t *moment(const struct model *model, u64 time)
{
	u64 began = model->header.monotonic;
	return json_real(time > began ? (double)(time - began) / 1e9 : 0);
}

static const char *severity_word(enum model_severity severity)
{
	static const char *const words[] = {
		[SEVERITY_INFO] = "info",
		[SEVERITY_WARNING] = "warning",
		[SEVERITY_ERROR] = "error",
		[SEVERITY_FATAL] = "fatal",
	};
	return words[severity];
}

static json_t *process(const struct model *model, const struct model_process *p)
{
	json_t *object = json_object();
	bool signalled = p->status_known && WIFSIGNALED(p->status);
	set(object, "pid", json_integer(p->pid));
	set(object, "parent", p->parent == MODEL_NONE ? json_null() : json_integer(model->processes[p->parent].pid));
	set(object, "program", words_or_null(p->program));
	set(object, "command", words_or_null(p->command));
	set(object, "began", moment(model, p->began));
	set(object, "ended", p->over ? moment(model, p->ended) : json_null());
	set(object, "status", p->status_known ? json_integer(model_exit_status(p->status)) : json_null());
	set(object, "signal", signalled ? json_string(call_signal_name(WTERMSIG(p->status))) : json_null());
	return object;
}

static json_t *call(const struct finding *finding)
{
	const struct model_refusal *refusal = finding->refusal;
	if (!refusal)
		return json_null();
	const struct call_form *form = call_form(refusal->record->nr);
	char comm[17];
	json_t *object = json_object();
	set(object, "name", words_or_null(form ? form->name : NULL));
	set(object, "number", json_integer(refusal->record->nr));
	set(object, "text", words_or_null(finding->call));
	set(object, "errno", words_or_null(errno_name(refusal->error)));
	set(object, "errno_number", json_integer(refusal->error));
	set(object, "errno_text", words_or_null(strerrordesc_np(refusal->error)));
	set(object, "path", words_or_null(refusal->path));
	set(object, "thread", json_integer(refusal->record->tid));
	set(object, "comm", words_or_null(model_comm(refusal->record, comm)));
	return object;
}

static json_t *message(const struct model *model, const struct model_line *line)
{
	json_t *object = json_object();
	set(object, "text", words_or_null(line->text));
	set(object, "pid", json_integer(model->processes[line->process].pid));
	set(object, "program", words_or_null(line->program));
	set(object, "severity", json_string(severity_word(line->severity)));
	set(object, "descriptor", json_integer(line->fd));
	set(object, "file", words_or_null(*line->path ? line->path : NULL));
	set(object, "time", moment(model, line->time));
	return object;
}

static json_t *finding_object(const struct model *model, const struct finding *finding)
{
	json_t *object = json_object(), *messages = json_array();
	const struct gap *gap = finding->gap >= 0 ? gap_by_id((enum gap_id)finding->gap) : NULL;
	for (unsigned i = 0; i < finding->line_count; i++)
		json_array_append_new(messages, message(model, finding->lines[i]));
	set(object, "weight", json_string(finding_weight_word(finding->weight)));
	set(object, "kind", json_string(why_kind(finding)));
	set(object, "pid", finding->process == MODEL_NONE ? json_null() : json_integer(model->processes[finding->process].pid));
	set(object, "program", words_or_null(finding->program));
	set(object, "time", moment(model, finding->refusal ? finding->refusal->record->time : finding->time));
	set(object, "times", json_integer(finding->times));
	set(object, "call", call(finding));
	set(object, "signal", finding->signal ? json_string(call_signal_name(finding->signal)) : json_null());
	set(object, "messages", messages);
	set(object, "more_messages", json_integer(finding->more_lines));
	set(object, "gap", words_or_null(gap ? gap->name : NULL));
	set(object, "fillable", gap ? json_boolean(gaps_built() & GAP_BIT(finding->gap)) : json_null());
	set(object, "cause", words_or_null(finding_cause_word(finding)));
	set(object, "source", words_or_null(finding->source));
	set(object, "what", words_or_null(finding->what));
	set(object, "here", words_or_null(finding->looked));
	set(object, "filling", words_or_null(finding->filling));
	set(object, "advice", words_or_null(finding->advice));
	set(object, "run", words_or_null(finding->command));
	return object;
}

static json_t *plan_rows(const struct plan *plan)
{
	static const char *const states[] = {
		[PLAN_NATIVE] = "native",
		[PLAN_EMULATED] = "emulated",
		[PLAN_REFUSED] = "refused",
	};
	json_t *rows = json_array();
	for (int id = 0; plan && id < GAP_COUNT; id++) {
		json_t *row = json_object();
		set(row, "name", json_string(gap_by_id((enum gap_id)id)->name));
		set(row, "plan", json_string(states[plan->rows[id].state]));
		set(row, "reason", words_or_null(plan->rows[id].reason));
		json_array_append_new(rows, row);
	}
	return rows;
}

int why_print_json(const struct why_report *report, FILE *to)
{
	const struct model *model = report->model;
	const struct verdict *verdict = report->verdict;
	char words[512];
	json_t *object = json_object(), *command = json_array(), *processes = json_array(), *findings = json_array();
	json_t *emulated = json_array();
	for (size_t i = 0; i < model->argc; i++)
		json_array_append_new(command, words_or_null(model->argv[i]));
	for (size_t i = 0; i < model->process_count; i++)
		json_array_append_new(processes, process(model, &model->processes[i]));
	for (size_t i = 0; i < verdict->count; i++)
		json_array_append_new(findings, finding_object(model, &verdict->findings[i]));
	for (int id = 0; id < GAP_COUNT; id++)
		if (report->circumstances->emulated & GAP_BIT(id))
			json_array_append_new(emulated, json_string(gap_by_id((enum gap_id)id)->name));
	set(object, "schema", json_string(LICHEN_WHY_SCHEMA));
	set(object, "lichen", json_string(LICHEN_VERSION));
	set(object, "command", command);
	set(object, "started", json_boolean(!report->not_started));
	set(object, "status", model->ended ? json_integer(model->status) : json_null());
	set(object, "records", json_integer((json_int_t)model->records));
	set(object, "lost", json_integer((json_int_t)model->lost));
	set(object, "refused", json_integer((json_int_t)verdict->refused));
	set(object, "verdict", words_or_null(why_verdict(report, words, sizeof(words))));
	set(object, "findings", findings);
	set(object, "processes", processes);
	set(object, "emulated", emulated);
	set(object, "plan", plan_rows(report->circumstances->plan));
	return json_out_print(object, to);
}
