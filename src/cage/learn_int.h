/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a run that a policy is learnt from; learn.c gathers it, learn_merge.c makes lists of it. */
#ifndef LICHEN_CAGE_LEARN_INT_H
#define LICHEN_CAGE_LEARN_INT_H

#include "cage/attempt.h"
#include "cage/denial.h"
#include "cage/learn.h"
#include "cage/policy.h"

#define MERGE_AT 3u
#define EXECUTES_MOST 8u

/* A growing list of different strings; `access` is the caller's. */
struct learnt {
	struct learnt_path {
		char *path;
		u32 access;
	} * row;
	size_t count, room;
	u32 *slot; /* hash table: index + 1, 0 = free; twice `room` */
};

struct cage_learner {
	char *workdir, *home, *tmp;
	struct timespec begun; /* CLOCK_REALTIME */
	struct learnt files;   /* access: bits of enum cage_access */
	struct learnt made;    /* names that the run made or removed: not there before, or not afterwards */
	struct learnt sockets, inet, calls;
	bool network, abstract;
	bool uses_tmp, executes_tmp; /* what is below `tmp` */
	bool shm;                    /* a cage has a /dev/shm of its own */
	u64 left_out;
	int error; /* negative errno: no memory */
	struct cage_attempt attempt;
};

/* Adds a string, or `access` to the one that is there. */
int learnt_add(struct learnt *list, const char *text, u32 access) MUST_CHECK;
struct learnt_path *learnt_row(const struct learnt *list, const char *text) MUST_CHECK; /* one that is there */
bool learnt_has(const struct learnt *list, const char *text) MUST_CHECK;
void learnt_done(struct learnt *list);

/* Whether a policy can hold a text: UTF-8 without control characters, and no pattern. */
bool learn_writable(const char *text) MUST_CHECK;
/* Looks whether a /dev/shm of the run's own is enough: when the run is over, before anything is merged. */
void learn_judge_memory(struct cage_learner *learner);
/* Whether a rule for that directory would give away too much: / or the home directory or what is above it. */
bool learn_too_wide(const struct cage_learner *learner, const char *path) MUST_CHECK;
/* The paths with that access, merged and sorted, without what `defaults` or one of the lists `above` (each may be NULL) allows already; *ret is freed by
 * learnt_done(), and is no table any more. 0 or -ENOMEM. */
int learn_merge(const struct cage_learner *learner, enum cage_access access, const struct cage_policy *defaults,
		const struct learnt *const above[2], struct learnt *ret) MUST_CHECK;
/* The paths for which there would have to be a rule that is too wide. */
int learn_wide(const struct cage_learner *learner, struct learnt *ret) MUST_CHECK;

/* The program that the kernel executes for this one: of a script, of a dynamic program. False: none. */
bool learn_interpreter(const char *path, char interpreter[PATH_MAX]) MUST_CHECK;

/* Whether a file is one that is mapped to be executed: ELF, and no object file of a compiler. */
bool learn_is_library(const char *path) MUST_CHECK;

#endif
