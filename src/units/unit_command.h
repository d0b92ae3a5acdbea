/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines of a service (systemd.service(5), "Command Lines"). */
#ifndef LICHEN_UNITS_UNIT_COMMAND_H
#define LICHEN_UNITS_UNIT_COMMAND_H

#include "units/unit.h"

struct unit_command {
	char *program;         /* a path, or a name that is searched along PATH */
	struct word_list argv; /* specifiers replaced, variables not */
	bool ignore_failure;   /* - */
	bool literal;          /* : no variables */
	bool privileged;       /* + or !: User= and the like do not count */
};

struct unit_commands {
	struct unit_command *rows;
	size_t count;
};

/* All commands of ExecStart= or another. What cannot be understood is noted in *ret_why (free(3)): -EINVAL; or -ENOMEM. */
int unit_commands(const struct unit *unit, const char *section, const char *name, struct unit_commands *ret,
		  char **ret_why) MUST_CHECK;
void unit_commands_done(struct unit_commands *commands);

/* The words with $VAR and ${VAR} replaced out of `env`. 0 or -ENOMEM. */
int unit_command_expand(const struct unit_command *command, const struct word_list *env, struct word_list *ret) MUST_CHECK;

#endif
