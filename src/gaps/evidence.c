// SPDX-License-Identifier: Apache-2.0
/* How a probe puts its steps together into one finding. */
#include "gaps/evidence.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What an errno says about a feature: ENOSYS and its like MISSING, EPERM and its like BLOCKED, ENOMEM and its like UNKNOWN. */
static enum gap_presence evidence_class(int error)
{
	switch (error) {
	case 0:
		return GAP_PRESENT;
	case EPERM:
	case EACCES:
	case EROFS:
		return GAP_BLOCKED;
	case ENOMEM:
	case EMFILE:
	case ENFILE:
	case EAGAIN:
	case EINTR:
	case ENOSPC:
	case EDQUOT:
	case ETIMEDOUT:
		return GAP_UNKNOWN;
	default:
		return GAP_MISSING;
	}
}

/* The order in which findings decide. */
static int weight(enum gap_presence presence)
{
	switch (presence) {
	case GAP_MISSING:
		return 3;
	case GAP_BLOCKED:
		return 2;
	case GAP_UNKNOWN:
		return 1;
	case GAP_PRESENT:
		break;
	}
	return 0;
}

/* Appends a piece to a NUL-terminated buffer; a piece that does not fit whole becomes "…", and so does every later one. */
static void append(char *to, size_t size, const char *separator, const char *format, ...) PRINTF_LIKE(4, 5);
static void append(char *to, size_t size, const char *separator, const char *format, ...)
{
	static const char ellipsis[] = "…";
	char piece[160];
	va_list args;
	va_start(args, format);
	vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	size_t used = strlen(to);
	const char *between = used ? separator : "";
	size_t left = size - used;
	if (used >= strlen(ellipsis) && strcmp(to + used - strlen(ellipsis), ellipsis) == 0)
		return;
	if (strlen(between) + strlen(piece) + strlen(separator) + sizeof(ellipsis) <= left)
		snprintf(to + used, left, "%s%s", between, piece);
	else if (strlen(between) + sizeof(ellipsis) <= left)
		snprintf(to + used, left, "%s%s", between, ellipsis);
}

void evidence_begin(struct evidence *evidence, struct gap_finding *finding, const char *whole)
{
	*evidence = (struct evidence){ .finding = finding, .whole = whole };
	*finding = (struct gap_finding){ .presence = GAP_UNKNOWN };
}

static void announce(struct evidence *evidence, const char *step, bool extra, const char *tried, va_list args) PRINTF_LIKE(4, 0);
static void announce(struct evidence *evidence, const char *step, bool extra, const char *tried, va_list args)
{
	evidence->step = step;
	evidence->extra = extra;
	vsnprintf(evidence->finding->tried, sizeof(evidence->finding->tried), tried, args);
}

void evidence_try(struct evidence *evidence, const char *step, const char *tried, ...)
{
	va_list args;
	va_start(args, tried);
	announce(evidence, step, false, tried, args);
	va_end(args);
}

void evidence_try_extra(struct evidence *evidence, const char *step, const char *tried, ...)
{
	va_list args;
	va_start(args, tried);
	announce(evidence, step, true, tried, args);
	va_end(args);
}

/* Names a failure that is not the evidence itself. */
static void add_other(struct evidence *evidence, const char *step, int error, const char *wrong)
{
	const char *name = error ? strerrorname_np(error) : wrong;
	append(evidence->others, sizeof(evidence->others), ", ", "%s %s", step, name ? name : "failed");
}

static void fail(struct evidence *evidence, enum gap_presence presence, int error, const char *wrong)
{
	struct gap_finding *first = &evidence->first;
	if (evidence->extra || weight(presence) <= weight(first->presence)) {
		evidence->failures += !evidence->extra;
		add_other(evidence, evidence->step, error, wrong);
		return;
	}
	if (evidence->failures++)
		add_other(evidence, evidence->first_step, first->error, first->detail);
	first->presence = presence;
	first->error = error;
	memcpy(first->tried, evidence->finding->tried, sizeof(first->tried));
	snprintf(first->detail, sizeof(first->detail), "%s", wrong);
	evidence->first_step = evidence->step;
}

bool evidence_answer(struct evidence *evidence, int error)
{
	evidence->steps += !evidence->extra;
	if (error)
		fail(evidence, evidence_class(error), error, "");
	return error == 0;
}

void evidence_wrong(struct evidence *evidence, const char *what)
{
	evidence->steps += !evidence->extra;
	fail(evidence, GAP_MISSING, 0, what);
}

void evidence_unable(struct evidence *evidence, int error)
{
	evidence->steps += !evidence->extra;
	fail(evidence, GAP_UNKNOWN, error, "");
}

void evidence_note(struct evidence *evidence, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(evidence->note, sizeof(evidence->note), format, args);
	va_end(args);
}

void evidence_end(struct evidence *evidence)
{
	struct gap_finding *finding = evidence->finding;
	const struct gap_finding *first = &evidence->first;
	if (evidence->failures == 0) {
		finding->error = 0;
		finding->detail[0] = '\0';
		snprintf(finding->tried, sizeof(finding->tried), "%s", evidence->whole);
	} else {
		finding->error = first->error;
		memcpy(finding->tried, first->tried, sizeof(finding->tried));
		memcpy(finding->detail, first->detail, sizeof(finding->detail));
		if (evidence->steps > 1)
			append(finding->detail, sizeof(finding->detail), "; ", "%u of %u checks failed", evidence->failures,
			       evidence->steps);
	}
	if (evidence->others[0])
		append(finding->detail, sizeof(finding->detail), "; ", "%s: %s", evidence->failures ? "also" : "without",
		       evidence->others);
	if (evidence->note[0])
		append(finding->detail, sizeof(finding->detail), "; ", "%s", evidence->note);
	finding->presence = evidence->failures ? first->presence : GAP_PRESENT;
}
