/* SPDX-License-Identifier: Apache-2.0 */
/* Names of units (systemd.unit(5), "String Escaping for Inclusion in Unit Names") and the specifiers that stand for parts of them. */
#ifndef LICHEN_UNITS_UNIT_NAME_H
#define LICHEN_UNITS_UNIT_NAME_H

#include "base/types.h"

#define UNIT_NAME_MAX 255u

struct unit_name {
	char full[UNIT_NAME_MAX + 1];     /* "postgresql@15-main.service" */
	char prefix[UNIT_NAME_MAX + 1];   /* "postgresql" */
	char instance[UNIT_NAME_MAX + 1]; /* "15-main"; "" without one, and for a template */
	const char *type;                 /* "service": points into `full` */
	bool is_template;                 /* "postgresql@.service" */
	bool has_instance;
};

/* Takes what a user typed or a file says: without a known type it is a service. 0 or -EINVAL. */
int unit_name_parse(const char *text, struct unit_name *ret) MUST_CHECK;
/* "postgresql@.service" of an instance; "" of others. */
void unit_name_template(const struct unit_name *name, char text[UNIT_NAME_MAX + 1]);
/* Undoes the escaping: `-` is a slash, \x2d a dash. `text` is changed in place. */
void unit_name_unescape(char *text);

/* Who runs a unit, and where: what specifiers and preparations ask for. */
struct unit_place {
	char user[64], group[64], home[256], shell[256];
	u32 uid, gid;
	bool system;       /* root's, or in the place of root's: /run, /var/lib …; else a user's: $XDG_RUNTIME_DIR … */
	char runtime[256]; /* %t */
	char state[256];   /* %S */
	char cache[256];   /* %C */
	char logs[256];    /* %L */
	char config[256];  /* %E */
	char data[256];    /* %D */
	const char *path;  /* of the unit's file, %y; may be NULL */
};

/* Replaces specifiers. 0 and *ret (free(3)); -EINVAL: an unknown one; -ENOMEM. */
int unit_specifiers(const char *text, const struct unit_name *name, const struct unit_place *place, char **ret) MUST_CHECK;

#endif
