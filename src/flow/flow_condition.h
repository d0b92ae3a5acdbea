/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions of steps.
 *
 *     expression  = conjunction { "or" conjunction }
 *     conjunction = negation { "and" negation }
 *     negation    = "not" negation | "(" expression ")" | comparison
 *     comparison  = value [ ( "==" | "!=" | "contains" ) value ]
 *     value       = string | number | "true" | "false" | variable | name { "." member }
 *     string      = '…' or "…", in which \\ \' \" \n \t stand for a backslash, quotes, a newline, a tab
 *     variable    = "${NAME}" or "${NAME:-default}", as in templates
 *     name        = previous_output, step_N_output, step_N_status; also in braces
 *
 * Every value is a text. == and != compare texts without the white space at their ends, `contains` is about bytes. A value alone is true unless it is
 * empty or "false". step_N_status is ok, failed or skipped. `.member` is a member of an output that is a JSON object: its text, its number as JSON has
 * it; empty when there is none. Nothing is executed; a condition has at most 4 KiB and 32 levels.
 */
#ifndef LICHEN_FLOW_FLOW_CONDITION_H
#define LICHEN_FLOW_FLOW_CONDITION_H

#include "flow/flow_template.h"

#define FLOW_CONDITION_MAX 4096u
#define FLOW_CONDITION_DEPTH 32u

/* Returns whether it is true: 0 or 1; -EINVAL with a sentence in `why`, *ret_at: the byte where it is wrong; -ENOMEM. */
int flow_condition(const char *text, size_t length, const struct flow_scope *scope, size_t *ret_at,
		   char why[FLOW_WHY_MAX]) MUST_CHECK;

#endif
