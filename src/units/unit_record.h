/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of units that were started: units.json in the directories of cells (docs/unit-json.md). */
#ifndef LICHEN_UNITS_UNIT_RECORD_H
#define LICHEN_UNITS_UNIT_RECORD_H

#include <jansson.h>

#include "host/cell_config.h"
#include "host/cell_state.h"

#define UNIT_RECORD_FILE "units.json"
#define UNIT_RECORD_SCHEMA "lichen-units/1"

#define UNIT_RECORD_LEFT 16

/* One cell that has, or had, units. */
struct unit_record {
	char id[CELL_ID_SIZE];
	int dir;      /* of the cell */
	json_t *json; /* units.json, corrected by what is so now: of a cell that is over nothing is active */
	struct cell_state state;
	bool alive;
	pid_t left[UNIT_RECORD_LEFT]; /* with `lost`: main processes that still live, 0 = no more */
	bool lost;                    /* it ended without its manager's doing: that was killed */
};
#define UNIT_RECORD_NONE ((struct unit_record){ .dir = -EBADF })

/* Reads a cell's. 0; -ENOENT: it has none; or negative errno. unit_record_done(). */
int unit_record_read(int store, const char *id, struct unit_record *ret) MUST_CHECK;
void unit_record_done(struct unit_record *record);
/* The unit's member of units.json; NULL: it is not in this cell. */
json_t *unit_record_unit(const struct unit_record *record, const char *name);
/* Finds the cell that has a unit: the one that runs, else the youngest. 0; -ENOENT; or negative errno. */
int unit_record_find(int store, const char *name, struct unit_record *ret) MUST_CHECK;

#endif
