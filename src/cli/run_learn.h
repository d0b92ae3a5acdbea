/* SPDX-License-Identifier: Apache-2.0 */
/* `lichen run --learn FILE`: a policy for a cage from what the command used. */
#ifndef LICHEN_CLI_RUN_LEARN_H
#define LICHEN_CLI_RUN_LEARN_H

#include "audit/audit_run.h"
#include "cage/cage_tmp.h"
#include "cli/commands.h"
#include "host/launch.h"

struct cage_learner;

struct run_learn {
	const char *path; /* of the policy; NULL = nothing is learnt */
	struct cage_learner *learner;
	struct cage_policy *nothing; /* that allows nothing but a directory for temporary files, `tmp` */
	struct cage_tmp tmp;
	char **env, *variable; /* of the command; TMPDIR in it */
	struct launch_trace trace;
	u64 numbers[TRACE_NUMBERS_SIZE]; /* the calls that only a policy which names them allows */
};

/* Lets a launch record what its guest uses. Returns -1, or the exit status after saying what is wrong. */
int run_learn_begin(const struct command *command, struct run_learn *learn, struct launch *launch);
/* Tells the log of the run that it is not confined. 0; or negative errno with *error. */
int run_learn_note(const struct run_learn *learn, const char *audit, const struct audit_run *run,
		   struct audit_error *error) MUST_CHECK;
/* The guest has run: writes the policy, and says so. Returns -1, or the exit status. */
int run_learn_end(const struct command *command, struct run_learn *learn);
void run_learn_done(struct run_learn *learn);

#endif
