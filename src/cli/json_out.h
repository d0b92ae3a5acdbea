/* SPDX-License-Identifier: Apache-2.0 */
/* What the JSON reports share: strings that may come from outside, and printing. */
#ifndef LICHEN_CLI_JSON_OUT_H
#define LICHEN_CLI_JSON_OUT_H

#include <jansson.h>
#include <stdio.h>

#include "base/types.h"

/* A string that may come from outside: when it is not UTF-8, its bytes beyond ASCII become '?'. NULL when memory ran out. */
json_t *json_out_text(const char *text) MUST_CHECK;

/* Prints the object and a newline, and drops the object. Returns 0, or -ENOMEM also when the object is NULL. Stream errors are the caller's. */
int json_out_print(json_t *object, FILE *to) MUST_CHECK;

#endif
