/* SPDX-License-Identifier: Apache-2.0 */
/* RuntimeDirectory= and its kin (systemd.exec(5)): made before a service starts, the runtime ones removed when it has stopped. */
#ifndef LICHEN_UNITS_UNIT_DIRS_H
#define LICHEN_UNITS_UNIT_DIRS_H

#include "units/unit.h"

/* Makes them, gives them to who runs the unit, and adds RUNTIME_DIRECTORY and the like to `env`. 0; or negative errno with *ret_why (free(3)). */
int unit_dirs_make(const struct unit *unit, struct word_list *env, char **ret_why) MUST_CHECK;
/* Makes the runtime directory of a user's units, in which nobody else may write. 0, or negative errno with *ret_why. */
int unit_dirs_runtime(const struct unit_place *place, char **ret_why) MUST_CHECK;
/* Removes what RuntimeDirectory= names, unless RuntimeDirectoryPreserve= keeps it. Best effort. */
void unit_dirs_remove(const struct unit *unit);

#endif
