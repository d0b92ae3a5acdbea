// SPDX-License-Identifier: Apache-2.0
/* What doctor says, as a page: the table with its evidence in full, what is filled in part, and what to do. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "cli/html.h"
#include "cli/report.h"
#include "cli/words.h"
#include "lichen.h"

static enum html_tone tone_of(const struct plan_row *row)
{
	if (row->state != PLAN_REFUSED)
		return HTML_GOOD;
	return row->finding.presence == GAP_UNKNOWN ? HTML_WARN : HTML_BAD;
}

/* What to do about a row, in words and, where there is one, as a command. */
static void advice_cell(struct html *page, const struct gap *gap, const struct plan_row *row)
{
	char option[64];
	const char *words = "nothing: lichen passes it on to the kernel", *command = NULL;
	if (row->state == PLAN_EMULATED) {
		words = "start the program under lichen, which fills it:";
		command = "lichen run -- CMD";
	} else if (row->state == PLAN_REFUSED && gap->on_request) {
		words = "lichen fills it where it is asked to:";
		snprintf(option, sizeof(option), "lichen run --emulate=%s -- CMD", gap->name);
		command = option;
	} else if (row->state == PLAN_REFUSED && row->finding.presence == GAP_MISSING) {
		words = "lichen does not fill it yet: it takes a kernel that has it, whose options are named by";
		command = "lichen doctor --kernel-config";
	} else if (row->state == PLAN_REFUSED && row->finding.presence == GAP_BLOCKED) {
		words = "lichen does not fill it yet: it takes more privilege, or a sandbox that allows it";
	} else if (row->state == PLAN_REFUSED) {
		words = "it could not be tried: see the evidence, then ask again";
	}
	html_cell_begin(page);
	html_put(page, HTML_PLAIN, "%s", words);
	if (command)
		html_put(page, HTML_CODE, "%s", command);
	html_cell_end(page);
}

static void evidence_cell(struct html *page, const struct gap_finding *finding)
{
	html_cell_begin(page);
	html_put(page, HTML_CODE, "%s", finding->tried);
	if (finding->error || finding->detail[0])
		html_break(page);
	if (finding->error)
		html_put(page, HTML_STRONG, "%s (%s)", errno_name(finding->error), strerror(finding->error));
	if (finding->detail[0])
		html_put(page, HTML_FAINT, "%s", finding->detail);
	html_cell_end(page);
}

static void features(struct html *page, const struct diagnosis *diagnosis, u32 shown)
{
	static const char *const heads[] = { "Feature", "State", "Evidence", "Needed by", "What to do", NULL };
	if (!shown)
		return;
	html_heading(page, diagnosis->workload ? "What it takes" : "Features");
	html_table(page, heads);
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct plan_row *row = &diagnosis->plan.rows[id];
		if (!(shown & GAP_BIT(id)))
			continue;
		html_row(page);
		html_cell_begin(page);
		html_put(page, HTML_STRONG, "%s", gap_by_id(id)->name);
		html_break(page);
		html_put(page, HTML_FAINT, "%s", gap_by_id(id)->summary);
		html_cell_end(page);
		html_cell(page, tone_of(row), "%s", row_state(row));
		evidence_cell(page, &row->finding);
		html_cell(page, HTML_PLAIN, "%s", gap_by_id(id)->needed_by);
		advice_cell(page, gap_by_id((enum gap_id)id), row);
	}
	html_table_end(page);
}

/* How it is known what a program needs. */
static void program(struct html *page, const struct diagnosis *diagnosis)
{
	static const char *const heads[] = { "Feature", "Level", "How this is known", NULL };
	const struct program_needs *judged = diagnosis->program;
	if (!judged)
		return;
	html_heading(page, "How this is known");
	html_paragraph(page, "%s%s%s", judged->path, judged->path[0] ? ": " : "", judged->what);
	if (!(diagnosis->needs | diagnosis->uses))
		return;
	html_table(page, heads);
	for (int id = 0; id < GAP_COUNT; id++) {
		if (!((diagnosis->needs | diagnosis->uses) & GAP_BIT(id)))
			continue;
		html_row(page);
		html_cell(page, HTML_STRONG, "%s", gap_by_id(id)->name);
		html_cell(page, HTML_PLAIN, "%s", diagnosis->needs & GAP_BIT(id) ? "needed" : "used where it is there");
		html_cell(page, HTML_PLAIN, "%s", judged->how[id]);
	}
	html_table_end(page);
}

static void limits(struct html *page, const struct diagnosis *diagnosis, u32 shown)
{
	bool any = false;
	for (int id = 0; id < GAP_COUNT; id++) {
		const char *const *limit = (shown & GAP_BIT(id)) ? row_limits(id, &diagnosis->plan.rows[id]) : NULL;
		if (limit && !any) {
			html_heading(page, "Filled in part, or without effect");
			html_list(page);
		}
		any |= limit != NULL;
		for (; limit && *limit; limit++)
			html_item(page, "%s: %s", gap_by_id(id)->name, *limit);
	}
	if (any)
		html_list_end(page);
}

/* What else helps against what is not filled, as the gaps' symptoms know it. */
static void advice(struct html *page, const struct diagnosis *diagnosis, u32 shown)
{
	static const char *const heads[] = { "Feature", "A program says", "What helps", NULL };
	bool any = false;
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct gap *gap = gap_by_id(id);
		if (!(shown & GAP_BIT(id)) || diagnosis->plan.rows[id].state != PLAN_REFUSED)
			continue;
		for (size_t i = 0; i < gap->symptom_count; i++) {
			const struct gap_symptom *symptom = &gap->symptoms[i];
			if (!symptom->advice || !symptom->message)
				continue;
			if (!any) {
				html_heading(page, "How it shows, and what helps");
				html_table(page, heads);
			}
			any = true;
			html_row(page);
			html_cell(page, HTML_STRONG, "%s", gap->name);
			html_cell_begin(page);
			html_put(page, HTML_CODE, "%s", symptom->message);
			if (symptom->program)
				html_put(page, HTML_FAINT, "(%s)", symptom->program);
			html_cell_end(page);
			html_cell(page, HTML_PLAIN, "%s", symptom->advice);
		}
	}
	if (any)
		html_table_end(page);
}

static void commands(struct html *page, const struct diagnosis *diagnosis)
{
	const char *workload = diagnosis->workload;
	html_heading(page, "Commands");
	html_block(page,
		   "%slichen why -- CMD            # run it, and say which refusals mattered\n"
		   "lichen doctor%s%s     # this page's table on a terminal; --json for programs",
		   diagnosis->plan.emulated ? "lichen run -- CMD            # run it; what is missing is filled\n"
					      "lichen run --explain -- CMD  # say first what is filled, and why\n"
					    : "",
		   workload ? " --for " : "", workload ? workload : "");
}

void report_subtitle(char *text, size_t size)
{
	struct utsname name = { 0 };
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	uname(&name);
	if (gmtime_r(&now, &tm))
		strftime(when, sizeof(when), ", %Y-%m-%d %H:%M UTC", &tm);
	snprintf(text, size, "lichen " LICHEN_VERSION " on %s, %s %s %s%s", name.nodename, name.sysname, name.release, name.machine,
		 when);
}

int diagnosis_print_html(const struct diagnosis *diagnosis, FILE *to)
{
	char subtitle[512], title[256], verdict[512];
	struct html page;
	u32 shown = diagnosis_shown(diagnosis), decides = diagnosis->workload ? diagnosis->needs : GAPS_ALL;
	u32 open = 0;
	for (int id = 0; id < GAP_COUNT; id++)
		if (diagnosis->plan.rows[id].state == PLAN_REFUSED)
			open |= GAP_BIT(id);
	report_subtitle(subtitle, sizeof(subtitle));
	if (diagnosis->workload)
		snprintf(title, sizeof(title), "Can %s run here?", diagnosis->workload);
	else
		snprintf(title, sizeof(title), "What this host refuses");
	html_begin(&page, to, title, subtitle);
	html_note(&page,
		  (decides & open) == 0 ? HTML_GOOD
		  : diagnosis->workload ? HTML_BAD
					: HTML_WARN,
		  "%s", diagnosis_verdict(diagnosis, verdict, sizeof(verdict)));
	if (*diagnosis_remark(diagnosis, verdict, sizeof(verdict)))
		html_paragraph(&page, "%s", verdict);
	if (*diagnosis_containers(diagnosis, verdict, sizeof(verdict)))
		html_paragraph(&page, "%s", verdict);
	features(&page, diagnosis, shown);
	program(&page, diagnosis);
	limits(&page, diagnosis, shown);
	advice(&page, diagnosis, shown);
	commands(&page, diagnosis);
	return html_end(&page);
}
