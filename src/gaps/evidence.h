/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a probe puts its steps together into one finding.
 *
 *	struct evidence e;
 *	evidence_begin(&e, finding, "/dev/null, /dev/kmsg, …");       what the row says when everything worked
 *	evidence_try(&e, "kmsg", "open(\"/dev/kmsg\", O_RDONLY)");     before the step: survives a crash in it
 *	evidence_answer(&e, open(…) < 0 ? errno : 0);                  after it
 *	evidence_end(&e);
 *
 * The finding is MISSING when any step was answered as by a kernel without the feature, else BLOCKED when any was forbidden,
 * else UNKNOWN when any could not be tried, else PRESENT. The first step of that class is the evidence; the other failures are
 * named in the detail. A step announced with evidence_try_extra() never decides: it only shows in the detail.
 *
 * While a step runs, finding->tried names it and finding->presence is UNKNOWN, so that a probe which dies or hangs has said where.
 */
#ifndef LICHEN_GAPS_EVIDENCE_H
#define LICHEN_GAPS_EVIDENCE_H

#include "gaps/gap.h"

struct evidence {
	struct gap_finding *finding;
	const char *whole;
	const char *step; /* name of the announced step */
	bool extra;       /* it does not decide */
	unsigned steps, failures;
	struct gap_finding first; /* the first failure of the deciding class; its detail is the answer in words, if wrong */
	const char *first_step;
	char others[72]; /* "fuse ENOENT, net/tun EPERM" */
	char note[40];
};

/* Starts a finding. `whole` (static text) is what `tried` will say if every step works. */
void evidence_begin(struct evidence *evidence, struct gap_finding *finding, const char *whole);

/* Announces a step: its short name (static text) and what is tried, as C or shell would write it. */
void evidence_try(struct evidence *evidence, const char *step, const char *tried, ...) PRINTF_LIKE(3, 4);
void evidence_try_extra(struct evidence *evidence, const char *step, const char *tried, ...) PRINTF_LIKE(3, 4);

/* The announced step's outcome: 0, or the kernel's positive errno. Returns whether it worked. */
bool evidence_answer(struct evidence *evidence, int error);

/* The announced step was answered with success, but the answer is wrong: `what` says how, in a few words. Counts as missing. */
void evidence_wrong(struct evidence *evidence, const char *what);

/* The announced step could not be tried at all (no place to write, no memory): `error` is why. Never counts as missing or blocked. */
void evidence_unable(struct evidence *evidence, int error);

/* A remark for the detail, for what a call and an errno do not tell ("they work inside a new user namespace"). The last one is
 * kept; it is cut at 39 bytes. */
void evidence_note(struct evidence *evidence, const char *format, ...) PRINTF_LIKE(2, 3);

/* Completes the finding. */
void evidence_end(struct evidence *evidence);

#endif
