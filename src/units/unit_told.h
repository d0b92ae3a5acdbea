/* SPDX-License-Identifier: Apache-2.0 */
/* What of a unit lichen does not do (directives.def): told, never dropped in silence. */
#ifndef LICHEN_UNITS_UNIT_TOLD_H
#define LICHEN_UNITS_UNIT_TOLD_H

#include "units/unit.h"

struct unit_told {
	struct word_list guards; /* "ProtectSystem=strict": protections that are not applied */
	struct word_list lacks;  /* a sentence each, with what is so instead; unknown directives and malformed lines as well */
};

/* 0 or -ENOMEM. unit_told_done(). */
int unit_told(const struct unit *unit, struct unit_told *ret) MUST_CHECK;
void unit_told_done(struct unit_told *told);

#endif
