/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The challenges of a 401 answer: the field WWW-Authenticate of RFC 9110, section 11.6.1, for the two schemes that registries use: Bearer
 * with its parameters realm, service and scope (distribution-spec; Docker's token authentication), and Basic with realm.
 */
#ifndef LICHEN_FETCH_CHALLENGE_H
#define LICHEN_FETCH_CHALLENGE_H

#include "base/types.h"

#define CHALLENGE_TEXT_MAX 2048 /* of each parameter; a longer one makes its challenge unusable */

struct challenge {
	bool basic;  /* Basic is offered */
	bool bearer; /* Bearer is offered, and its realm is not empty */
	char realm[CHALLENGE_TEXT_MAX], service[CHALLENGE_TEXT_MAX],
		scope[CHALLENGE_TEXT_MAX]; /* of the first Bearer; "" where not given */
};

/*
 * Reads one field value: a list of challenges, of any schemes. Adds to what is in *challenge, so that several fields may be read one after
 * the other; start with { 0 }. What does not follow the grammar ends the reading: challenges before it count. Never fails.
 */
void challenge_read(struct challenge *challenge, const char *field);

#endif
