/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit and the units that it needs: what runs in one cell. Followed are Requires=, BindsTo=, Wants=, NAME.wants/ and NAME.requires/, a socket's service and
 * Sockets=; of these, services and sockets are run. Targets, mounts and the like are taken for reached, and so are systemd's own units: lichen starts
 * daemons on a machine that is up.
 */
#ifndef LICHEN_UNITS_UNIT_SET_H
#define LICHEN_UNITS_UNIT_SET_H

#include "units/unit.h"

#define UNIT_SET_MAX 64u

enum unit_need {
	UNIT_WANTED,   /* others go on without it */
	UNIT_REQUIRED, /* they do not */
};

struct unit_set {
	struct unit *units[UNIT_SET_MAX]; /* in the order of starting; *head is what was asked for */
	enum unit_need need[UNIT_SET_MAX];
	size_t count;
	const struct unit *head;
	struct word_list notes; /* what is not followed, and why */
};

enum unit_set_error {
	UNIT_SET_OK,
	UNIT_SET_NO_MEMORY,
	UNIT_SET_BAD_NAME,
	UNIT_SET_NOT_FOUND, /* the head, or what it requires */
	UNIT_SET_MASKED,
	UNIT_SET_BAD,      /* a file cannot be read, a user is not there, an unit of a kind that is not run … */
	UNIT_SET_CONFLICT, /* Conflicts= among what is needed */
};

/* Loads it. On failure *ret_why (free(3)) says which unit and why, and the set is empty. unit_set_done(). */
enum unit_set_error unit_set_load(const struct word_list *directories, const char *name, struct unit_set *ret, char **ret_why);
void unit_set_done(struct unit_set *set);

/* Whether `unit` waits for `other` by After= or Before=. */
bool unit_set_after(const struct unit *unit, const struct unit *other);
/* Whether it needs it: Requires= or BindsTo=. */
bool unit_set_requires(const struct unit *unit, const struct unit *other);
/* Whether it is a service or a socket. */
bool unit_is_service(const struct unit *unit);
bool unit_is_socket(const struct unit *unit);
/* The service that a socket unit activates. */
const struct unit *unit_set_service_of(const struct unit_set *set, const struct unit *socket);

#endif
