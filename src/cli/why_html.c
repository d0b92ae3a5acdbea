// SPDX-License-Identifier: Apache-2.0
/* What `lichen why` says, as a page: what mattered, the timeline, the plan. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/html.h"
#include "cli/report.h"
#include "cli/why_report.h"
#include "cli/words.h"
#include "gaps/registry.h"
#include "why/call.h"

#define EVENTS_SHOWN 300 /* of the timeline; the others are counted */

static double seconds(const struct model *model, u64 time)
{
	u64 began = model->header.monotonic;
	return time > began ? (double)(time - began) / 1e9 : 0;
}

static void row(struct html *page, const char *label, enum html_tone tone, const char *text)
{
	if (!text || !*text)
		return;
	html_row(page);
	html_cell(page, HTML_FAINT, "%s", label);
	html_cell(page, tone, "%s", text);
}

/* A sentence that has no full stop yet. */
static void sentence(struct html *page, const char *label, const char *text)
{
	char whole[2048];
	if (!text)
		return;
	snprintf(whole, sizeof(whole), "%s.", text);
	row(page, label, HTML_PLAIN, whole);
}

static void messages(struct html *page, const struct why_report *report, const struct finding *finding)
{
	for (unsigned i = 0; i < finding->line_count; i++) {
		const struct model_line *line = finding->lines[i];
		html_row(page);
		html_cell(page, HTML_FAINT, "%s", i == 0 ? "It said" : "");
		html_cell_begin(page);
		html_put(page, HTML_CODE, "%s", line->text);
		html_put(page, HTML_FAINT, "%s (pid %d), %s", model_name(line->program),
			 report->model->processes[line->process].pid,
			 line->fd == 2   ? "standard error"
			 : line->fd == 1 ? "standard output"
			 : *line->path   ? line->path
					 : "a descriptor");
		html_cell_end(page);
	}
	if (finding->more_lines) {
		char more[48];
		snprintf(more, sizeof(more), "%u more lines", finding->more_lines);
		row(page, "", HTML_FAINT, more);
	}
}

static void call_rows(struct html *page, const struct finding *finding)
{
	if (!finding->refusal) {
		row(page, "Call", HTML_PLAIN,
		    finding->signal ? NULL : "none was refused: the program looked for something and did not find it");
		return;
	}
	row(page, "Call", HTML_CODE, finding->call);
	html_row(page);
	html_cell(page, HTML_FAINT, "Answer");
	html_cell_begin(page);
	html_put(page, HTML_BAD, "%s", errno_name(finding->refusal->error));
	html_put(page, HTML_PLAIN, "%s", strerror(finding->refusal->error));
	if (finding->times > 1)
		html_put(page, HTML_FAINT, "%u times", finding->times);
	html_cell_end(page);
}

static void finding_section(struct html *page, const struct why_report *report, size_t number, const struct finding *finding)
{
	static const char *const heads[] = { "", "", NULL };
	char who[128], head[256], cause[1024];
	const char *gap = finding->gap >= 0 ? gap_by_id((enum gap_id)finding->gap)->name : NULL;
	snprintf(head, sizeof(head), "%zu. %s%s", number, why_who(report, finding, who, sizeof(who)),
		 finding->weight == FINDING_ENDED && !report->not_started ? ": this ended the run" : "");
	html_heading(page, head);
	html_table(page, heads);
	call_rows(page, finding);
	if (finding->signal)
		row(page, "Ended by", HTML_BAD, call_signal_name(finding->signal));
	messages(page, report, finding);
	snprintf(cause, sizeof(cause), "%s%s%s%s", gap ? "gap '" : "", gap ? gap : "", gap ? "': " : "",
		 finding->what ? finding->what : "unknown");
	sentence(page, "Cause", cause);
	sentence(page, "Here", finding->looked);
	sentence(page, "lichen", finding->filling);
	row(page, "Also", HTML_PLAIN, finding->advice);
	html_table_end(page);
	if (finding->command) {
		html_paragraph(page, "Run instead:");
		html_block(page, "%s", finding->command);
	}
}

/* --- the timeline --------------------------------------------------------------------------------------------------------- */

struct event {
	u64 time;
	u32 process;
	enum html_tone tone;
	const char *what;
	const char *text; /* NULL: that of `number` */
	int number;
};

struct events {
	struct event *rows;
	size_t count, room;
};

static void note(struct events *events, struct event event)
{
	if (events->count < events->room)
		events->rows[events->count++] = event;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->time < y->time ? -1 : x->time > y->time;
}

static void collect(const struct why_report *report, struct events *events)
{
	const struct model *model = report->model;
	const struct verdict *verdict = report->verdict;
	for (size_t i = 0; i < model->start_count; i++)
		note(events, (struct event){ model->starts[i].time, model->starts[i].process, HTML_GOOD, "began",
					     model->starts[i].command, 0 });
	for (u32 i = 0; i < model->process_count; i++) {
		const struct model_process *p = &model->processes[i];
		if (p->status_known)
			note(events, (struct event){ p->ended, i, p->status ? HTML_WARN : HTML_FAINT, "ended", NULL, p->status });
	}
	for (size_t i = 0; i < model->line_count; i++)
		if (model->lines[i].alarm)
			note(events, (struct event){ model->lines[i].time, model->lines[i].process, HTML_PLAIN, "said",
						     model->lines[i].text, 0 });
	for (size_t i = 0; i < verdict->count; i++) {
		const struct finding *finding = &verdict->findings[i];
		if (finding->refusal && finding->process != MODEL_NONE)
			note(events, (struct event){ finding->refusal->record->time, finding->process, HTML_BAD, "refused",
						     finding->call, 0 });
	}
}

static void event_row(struct html *page, const struct model *model, const struct event *event)
{
	const struct model_process *p = &model->processes[event->process];
	html_row(page);
	html_cell(page, HTML_FAINT, "%.3f\u00a0s", seconds(model, event->time));
	html_cell(page, HTML_PLAIN, "%s\u00a0%d", model_name(p->program), p->pid);
	html_cell(page, event->tone, "%s", event->what);
	if (event->text)
		html_cell(page, HTML_CODE, "%s", event->text);
	else if (WIFSIGNALED(event->number))
		html_cell(page, HTML_PLAIN, "by %s", call_signal_name(WTERMSIG(event->number)));
	else
		html_cell(page, HTML_PLAIN, "with status %d", WEXITSTATUS(event->number));
}

/* When there are too many: the last ones, which are nearest to the failure. */
static int timeline(struct html *page, const struct why_report *report)
{
	static const char *const heads[] = { "Time", "Process", "Event", "What", NULL };
	const struct model *model = report->model;
	struct events events = { .room = model->start_count + model->process_count + model->line_count + report->verdict->count };
	if (events.room == 0)
		return 0;
	events.rows = calloc(events.room, sizeof(*events.rows));
	if (!events.rows)
		return -ENOMEM;
	collect(report, &events);
	qsort(events.rows, events.count, sizeof(*events.rows), by_time);
	size_t from = events.count > EVENTS_SHOWN ? events.count - EVENTS_SHOWN : 0;
	html_heading(page, "Timeline");
	if (from > 0)
		html_paragraph(page, "%zu earlier events are left out.", from);
	html_table(page, heads);
	for (size_t i = from; i < events.count; i++)
		event_row(page, model, &events.rows[i]);
	html_table_end(page);
	free(events.rows);
	return 0;
}

static void plan_section(struct html *page, const struct plan *plan)
{
	static const char *const heads[] = { "Feature", "Plan", "Why", NULL };
	static const char *const words[] = {
		[PLAN_NATIVE] = "native",
		[PLAN_EMULATED] = "emulated",
		[PLAN_REFUSED] = "refused",
	};
	if (!plan)
		return;
	html_heading(page, "The plan of lichen run on this machine");
	html_table(page, heads);
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct plan_row *gap = &plan->rows[id];
		html_row(page);
		html_cell(page, HTML_STRONG, "%s", gap_by_id((enum gap_id)id)->name);
		html_cell(page, gap->state == PLAN_REFUSED ? HTML_BAD : HTML_GOOD, "%s", words[gap->state]);
		html_cell(page, HTML_PLAIN, "%s", gap->reason);
	}
	html_table_end(page);
}

static void last_words(struct html *page, const struct why_report *report)
{
	const struct model_line *lines[8];
	size_t count = why_last_words(report, lines, ARRAY_SIZE(lines));
	if (count == 0)
		return;
	html_heading(page, "Its last words");
	html_list(page);
	for (size_t i = 0; i < count; i++)
		html_item(page, "%s: %s", model_name(lines[i]->program), lines[i]->text);
	html_list_end(page);
}

int why_print_html(const struct why_report *report, FILE *to)
{
	const struct model *model = report->model;
	const struct verdict *verdict = report->verdict;
	struct html page;
	char title[160], subtitle[256], text[512];
	report_subtitle(subtitle, sizeof(subtitle));
	snprintf(title, sizeof(title), "Why %.120s", model->argc ? model_name(model->argv[0]) : "the command");
	snprintf(title + strlen(title), sizeof(title) - strlen(title), "%s",
		 report->not_started ? " did not start"
		 : model->status     ? " failed"
				     : " ran as it did");
	html_begin(&page, to, title, subtitle);
	html_note(&page,
		  model->status || report->not_started ? HTML_BAD
		  : verdict->count                     ? HTML_WARN
						       : HTML_GOOD,
		  "%s", why_verdict(report, text, sizeof(text)));
	if (model->lost)
		html_note(&page, HTML_WARN, "%llu records were lost: something may be missing here.",
			  (unsigned long long)model->lost);
	html_block(&page, "%s", report->circumstances->command_line);
	for (size_t i = 0; i < verdict->count; i++)
		finding_section(&page, report, i + 1, &verdict->findings[i]);
	if (verdict->count == 0 && model->status)
		last_words(&page, report);
	int error = timeline(&page, report);
	plan_section(&page, report->circumstances->plan);
	int written = html_end(&page);
	return error ? error : written;
}
