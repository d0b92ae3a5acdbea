/* SPDX-License-Identifier: Apache-2.0 */
/* What commands that run a guest share: its options, the plan that they ask for, and the words for a guest that did not start. */
#ifndef LICHEN_CLI_GUEST_H
#define LICHEN_CLI_GUEST_H

#include "cli/options.h"
#include "cli/words.h"
#include "host/launch.h"
#include "host/plan.h"

struct guest_options {
	struct gap_set emulate, native, refuse;
	const char *workdir;
	struct option_words env; /* KEY=VALUE: set; KEY: not in the guest's environment */
};

/* An option_row.parse for such words: KEY=VALUE, or KEY, which is as in our environment. */
int guest_parse_env(void *field, const char *value, struct option_error *error);
/* The same for each line of a file, but for empty ones and comments (#); KEY that we do not have is passed over. */
int guest_parse_env_file(void *field, const char *value, struct option_error *error);

/* `base` with these changes, in an array that is the caller's; the words are not copied. NULL without memory. */
char **guest_env(const struct option_words *given, char *const *base) MUST_CHECK;
/* Whether an environment has a variable; `key` may be an assignment. */
bool guest_env_has(char *const *env, const char *key);

/* Option rows for a command whose struct `type` has a struct guest_options `field`: which gaps are filled … */
/* clang-format off */
#define GUEST_GAP_OPTIONS(type, field) \
	{ .name = "emulate", \
	  .value = "GAP,…", \
	  .offset = offsetof(type, field.emulate), \
	  .parse = parse_gaps, \
	  .help = "fill these gaps even where the kernel has the feature; all: every gap that lichen can fill" }, \
	{ .name = "native", \
	  .value = "GAP,…", \
	  .offset = offsetof(type, field.native), \
	  .parse = parse_gaps, \
	  .help = "never fill these gaps" }, \
	{ .name = "refuse", \
	  .rare = true, \
	  .value = "GAP,…", \
	  .offset = offsetof(type, field.refuse), \
	  .parse = parse_gaps, \
	  .help = "let the kernel answer as one without the feature, so that lichen fills it (for tests)" }

/* … and where the guest runs. */
#define GUEST_PLACE_OPTIONS(type, field) \
	{ .name = "env", \
	  .letter = 'e', \
	  .value = "KEY[=VALUE]", \
	  .offset = offsetof(type, field.env), \
	  .parse = guest_parse_env, \
	  .help = "set a variable of the command; without value: as it is here" }, \
	{ .name = "workdir", \
	  .letter = 'w', \
	  .value = "DIR", \
	  .offset = offsetof(type, field.workdir), \
	  .help = "run the command in this directory" }
/* clang-format on */

/* Turns what the command line names into a request. Returns -1, or the exit status after saying what is wrong. */
int guest_request(const struct command *command, const struct guest_options *given, struct plan_request *request);
/* What goes with that: who mounts mounts overlays, and without a tree of the guest's own an overlay is what somebody mounts. Returns -1, or the exit status. */
int guest_imply(const struct command *command, bool tree, struct plan_request *request);

/* Says on stderr why the guest did not start: what was asked, what was answered, what to do. */
void guest_say_failure(const char *program, const char *workdir, const struct launch_result *result);

#endif
