/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files that make a verdict. */
#ifndef LICHEN_WHY_FINDING_INT_H
#define LICHEN_WHY_FINDING_INT_H

#include "why/finding.h"
#include "why/look.h"

struct cause {
	const char *id, *title, *advice;
	enum look look;
};

const struct cause *cause_by_id(enum cause_id id);

/* A line that is held against many calls; begins as { .line = … }. */
#define RELATION_ERRNOS 135
struct relation {
	const struct model_line *line;
	s8 told[RELATION_ERRNOS]; /* points for naming this errno, -1 none; 0: not looked for yet */
};

/* How well a line tells of a refused call; 0: not at all. judge.c keeps the best. */
int relate_score(const struct model *model, struct relation *relation, const struct model_refusal *refusal);

/* Whether a refused call is part of a search that healthy runs make, too: libraries, locales, programs along PATH. */
bool refusal_is_search(const struct model_refusal *refusal);
/* Whether it is an answer that programs expect: try again, no terminal, no such attribute, a probe for a newer call. */
bool refusal_is_quiet(const struct model_refusal *refusal);

/* Finds the symptom or sign that fits a call and a line best (either may be NULL); fills the cause of the finding, if there is one.
 * Returns how much it says: 0 = none, 8 and more = its message was met. */
int match_cause(const struct model *model, const struct model_refusal *refusal, const struct model_line *line,
		struct finding *finding);

/* Fills the words of a finding. */
void explain(const struct model *model, const struct circumstances *circumstances, struct finding *finding);

#endif
