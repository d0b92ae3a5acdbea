/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit: a systemd unit file as a package installs it, with its drop-ins (systemd.unit(5), "Unit File Load Path"). Searched, the first one that has it:
 *
 *   $XDG_CONFIG_HOME/lichen/units (~/.config/lichen/units)   /etc/lichen/units
 *   /etc/systemd/system   /run/systemd/system   /usr/local/lib/systemd/system   /lib/systemd/system   /usr/lib/systemd/system
 *
 * Drop-ins come from all of them: NAME.d, TEMPLATE.d, PREFIX-.TYPE.d and TYPE.d, by file name; of two of one name that of the earlier directory counts.
 * A symbolic link to another unit's name is an alias, one to /dev/null (or an empty file) masks the unit.
 */
#ifndef LICHEN_UNITS_UNIT_H
#define LICHEN_UNITS_UNIT_H

#include <limits.h>

#include "units/unit_name.h"
#include "units/unit_text.h"

enum unit_load {
	UNIT_LOADED,
	UNIT_NOT_FOUND, /* no file has that name */
	UNIT_MASKED,
	UNIT_BAD, /* its file cannot be read: `error` */
};

struct unit {
	struct unit_name name; /* the real one */
	enum unit_load load;
	int error;  /* positive errno of UNIT_BAD */
	char *path; /* of the file; NULL without one */
	struct word_list drop_ins, notes;
	struct unit_settings settings;
	struct word_list wants, requires; /* of NAME.wants and NAME.requires */
	struct unit_place place;          /* unit_place.c; only of what is to be run */
};

/* Where is searched, in that order. */
int unit_directories(struct word_list *ret) MUST_CHECK;

/* Loads a unit by what a user or another unit calls it. 0 and *ret, whatever ->load says; -EINVAL: that is no unit's name; -ENOMEM. unit_free(). */
int unit_load(const struct word_list *directories, const char *name, struct unit **ret) MUST_CHECK;
void unit_free(struct unit *unit);

/* The last value; NULL: it is not set, or was cleared. Service, Socket or the section named. */
const char *unit_get(const struct unit *unit, const char *section, const char *name);
/* The values in order, from the last empty assignment on; begin with *at = 0. NULL: no more. */
const struct unit_setting *unit_next(const struct unit *unit, const char *section, const char *name, size_t *at);
/* All words of these values, specifiers replaced, whose place must be known. 0, -EINVAL with *ret_at; or -ENOMEM. */
int unit_list(const struct unit *unit, const char *section, const char *name, struct word_list *into,
	      const struct unit_setting **ret_at) MUST_CHECK;
/* `otherwise` when it is not set, or is no such value. */
bool unit_get_bool(const struct unit *unit, const char *section, const char *name, bool otherwise);
s64 unit_get_span(const struct unit *unit, const char *section, const char *name, s64 otherwise);
u32 unit_get_mode(const struct unit *unit, const char *section, const char *name, u32 otherwise);
/* With specifiers replaced, free(3) it; NULL: it is not set, or out of memory. */
char *unit_get_text(const struct unit *unit, const char *section, const char *name);

/* unit_place.c: who runs it, and where its directories are; 0, or negative errno with *ret_why (free(3)): there is no such user or group. */
int unit_find_place(struct unit *unit, char **ret_why) MUST_CHECK;
/* Where a path of a unit's is: of a unit that is a user's, what the package has below /run is below the user's runtime directory. */
void unit_own_path(const struct unit_place *place, const char *path, char ret[PATH_MAX]);

#endif
