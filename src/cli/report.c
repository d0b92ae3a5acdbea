// SPDX-License-Identifier: Apache-2.0
/* What doctor and `run --explain` say, as tables for 80 columns. */
#include "cli/report.h"

#include <string.h>

#include "cli/words.h"

const char *row_state(const struct plan_row *row)
{
	if (row->state == PLAN_EMULATED)
		return "filled";
	switch (row->finding.presence) {
	case GAP_PRESENT:
		return "native";
	case GAP_MISSING:
		return "missing";
	case GAP_BLOCKED:
		return "blocked";
	case GAP_UNKNOWN:
		break;
	}
	return "unknown";
}

static enum colour state_colour(const struct plan_row *row)
{
	if (row->state == PLAN_REFUSED)
		return row->finding.presence == GAP_UNKNOWN ? COLOUR_YELLOW : COLOUR_RED;
	return COLOUR_GREEN;
}

/* What was tried and what the kernel answered. */
static void evidence_text(const struct gap_finding *finding, char *text, size_t size)
{
	const char *before = finding->detail[0] ? "; " : "";
	if (finding->error)
		snprintf(text, size, "%s: %s%s%s", finding->tried, errno_name(finding->error), before, finding->detail);
	else
		snprintf(text, size, "%s%s%s", finding->tried, finding->presence == GAP_PRESENT ? before : ": ", finding->detail);
}

/* The features in one state. */
static u32 rows_with(const struct diagnosis *diagnosis, const char *state)
{
	u32 set = 0;
	for (int id = 0; id < GAP_COUNT; id++)
		if (strcmp(row_state(&diagnosis->plan.rows[id]), state) == 0)
			set |= GAP_BIT(id);
	return set;
}

/* What cannot be: gaps that nobody fills, and those that are filled only where they are asked for. */
static void say_unmet(const struct diagnosis *diagnosis, char *text, size_t size)
{
	char lacking_names[192], asked_names[192];
	u32 asked = diagnosis->unmet & gaps_built(), lacking = diagnosis->unmet & ~asked;
	const char *who = diagnosis->workload, *not_yet = gap_names(lacking, lacking_names, sizeof(lacking_names)),
		   *named = gap_names(asked, asked_names, sizeof(asked_names));
	int used;
	if (!asked)
		used = snprintf(text, size,
				"%s cannot run here: it needs %s, which this host does not give and lichen does not fill yet.", who,
				not_yet);
	else if (!lacking)
		used = snprintf(
			text, size,
			"%s cannot run here as it is: it needs %s, which this host does not give; lichen fills it where --emulate names it.",
			who, named);
	else
		used = snprintf(
			text, size,
			"%s cannot run here as it is: it needs %s, which lichen fills where --emulate names it, and %s, which it does not "
			"fill yet.",
			who, named, not_yet);
	if (strcmp(who, "docker") == 0 && !(lacking & ~(GAP_BIT(GAP_netfilter) | GAP_BIT(GAP_vnet))) && used > 0 &&
	    (size_t)used < size)
		snprintf(text + used, size - (size_t)used,
			 " `lichen up docker` does so, for containers with the host's network or none.");
}

const char *diagnosis_verdict(const struct diagnosis *diagnosis, char *text, size_t size)
{
	char names[192], filled_names[192];
	u32 native = rows_with(diagnosis, "native"), filled = diagnosis->plan.emulated;
	u32 open = GAPS_ALL & ~native & ~filled;
	if (diagnosis->workload && diagnosis->unmet) {
		say_unmet(diagnosis, text, size);
	} else if (diagnosis->workload && (diagnosis->needs & filled)) {
		snprintf(text, size, "%s can run here: lichen fills %s%s.", diagnosis->workload,
			 gap_names(diagnosis->needs & filled, filled_names, sizeof(filled_names)),
			 diagnosis->needs & ~filled ? ", the rest works without help" : "");
	} else if (diagnosis->program && !diagnosis->needs && !diagnosis->program->known[0]) {
		snprintf(text, size, "Nothing in %s tells that it needs any of the features that lichen knows.",
			 diagnosis->workload);
	} else if (diagnosis->workload && !diagnosis->needs) {
		snprintf(text, size, "%s can run here: it needs none of the features that lichen knows.", diagnosis->workload);
	} else if (diagnosis->workload) {
		snprintf(text, size, "%s can run here without help: all that it needs works.", diagnosis->workload);
	} else {
		int used = snprintf(text, size, "%d of %d features work here", __builtin_popcount(native), GAP_COUNT);
		if (filled && used > 0 && (size_t)used < size)
			used += snprintf(text + used, size - (size_t)used, "; lichen fills %s",
					 gap_names(filled, filled_names, sizeof(filled_names)));
		if (open && used > 0 && (size_t)used < size)
			used += snprintf(text + used, size - (size_t)used, "; not usable and not filled: %s",
					 gap_names(open, names, sizeof(names)));
		if (used > 0 && (size_t)used < size)
			snprintf(text + used, size - (size_t)used, ".");
	}
	return text;
}

const char *const *row_limits(enum gap_id id, const struct plan_row *row)
{
	const char *const *limits = gap_by_id(id)->limits;
	return row->state == PLAN_EMULATED && limits && *limits ? limits : NULL;
}

u32 diagnosis_shown(const struct diagnosis *diagnosis)
{
	return diagnosis->workload ? diagnosis->needs | diagnosis->uses : GAPS_ALL;
}

const char *diagnosis_remark(const struct diagnosis *diagnosis, char *text, size_t size)
{
	char names[192];
	u32 open = 0;
	for (int id = 0; id < GAP_COUNT; id++)
		if ((diagnosis->uses & GAP_BIT(id)) && diagnosis->plan.rows[id].state == PLAN_REFUSED)
			open |= GAP_BIT(id);
	text[0] = '\0';
	if (open)
		snprintf(text, size, "It can also use %s, not usable here; 'lichen why -- CMD' tells whether that matters.",
			 gap_names(open, names, sizeof(names)));
	return text;
}

const char *diagnosis_containers(const struct diagnosis *diagnosis, char *text, size_t size)
{
	const struct native_plan *plan = &diagnosis->containers;
	text[0] = '\0';
	if (!diagnosis->workload)
		snprintf(text, size, "Containers (lichen run IMAGE): %s here: %s.",
			 plan->state == NATIVE_KERNEL ? "the kernel makes their roots and namespaces"
						      : "the agent makes their roots",
			 plan->reason);
	return text;
}

static const char *what_lichen_does(enum gap_id id, const struct plan_row *row, bool limited)
{
	if (row->state == PLAN_EMULATED)
		return limited ? "fills *" : "fills";
	return row->state == PLAN_NATIVE ? "passes" : gap_by_id(id)->on_request ? "if asked" : "not yet";
}

/* A paragraph, a gap's name and `mark` before it. */
static void print_note(const char *name, const char *mark, const char *text, FILE *to)
{
	enum { NAME_COLUMNS = 11 };
	fprintf(to, "%-*s%s", NAME_COLUMNS, name, mark);
	text_wrap(text, NAME_COLUMNS + (unsigned)strlen(mark), to);
}

/* How it is known what a program needs. */
static void print_program(const struct diagnosis *diagnosis, FILE *to)
{
	const struct program_needs *program = diagnosis->program;
	if (!program)
		return;
	if (program->path[0])
		fprintf(to, "%s: ", program->path);
	text_wrap(program->what, program->path[0] ? (unsigned)text_width(program->path) + 2 : 0, to);
	for (int id = 0; id < GAP_COUNT; id++) {
		char text[192];
		if (!((diagnosis->needs | diagnosis->uses) & GAP_BIT(id)))
			continue;
		snprintf(text, sizeof(text), "%s: %s", diagnosis->needs & GAP_BIT(id) ? "needed" : "used", program->how[id]);
		print_note(gap_by_id(id)->name, "", text, to);
	}
	fputc('\n', to);
}

static void print_limits(const struct diagnosis *diagnosis, u32 shown, FILE *to)
{
	bool any = false;
	for (int id = 0; id < GAP_COUNT; id++) {
		const char *const *limit = (shown & GAP_BIT(id)) ? row_limits(id, &diagnosis->plan.rows[id]) : NULL;
		if (limit && !any)
			fputs("* Filled in part, or without effect:\n", to);
		any |= limit != NULL;
		for (const char *name = gap_by_id(id)->name; limit && *limit; limit++, name = "")
			print_note(name, "- ", *limit, to);
	}
	if (any)
		fputc('\n', to);
}

void diagnosis_print(const struct diagnosis *diagnosis, FILE *to)
{
	static const struct cell head[] = {
		{ "FEATURE", 11, COLOUR_BOLD },   { "STATE", 8, COLOUR_BOLD },  { "EVIDENCE", 33, COLOUR_BOLD },
		{ "NEEDED BY", 20, COLOUR_BOLD }, { "LICHEN", 8, COLOUR_BOLD },
	};
	u32 shown = diagnosis_shown(diagnosis);
	if (shown)
		print_row(head, ARRAY_SIZE(head), to);
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct plan_row *row = &diagnosis->plan.rows[id];
		char evidence[288];
		if (!(shown & GAP_BIT(id)))
			continue;
		evidence_text(&row->finding, evidence, sizeof(evidence));
		const struct cell cells[] = {
			{ gap_by_id(id)->name, head[0].width, COLOUR_NONE },
			{ row_state(row), head[1].width, state_colour(row) },
			{ evidence, head[2].width, COLOUR_NONE },
			{ gap_by_id(id)->needed_by, head[3].width, COLOUR_NONE },
			{ what_lichen_does((enum gap_id)id, row, row_limits(id, row)), head[4].width, COLOUR_NONE },
		};
		print_row(cells, ARRAY_SIZE(cells), to);
	}
	char verdict[512];
	if (shown)
		fputc('\n', to);
	print_program(diagnosis, to);
	print_limits(diagnosis, shown, to);
	text_wrap(diagnosis_verdict(diagnosis, verdict, sizeof(verdict)), 0, to);
	if (*diagnosis_remark(diagnosis, verdict, sizeof(verdict)))
		text_wrap(verdict, 0, to);
	if (*diagnosis_containers(diagnosis, verdict, sizeof(verdict)))
		text_wrap(verdict, 0, to);
}

/* Who makes a tree of the command's own. */
static void print_tree_plan(const struct native_plan *tree, FILE *to)
{
	static const char *const words[] = {
		[NATIVE_KERNEL] = "The kernel gives the command a root and namespaces of its own: ",
		[NATIVE_AGENT] = "The agent gives the command a root of its own: ",
		[NATIVE_REFUSED] = "Nobody gives the command a root of its own, as --native forbids the agent: "
	};
	char text[320];
	if (tree->state == NATIVE_MACHINE)
		return;
	snprintf(text, sizeof(text), "%s%s.", words[tree->state], tree->reason);
	text_wrap(text, 0, to);
}

void plan_print(const struct plan *plan, const struct native_plan *tree, char *const *command, FILE *to)
{
	static const char *const words[] = {
		[PLAN_NATIVE] = "native",
		[PLAN_EMULATED] = "emulated",
		[PLAN_REFUSED] = "refused",
	};
	static const enum colour colours[] = {
		[PLAN_NATIVE] = COLOUR_GREEN,
		[PLAN_EMULATED] = COLOUR_GREEN,
		[PLAN_REFUSED] = COLOUR_RED,
	};
	static const struct cell head[] = {
		{ "FEATURE", 11, COLOUR_BOLD },
		{ "PLAN", 9, COLOUR_BOLD },
		{ "WHY", 60, COLOUR_BOLD },
	};
	if (command) {
		fputs("lichen: the plan for", to);
		for (size_t i = 0; command[i]; i++)
			fprintf(to, " %s", command[i]);
		fputc('\n', to);
	}
	print_row(head, ARRAY_SIZE(head), to);
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct plan_row *row = &plan->rows[id];
		const struct cell cells[] = {
			{ gap_by_id(id)->name, head[0].width, COLOUR_NONE },
			{ words[row->state], head[1].width, colours[row->state] },
			{ row->reason, head[2].width, COLOUR_NONE },
		};
		print_row(cells, ARRAY_SIZE(cells), to);
	}
	char names[192], text[320];
	if (plan->emulated)
		snprintf(text, sizeof(text), "lichen answers for %s; everything else goes to the kernel.",
			 gap_names(plan->emulated, names, sizeof(names)));
	else
		snprintf(text, sizeof(text), "Everything goes to the kernel; lichen intercepts nothing.");
	if (plan->emulated || tree->state != NATIVE_AGENT)
		text_wrap(text, 0, to);
	print_tree_plan(tree, to);
}
