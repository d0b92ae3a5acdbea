/* SPDX-License-Identifier: Apache-2.0 */
/* Condition…= and Assert…= (systemd.unit(5), "Conditions and Asserts"). */
#ifndef LICHEN_UNITS_UNIT_CONDITION_H
#define LICHEN_UNITS_UNIT_CONDITION_H

#include "units/unit.h"

enum unit_met {
	UNIT_MET,
	UNIT_CONDITION_FAILED, /* the unit is skipped, and that is no failure */
	UNIT_ASSERT_FAILED,
};

/* Looks at all of them. *ret_why (free(3)) is the one that is not met; those that lichen cannot judge count as met and are added to `notes`. */
enum unit_met unit_conditions(const struct unit *unit, struct word_list *notes, char **ret_why);

#endif
