/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mattered in a run: docs/why.md states the rule. A finding is a refused call, or a message, or a death, or several of them that
 * belong together; its cause is a symptom of a gap or a row of causes.def.
 *
 *   judge.c     which lines tell of which refused calls; silent deaths; what is the same; what comes first
 *   match.c     which symptom or sign fits best
 *   explain.c   words: what it is, whether lichen fills it, what to do
 */
#ifndef LICHEN_WHY_FINDING_H
#define LICHEN_WHY_FINDING_H

#include "gaps/gap.h"
#include "host/plan.h"
#include "why/model.h"

#define FINDING_LINES 4

enum cause_id {
#define CAUSE(id, look, title, advice) CAUSE_##id,
#define SIGN(...)
#include "why/causes.def"
#undef CAUSE
#undef SIGN
	CAUSE_COUNT,
	CAUSE_NONE = CAUSE_COUNT,
};

/* Why a finding is one; the order is that of importance. */
enum finding_weight {
	FINDING_NOTED,    /* somebody printed it, as information or a warning, and went on */
	FINDING_SILENT,   /* the last thing refused to a process that then failed without a word */
	FINDING_REPORTED, /* a program said that this failed */
	FINDING_DEATH,    /* a signal ended a process */
	FINDING_ENDED,    /* the run ended by it, as far as can be told: at most one */
};

struct finding {
	enum finding_weight weight;
	enum model_severity severity;
	const struct model_refusal *refusal;           /* NULL: no call was refused */
	const struct model_line *lines[FINDING_LINES]; /* what was said about it, in order; the first and the latest ones */
	unsigned line_count, more_lines;
	unsigned times; /* how often the same was refused or said, at least 1 */
	u32 process;    /* whose it is; MODEL_NONE: nobody began */
	const char *program;
	int signal; /* that ended the process; 0 = none */
	u64 time;
	bool in_chain; /* the process failed, and so did all above it */

	/* The cause; at most one of the two. */
	int gap; /* enum gap_id, -1 = no gap */
	const struct gap_symptom *symptom;
	enum cause_id cause;
	const char *source;
	const char *name; /* what a sign's {name} stands for, NULL = nothing */

	/* Words; explain.c. All are sentences without full stop or NULL, but advice (whole sentences) and command (shell). */
	const char *call;    /* decoded; NULL = no call */
	const char *what;    /* what is the matter */
	const char *looked;  /* what is so on this machine now */
	const char *filling; /* whether lichen fills it */
	const char *advice;  /* what else could be done */
	const char *command; /* what to run instead */
};

struct verdict {
	struct finding *findings; /* the most important first */
	size_t count;
	u64 refused;  /* calls that were refused in all, those that did not matter included */
	bool healthy; /* nothing mattered */
};

/* What explaining may use besides the record. */
struct circumstances {
	const struct plan *plan;  /* all gaps probed; NULL = unknown */
	u32 emulated;             /* gaps that were filled in the recorded run */
	u64 oom_kills;            /* look_oom_kills() before the run; LOOK_UNKNOWN when the record is read later */
	bool look;                /* look at this machine: it is the one where the run was */
	const char *command_line; /* as a shell would take it */
};

/* Finds what mattered. Returns 0 or -ENOMEM. The verdict refers to the model, which must stay. */
int verdict_make(const struct model *model, const struct circumstances *circumstances, struct verdict *verdict) MUST_CHECK;
void verdict_done(struct verdict *verdict);

/* The finding of a command that could not be started at all: `error` is execve's. Returns 0 or -ENOMEM. */
int verdict_not_started(const struct model *model, const struct circumstances *circumstances, const char *program, int error,
			struct verdict *verdict) MUST_CHECK;

/* The id of the cause's row in causes.def; NULL when it is a gap or unknown. */
const char *finding_cause_word(const struct finding *finding);

/* "ended", "death", "reported", "silent", "noted". */
const char *finding_weight_word(enum finding_weight weight);

#endif
