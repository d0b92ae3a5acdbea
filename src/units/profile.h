/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lichen knows of well-known daemons beyond their unit files (profile.def): flags that the machine's lacks call for, and the request that proves that
 * a daemon answers.
 */
#ifndef LICHEN_UNITS_PROFILE_H
#define LICHEN_UNITS_PROFILE_H

#include "host/plan.h"
#include "units/unit_set.h"

enum request_kind {
	REQUEST_NONE,
	REQUEST_REDIS,      /* PING: any answer of the protocol */
	REQUEST_POSTGRES,   /* a start-up message, as pg_isready(1): accepts connections */
	REQUEST_HTTP,       /* GET /: any status line */
	REQUEST_SSH,        /* the banner, "SSH-" */
	REQUEST_DOCKER,     /* GET /_ping: 200 */
	REQUEST_CONTAINERD, /* the socket accepts, and begins HTTP/2 */
};

/* Where a daemon is asked. */
struct request {
	enum request_kind kind;
	char address[256]; /* a path, or HOST:PORT */
};

/* One of REQUEST_…, in words: "PING". */
const char *request_name(enum request_kind kind);
/* A connection to such an address, of which each read and write takes at most so long. Negative errno. */
int request_connect(const char *address, unsigned milliseconds) MUST_CHECK;
/* Asks. 0: it answers as it should; -EAGAIN: not yet; in `why` what it did. Blocks for at most two seconds. */
int request_make(const struct request *request, char why[160]);

/* What proves that it does its work, besides. */
enum proof_kind {
	PROOF_NONE,
	PROOF_CONTAINER, /* it runs a container (proof.c) */
};

/* Proves it, with whoever answers there. 0; or negative errno, and `why` says what it did not do. Blocks. */
int proof_make(const struct request *at, char *why, size_t size) MUST_CHECK;

struct unit_profile {
	struct request request;
	enum proof_kind proof;
	bool proves;             /* the proof is made; not so by --no-proof, or Proof=no in the unit's section [X-Lichen] */
	struct word_list added;  /* words that its command line gets, … */
	struct word_list why;    /* … and a sentence for each */
	struct word_list leaves; /* what it makes in /run and does not take away: absolute paths (unit_leaves.h) */
};

struct unit_profiles {
	struct word_list
		own; /* directories of which the cell has its own, each followed by the names that are not shown of the machine's … */
	struct word_list own_why;             /* … and a sentence for each */
	struct unit_profile of[UNIT_SET_MAX]; /* by the set's order */
};

/* What applies to the units of a set. `missing`: gaps (bit per gap_id) that are neither here nor filled; filled: those that lichen fills.
 * 0 or -ENOMEM. unit_profiles_done(). */
int unit_profiles_find(const struct unit_set *set, u32 missing, u32 filled, struct unit_profiles *ret) MUST_CHECK;
/* Which of these gaps the units of a set do without, by flags. */
u32 unit_profiles_without(const struct unit_set *set, u32 missing);
void unit_profiles_done(struct unit_profiles *profiles);

/* The Debian package that has a unit or a program; NULL: unknown. */
const char *unit_package(const char *unit);

#endif
