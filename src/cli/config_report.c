// SPDX-License-Identifier: Apache-2.0
/* What `lichen doctor --kernel-config` says, as a table and a page. */
#include "cli/config_report.h"

#include <stdarg.h>
#include <string.h>

#include "cli/html.h"
#include "cli/report.h"
#include "cli/words.h"

/* A growing text that is cut where it is full. */
static void add(char *text, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
static void add(char *text, size_t size, const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;
	va_start(args, format);
	vsnprintf(text + used, size - used, format, args);
	va_end(args);
}

static const char *level_word(const struct config_need *need)
{
	return need->level == CONFIG_REQUIRED ? "required" : "optional";
}

const char *config_state(const struct config_row *row)
{
	if (row->value == CONFIG_OFF)
		return row->dropped[0] ? "dropped" : "missing";
	return row->value == CONFIG_ON ? "built in" : "module";
}

/* "A or B and C" */
static void options_text(const char *options, char *text, size_t size)
{
	size_t used = 0;
	for (; *options && used + 4 < size; options++) {
		const char *word = *options == '|' ? "or" : *options == '&' ? "and" : NULL;
		if (word)
			used += (size_t)snprintf(text + used, size - used, "%s", word);
		else
			text[used++] = *options;
	}
	text[used] = '\0';
}

/* What lichen does about a row, and what else is to be known. */
static void remark(const struct config_row *row, char *text, size_t size)
{
	const char *gap = row->need->gap >= 0 ? gap_by_id((enum gap_id)row->need->gap)->name : NULL;
	text[0] = '\0';
	if (row->dropped[0])
		add(text, size, "Kconfig drops %s without %s; ", row->dropped, row->missing);
	if (row->filled)
		add(text, size, "lichen fills it: gap %s", gap);
	else if (gap)
		add(text, size, "gap %s, not filled yet", gap);
	else
		add(text, size, "nothing replaces it");
}

/* Whether `name` stands in a list of words. */
static bool has_word(const char *list, const char *name, size_t length)
{
	for (const char *at = list; *at;) {
		size_t n = strcspn(at, " ");
		if (n == length && memcmp(at, name, n) == 0)
			return true;
		at += n + (at[n] == ' ');
	}
	return false;
}

/* What to switch on so that nothing required is missing, each option once. Returns `list`. */
static const char *to_add(const struct config_advice *advice, char *list, size_t size)
{
	list[0] = '\0';
	for (size_t i = 0; i < advice->count; i++) {
		const struct config_row *row = &advice->rows[i];
		if (row->value != CONFIG_OFF || row->need->level != CONFIG_REQUIRED)
			continue;
		for (const char *at = row->missing; *at;) {
			size_t n = strcspn(at, " ");
			if (!has_word(list, at, n))
				add(list, size, "%s%.*s", list[0] ? " " : "", (int)n, at);
			at += n + (at[n] == ' ');
		}
	}
	return list;
}

const char *config_verdict(const struct config_report *report, char *text, size_t size)
{
	const struct config_advice *advice = report->advice;
	const char *who = report->workload ? report->workload : "a workload that needs everything";
	size_t filled = 0;
	u32 gaps = 0;
	for (size_t i = 0; i < advice->count; i++)
		if (advice->rows[i].filled && advice->rows[i].need->level == CONFIG_REQUIRED) {
			filled++;
			gaps |= GAP_BIT(advice->rows[i].need->gap);
		}
	char names[192];
	gap_names(gaps, names, sizeof(names));
	if (advice->unmet)
		snprintf(text, size, "A kernel of this configuration cannot run %s: %zu required %s off, and nothing fills %s.",
			 who, advice->unmet, advice->unmet == 1 ? "option is" : "options are", advice->unmet == 1 ? "it" : "them");
	else if (filled)
		snprintf(text, size, "A kernel of this configuration can run %s under lichen, which fills %s.", who, names);
	else if (advice->count)
		snprintf(text, size, "A kernel of this configuration has all that %s requires.", who);
	else
		snprintf(text, size, "%s needs nothing that a kernel's configuration decides.", who);
	return text;
}

static const char *about_parts(const struct config_report *report)
{
	return report->config->whole ? ""
				     : "This is a defconfig or a fragment: what it does not name is taken at Kconfig's default.";
}

static void print_missing(const struct config_report *report, FILE *to)
{
	static const struct cell head[] = {
		{ "OPTION (CONFIG_…)", 31, COLOUR_BOLD },
		{ "STATE", 8, COLOUR_BOLD },
		{ "NEED", 9, COLOUR_BOLD },
		{ "WHY", 32, COLOUR_BOLD },
	};
	for (size_t i = 0; i < report->advice->count; i++) {
		const struct config_row *row = &report->advice->rows[i];
		char options[256], words[448], why[800];
		if (row->value != CONFIG_OFF)
			break; /* rows that are there come last */
		if (i == 0)
			print_row(head, ARRAY_SIZE(head), to);
		options_text(row->need->options, options, sizeof(options));
		remark(row, words, sizeof(words));
		snprintf(why, sizeof(why), "%s [%s]; %s", row->need->why, row->need->source, words);
		enum colour colour = row->filled ? COLOUR_GREEN : row->need->level == CONFIG_REQUIRED ? COLOUR_RED : COLOUR_YELLOW;
		const struct cell cells[] = {
			{ options, head[0].width, COLOUR_NONE },
			{ config_state(row), head[1].width, colour },
			{ level_word(row->need), head[2].width, COLOUR_NONE },
			{ why, head[3].width, COLOUR_NONE },
		};
		print_row(cells, ARRAY_SIZE(cells), to);
	}
}

/* The options in one state, in a paragraph. */
static void print_present(const struct config_report *report, enum config_value value, const char *label, FILE *to)
{
	char text[4096] = "";
	for (size_t i = 0; i < report->advice->count; i++) {
		const struct config_row *row = &report->advice->rows[i];
		char options[256];
		if (row->value != value)
			continue;
		options_text(row->need->options, options, sizeof(options));
		add(text, sizeof(text), "%s%s", text[0] ? ", " : label, options);
	}
	if (text[0]) {
		text_wrap(text, 0, to);
		fputc('\n', to);
	}
}

void config_print(const struct config_report *report, FILE *to)
{
	char text[2048];
	print_missing(report, to);
	if (report->advice->count && report->advice->rows[0].value == CONFIG_OFF)
		fputc('\n', to);
	print_present(report, CONFIG_MODULE, "As modules, which must be installed: ", to);
	print_present(report, CONFIG_ON, "Built in: ", to);
	if (*to_add(report->advice, text, sizeof(text))) {
		fputs("What would give a kernel all that is required:\n", to);
		for (char *rest = text, *word; (word = strsep(&rest, " "));)
			fprintf(to, "  CONFIG_%s=y\n", word);
		fputc('\n', to);
	}
	if (*about_parts(report))
		text_wrap(about_parts(report), 0, to);
	text_wrap(config_verdict(report, text, sizeof(text)), 0, to);
}

static void page_rows(struct html *page, const struct config_advice *advice)
{
	static const char *const heads[] = { "Option", "State", "Need", "Why", "Source", NULL };
	html_heading(page, "Options");
	html_table(page, heads);
	for (size_t i = 0; i < advice->count; i++) {
		const struct config_row *row = &advice->rows[i];
		char options[256], words[448];
		options_text(row->need->options, options, sizeof(options));
		remark(row, words, sizeof(words));
		html_row(page);
		html_cell(page, HTML_CODE, "%s", options);
		html_cell(page,
			  row->value != CONFIG_OFF || row->filled ? HTML_GOOD
			  : row->need->level == CONFIG_REQUIRED   ? HTML_BAD
								  : HTML_WARN,
			  "%s", config_state(row));
		html_cell(page, HTML_PLAIN, "%s", level_word(row->need));
		html_cell_begin(page);
		html_put(page, HTML_PLAIN, "%s", row->need->why);
		if (row->value == CONFIG_OFF) {
			html_break(page);
			html_put(page, HTML_FAINT, "%s", words);
		}
		html_cell_end(page);
		html_cell(page, HTML_FAINT, "%s", row->need->source);
	}
	html_table_end(page);
}

int config_print_html(const struct config_report *report, FILE *to)
{
	char title[256], subtitle[512], text[2048], lines[2600] = "";
	struct html page;
	snprintf(title, sizeof(title), "Does %s suffice for %s?",
		 strcmp(report->path, "-") == 0 ? "this configuration" : report->path,
		 report->workload ? report->workload : "everything");
	report_subtitle(subtitle, sizeof(subtitle));
	html_begin(&page, to, title, subtitle);
	html_note(&page, report->advice->unmet ? HTML_BAD : HTML_GOOD, "%s", config_verdict(report, text, sizeof(text)));
	if (*about_parts(report))
		html_paragraph(&page, "%s", about_parts(report));
	if (report->advice->count)
		page_rows(&page, report->advice);
	to_add(report->advice, text, sizeof(text));
	if (*text) {
		html_heading(&page, "What would give a kernel all that is required");
		for (char *rest = text, *word; (word = strsep(&rest, " "));)
			add(lines, sizeof(lines), "CONFIG_%s=y\n", word);
		html_block(&page, "%s", lines);
	}
	return html_end(&page);
}
