/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about units share. */
#ifndef LICHEN_CLI_UNITS_H
#define LICHEN_CLI_UNITS_H

#include "cli/cells.h"
#include "cli/guest.h"
#include "units/manager.h"
#include "units/unit_record.h"

struct up_options {
	struct guest_options guest;
	bool explain, json, force, no_proof;
	const char *runtime; /* dockerd's default; NULL = none named */
	s64 timeout;         /* seconds; 0 = what units say */
};

/* Everything that is found out before a unit is started. Freed by up_done(). */
struct up {
	const struct command *command;
	const struct up_options *given;
	struct unit_set set;
	struct plan plan;
	struct plan_request request;
	u32 needs; /* gaps that its programs need, … */
	u32 unmet; /* … and that are neither here nor filled, nor done without by a flag */
	struct unit_profiles profiles;
	struct word_list outside; /* units that run already, each in a cell of its own */
};

/* unit_prepare.c: loads the unit and what it needs, and plans. Returns -1, or the exit status after saying what is wrong. */
int up_prepare(const struct command *command, const struct up_options *given, int store, const char *name, struct up *ret);
void up_done(struct up *up);
/* up_explain.c: prints the unit, the plan, what is added and why, and what is not done. */
void up_explain(const struct up *up, FILE *to);
json_t *up_explain_json(const struct up *up);

/* unit_runtime.c: lets dockerd know lichen as a runtime. Returns -1, or the exit status after saying what is wrong. */
int up_add_runtimes(struct up *up);
/* Makes the link by which dockerd finds it. 0 or negative errno. */
int up_make_runtime(const struct up *up, const char *self) MUST_CHECK;

/* unit_start.c: makes the cell, starts its units, and waits until they are up. Returns the exit status, after saying what came of it. */
int up_start(const struct up *up, int store);
/* Stops the cell that has a unit, and waits. 0, or the exit status after saying what is wrong. milliseconds: at most, 0 = as the units say. */
int units_stop(const struct command *command, int store, struct unit_record *record, int milliseconds);

/* Ends what is left of a cell whose manager or monitor was killed. 0 or negative errno. */
int units_clear_up(int store, struct unit_record *record) MUST_CHECK;

/* The full name of a unit that was typed, with an alias followed. 0; or the exit status after saying that it is no such name. */
int units_name(const struct command *command, const char *word, char name[UNIT_NAME_MAX + 1]);
/* A unit that was started, by what was typed. 0; -ENOENT: there is none; or negative errno. Says nothing. */
int units_find(int store, const char *word, char name[UNIT_NAME_MAX + 1], struct unit_record *ret) MUST_CHECK;
/* The last lines of a unit's log. */
void units_last_lines(int cell, const char *name, unsigned lines, FILE *to);
/* Says where docker(1) finds a dockerd that listens somewhere else than it looks. */
void units_say_docker_host(const char *indent, const char *at);
/* A unit's log directory in a cell's. A descriptor or negative errno. */
int units_log_dir(int cell, const char *name) MUST_CHECK;

#endif
