/* SPDX-License-Identifier: Apache-2.0 */
/* What the last words of a daemon that died mean: by the symptoms of gaps (gap.h), which `lichen why` knows as well. */
#ifndef LICHEN_CLI_UNIT_HINT_H
#define LICHEN_CLI_UNIT_HINT_H

#include <stdio.h>

#include "host/plan.h"

/* Prints it, if a line of the unit's log is known. cell: its directory. */
void unit_hint(int cell, const char *unit, const struct plan *plan, FILE *to);

#endif
