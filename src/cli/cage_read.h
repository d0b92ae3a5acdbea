/* SPDX-License-Identifier: Apache-2.0 */
/* A policy as the commands read it, and the line that says what is wrong with it. */
#ifndef LICHEN_CLI_CAGE_READ_H
#define LICHEN_CLI_CAGE_READ_H

#include "cage/policy.h"

/* Reads the policy NAME. 0; -EINVAL: "WHO: FILE:LINE:COLUMN: sentence" is on stderr, and *error filled; -ENOMEM: so is "WHO: out of memory". */
int cage_read_policy(const char *who, const char *name, struct cage_policy **ret, struct cage_policy_error *error) MUST_CHECK;
/* What was found wrong later: says the same. Returns -EINVAL, or -ENOMEM. */
int cage_read_refuse(const char *who, const char *name, const struct cage_policy_error *error) MUST_CHECK;

#endif
