/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates in the values of a step.
 *
 *     {previous_output}      the output of the last step before this one that was carried out with success; empty when there is none
 *     {step_N_output}        that of step N, an earlier one; empty when it was skipped or failed
 *     ${NAME}                a variable of lichen's environment, which must be set
 *     ${NAME:-default}       the same, or the default when it is unset or empty; the default is taken as it stands, up to the next '}'
 *     {{  $$                 a '{', a '$'
 *
 * Every other character stands for itself, so JSON may be written as it is. What looks like one of these and is none ({step_x_output}, ${1}) is an error.
 * There is one pass: what was filled in is never looked at again, and nothing is ever executed.
 */
#ifndef LICHEN_FLOW_FLOW_TEMPLATE_H
#define LICHEN_FLOW_FLOW_TEMPLATE_H

#include "base/types.h"

#define FLOW_FILLED_MAX (64u << 20) /* bytes that a value may have when it is filled in */
#define FLOW_WHY_MAX 200u

enum flow_state {
	FLOW_STEP_WAITS,
	FLOW_STEP_OK,
	FLOW_STEP_SKIPPED,
	FLOW_STEP_FAILED,
};

/* An earlier step. */
struct flow_output {
	unsigned step; /* its number */
	enum flow_state state;
	const char *text; /* UTF-8 */
	size_t size;
};

/* What templates and conditions can refer to. */
struct flow_scope {
	const struct flow_output *outputs; /* in the order of the steps */
	size_t count;
	const char *(*variable)(const char *name); /* getenv; NULL: all are empty */
	bool checking; /* only whether it can be filled in is of interest: the outputs are not known yet */
};

/* Fills in a text. *ret: malloc'ed, NUL-terminated. 0; -EINVAL with a sentence in `why`; -EFBIG; -ENOMEM. */
int flow_template_fill(const char *text, size_t length, const struct flow_scope *scope, char **ret, size_t *ret_size,
		       char why[FLOW_WHY_MAX]) MUST_CHECK;
/* Whether anything in the text is to be filled in, or escaped. */
bool flow_template_is(const char *text, size_t length);

/* The output that a name like "step_3_output" or "previous_output" refers to. 0; -ENOENT: it is no such name; -EINVAL: there is no such earlier step (`why`).
 * *ret: NULL when it is empty because nothing was carried out. */
int flow_scope_output(const struct flow_scope *scope, const char *name, size_t length, const struct flow_output **ret,
		      char why[FLOW_WHY_MAX]) MUST_CHECK;
/* Reads N of "step_N_suffix". Returns it, or 0. */
unsigned flow_scope_number(const char *name, size_t length, const char *suffix);

#endif
