/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling what a cage denied. The kernel refuses; the agent, in the guest's own process, records calls that failed as refused ones do
 * (TRACE_REFUSALS); here each is judged against the policy: did the policy refuse it, and which rule, or would it have failed anyway? A guest can keep
 * its own denials from being told, or have some told that were none. It gains nothing by either.
 *
 * Each denial is told once: what was tried is remembered by hashes, of at most DENIALS_KNOWN; what comes after that is only counted.
 */
#ifndef LICHEN_CAGE_DENIAL_H
#define LICHEN_CAGE_DENIAL_H

#include "cage/attempt.h"
#include "cage/policy.h"

#define DENIALS_KNOWN 16384u

struct cage_denial {
	enum cage_denied what;
	char object[PATH_MAX]; /* a path, HOST:PORT, a name. Any byte may be in it */
	bool cut;              /* there was more of it */
	char rule[PATH_MAX];   /* "files.deny ./work/.git": what denies it; "" = no rule allows it */
	const char *why;       /* not NULL: another reason than a rule, or that none allows it */
	u32 line;              /* where that stands in the policy; 0 = nowhere */
	s32 nr;                /* of the system call */
	s32 error;             /* positive errno that the guest got */
	s32 pid;               /* as the guest counts them */
	char comm[17];         /* what it called itself */
	u64 number;            /* of those that are not quiet, this is the n-th, from 1 */
	bool quiet;            /* report.quiet expects it */
};

/* Did the policy refuse that? `path` of the attempt is resolved already. `refused`: as cage_denials_new() takes it. Fills *ret but for comm, pid, number. */
bool cage_denial_judge(const struct cage_policy *policy, const u64 *refused, const struct cage_attempt *attempt,
		       struct cage_denial *ret) MUST_CHECK;

/* Would it have failed without a cage, as far as this process can tell? Looks at the machine, not at the policy. */
bool cage_denial_ordinary(const struct cage_attempt *attempt) MUST_CHECK;

struct cage_denials;

/*
 * `refused`: bitmap of the calls that the cage refuses by number (abi/trace.h; NULL = none). tell: is called for each denial that is new, in the
 * thread that cage_denials_take() or _add() is called in, one at a time. All of it outlives the object. 0 or -ENOMEM.
 */
int cage_denials_new(const struct cage_policy *policy, const u64 *refused,
		     void (*tell)(void *data, const struct cage_denial *denial), void *data, struct cage_denials **ret) MUST_CHECK;
/* A struct launch_trace.take, whose data is a struct cage_denials. */
void cage_denials_take(void *data, const struct trace_record *record);
/*
 * A denial that no record tells of: lichen-proxy's, and of the command's own program. In any thread. why: a phrase of static duration, or that lasts until this returns;
 * NULL = no rule allows it.
 */
void cage_denials_add(struct cage_denials *denials, enum cage_denied what, const char *object, const char *why);
/* How many there were that are not quiet. */
u64 cage_denials_count(const struct cage_denials *denials) MUST_CHECK;
void cage_denials_free(struct cage_denials *denials);

/* Writes the object, printable on one line: control characters, backslashes and what is not UTF-8 as \ooo, and an ellipsis when it was cut. */
#define CAGE_OBJECT_PRINTED (4 * PATH_MAX + 4)
const char *cage_denial_print(const struct cage_denial *denial, char text[CAGE_OBJECT_PRINTED]);

#endif
