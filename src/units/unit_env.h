/* SPDX-License-Identifier: Apache-2.0 */
/* The environment of a service (systemd.exec(5), "Environment"). */
#ifndef LICHEN_UNITS_UNIT_ENV_H
#define LICHEN_UNITS_UNIT_ENV_H

#include "units/unit.h"

/*
 * What its commands get: PATH and the locale, who runs it, PassEnvironment=, Environment=, EnvironmentFile=; UnsetEnvironment= at last. `own`: our
 * environment. 0; or negative errno with *ret_why (free(3)): a file cannot be read.
 */
int unit_env(const struct unit *unit, char *const *own, struct word_list *ret, char **ret_why) MUST_CHECK;

/* Takes the assignments of a text of EnvironmentFile=. 0 or -ENOMEM. */
int unit_env_parse(const char *text, struct word_list *into) MUST_CHECK;

#endif
