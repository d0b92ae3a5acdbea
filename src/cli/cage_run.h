/* SPDX-License-Identifier: Apache-2.0 */
/* `lichen run --cage`: the policy, the cage, and words for what is missing. */
#ifndef LICHEN_CLI_CAGE_RUN_H
#define LICHEN_CLI_CAGE_RUN_H

#include "cage/cage.h"
#include "cage/cage_tmp.h"
#include "cli/commands.h"
#include "cli/run_audit.h"

struct cage_options {
	const char *policy; /* file or profile; NULL: no cage */
	u32 weaker;         /* bit per layer that may be missing */
};

/* An option_row.parse for cage_options.weaker: layers, separated by commas. */
int cage_parse_weaker(void *field, const char *value, struct option_error *error);

/* clang-format off */
#define CAGE_OPTIONS(type, field) \
	{ .name = "cage", \
	  .value = "POLICY", \
	  .offset = offsetof(type, field.policy), \
	  .help = "let it do what this policy allows, and nothing else" }, \
	{ .name = "allow-weaker", \
	  .value = "LAYER,…", \
	  .offset = offsetof(type, field.weaker), \
	  .parse = cage_parse_weaker, \
	  .rare = true, \
	  .help = "go on without these layers of the cage where the kernel lacks them: " \
		  "files, deny, syscalls, network, unix, scopes, limits" }
/* clang-format on */

#define CAGE_RUN_TEXTS 4u /* its directory, image, root, user */

struct cage_run {
	struct cage_policy *policy;
	struct cage_tmp tmp;
	struct cage *cage; /* NULL: none */
	char **env;        /* what passes of ours */
	json_t *described; /* for the log */
	/* As the log gets them; NULL: as they are. */
	char **words; /* of the command */
	char *texts[CAGE_RUN_TEXTS];
};

/* The log of a run for which none was named: the policy's (NULL: there is none), else that of the user. Returns -1, or the exit status. */
int cage_run_choose_log(const struct cage_policy *policy, struct run_audit *audit) MUST_CHECK;
/* Reads the policy and opens the cage; `audit` gets the log that is kept in any case. Returns -1; or the exit status, after saying why. */
int cage_run_open(const struct command *command, const struct cage_options *given, struct run_audit *audit,
		  struct cage_run *ret) MUST_CHECK;
/* Its last step, when ret->policy is there: makes what it needs and tries the layers. Likewise. */
int cage_run_start(struct cage_run *run, u32 weaker) MUST_CHECK;
/* A path without symbolic links as far as it is there, and what is not there as it is written. NULL without memory. */
char *cage_run_real(const char *path) MUST_CHECK;
/* The file of the key that signs a log: what $LICHEN_AUDIT_KEY names, else the log's own. */
void cage_run_key(const char *log, char ret[PATH_MAX + 8]);
/*
 * Who can read the key of a log can forge it: no rule may reach a path, which is `real` without symbolic links. name: as it was given; key: it is the key.
 * Returns -1, or the exit status.
 */
int cage_run_keep_out(const struct cage_policy *policy, const char *real, const char *name, bool key) MUST_CHECK;
/* Tells `audit` of it, once it is known how the command will be run. 0 or -ENOMEM. */
int cage_run_describe(struct cage_run *run, struct run_audit *audit) MUST_CHECK;
/* Tells on stderr and in the log which limit ended the command, if one did. 0, or 74. */
int cage_run_limit(const struct cage_run *run, const struct run_audit *audit) MUST_CHECK;
void cage_run_close(struct cage_run *run);

#endif
