/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the policy's reader share. */
#ifndef LICHEN_CAGE_POLICY_INT_H
#define LICHEN_CAGE_POLICY_INT_H

#include "cage/policy.h"

/* What a value is: how it is judged (grammar) and what becomes of it (meaning). */
enum field_kind {
	FIELD_BOOL,
	FIELD_MODE,    /* none, host, proxy */
	FIELD_USER,    /* UID:GID */
	FIELD_COUNT,   /* an int, in a u32 */
	FIELD_CPU,     /* a number, in thousandths */
	FIELD_SIZE,    /* "64m" */
	FIELD_TIME,    /* "30s" */
	FIELD_PATH,    /* a path that may be missing: struct cage_path * */
	FIELD_PROFILE, /* the same, or `default` */
	FIELD_PATHS,
	FIELD_ALLOW,   /* targets */
	FIELD_PRIVATE, /* the same, of the private list */
	FIELD_CALLS,   /* system calls */
	FIELD_NAMES,   /* of variables, maybe with * at their end */
	FIELD_SET,     /* KEY: VALUE of variables */
	FIELD_QUIET,
};

/* A key of a section: where its value goes, and its limits. */
struct policy_field {
	const char *section, *key;
	enum field_kind kind;
	size_t offset; /* in struct cage_policy */
	u64 least, most;
};

struct policy_reader {
	struct cage_policy *policy;
	struct cage_policy_error *error;
};

/* The keys of all sections, those of one section together. */
const struct policy_field *policy_fields(size_t *ret_count);

/* Is the value what the schema says? 0 or -EINVAL. */
int policy_check_value(const struct policy_field *field, const struct yaml_node *node, struct yaml_error *error) MUST_CHECK;
/* Takes a value that was found to be right. 0, -EINVAL for one that means nothing (error->meaning is set), -ENOMEM. */
int policy_take_value(const struct policy_reader *reader, const struct policy_field *field,
		      const struct yaml_node *node) MUST_CHECK;
/* Writes a sentence about what a value means. Returns -EINVAL. */
int policy_refuse(const struct policy_reader *reader, const struct yaml_node *node, const char *format, ...) PRINTF_LIKE(3, 4);

/* Strings, by themselves. NULL: it is right; else what is due. */
const char *policy_wrong_path(const char *text);
const char *policy_wrong_target(const char *text);
const char *policy_wrong_call(const char *text);
const char *policy_wrong_name(const char *text);    /* of a variable, to set */
const char *policy_wrong_pattern(const char *text); /* of variables, to pass */
const char *policy_wrong_quiet(const char *text);
/* 0: a UID and a GID, each at most 10 digits. */
const char *policy_wrong_user(const char *text);
/* What of an entry of report.quiet is the WHAT: *ret_object is what follows. -EINVAL: it is none. */
int policy_split_quiet(const char *text, const char **ret_object) MUST_CHECK;
/* Is the object of these a path? */
bool policy_denied_path(enum cage_denied what);

/* Makes a path of a policy absolute. 0, -EINVAL with a sentence, or -ENOMEM. */
int policy_take_path(const struct policy_reader *reader, const struct yaml_node *node, const char *written,
		     struct cage_path *ret) MUST_CHECK;

/* Says why a path that is each process's own (policy_of_process()) cannot be denied. Returns -EINVAL. */
int policy_refuse_own(const struct policy_reader *reader, const struct yaml_node *node, const char *written) MUST_CHECK;

/* The text of a built-in profile; NULL: there is none of that name. */
const char *policy_profile_text(const char *name);

#endif
