/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What daemons leave in /run when they end, above all when they are killed (profile.def, PROFILE_LEAVES): a pid file that keeps the next one from starting,
 * sockets, files on which namespaces are mounted. Only what was not there when the unit was started is the unit's: it is noted in units.json (`leaves`), so
 * that whoever comes after a crash knows it, too.
 */
#ifndef LICHEN_UNITS_UNIT_LEAVES_H
#define LICHEN_UNITS_UNIT_LEAVES_H

#include <jansson.h>

#include "units/word_list.h"

/* Those of the paths that are not there: what is there later the unit has made. 0 or -ENOMEM. */
int unit_leaves_note(const struct word_list *paths, struct word_list *ret) MUST_CHECK;

/* Takes them away: what is mounted there, then the files. For who may not: what can be. */
void unit_leaves_remove(const struct word_list *leaves);

/* Those of a record (units.json) whose manager is no more, but for units whose socket somebody serves: these are somebody else's by now. */
void unit_leaves_clear(const json_t *record);

#endif
