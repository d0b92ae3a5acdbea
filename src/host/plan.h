/* SPDX-License-Identifier: Apache-2.0 */
/*
 * (what the probes found) x (what the user asked for) -> per gap: native, emulated or refused, and why.
 *
 * Pass through by default: a gap is emulated only when it is not present here and lichen has it built. `emulate` forces, `native`
 * forbids filling, `refuse` lets the kernel's own feature answer as a kernel without it; the probe of a refused gap runs under
 * that refusal, so it finds the gap missing and the default rule fills it.
 */
#ifndef LICHEN_HOST_PLAN_H
#define LICHEN_HOST_PLAN_H

#include "gaps/registry.h"

enum plan_state {
	PLAN_NATIVE,   /* the kernel answers; nothing of this gap is intercepted */
	PLAN_EMULATED, /* lichen answers */
	PLAN_REFUSED,  /* the kernel does not have it or keeps us out, and lichen does not fill it: programs see that refusal */
};

struct plan_row {
	enum plan_state state;
	bool probed; /* finding is valid */
	struct gap_finding finding;
	char reason[128]; /* one sentence without a full stop */
};

struct plan {
	struct plan_row rows[GAP_COUNT];
	u32 emulated;         /* bit per enum gap_id */
	u32 refused_natively; /* bit per gap with --refuse: for the guest's filter */
};

/* What was asked for; a bit per gap. */
struct plan_request {
	u32 emulate, native, refuse;
	u32 implied; /* of emulate: not named, but part of what the agent makes for this command */
};

enum plan_conflict {
	PLAN_NO_CONFLICT,
	PLAN_EMULATE_AND_NATIVE, /* the same gap in both */
	PLAN_EMULATE_UNBUILT,    /* emulate names a gap that is only listed */
	PLAN_CANNOT_REFUSE,      /* refuse names a gap that says no calls to refuse */
};

/* Whether the request can be met; if not, *ret_gap is the first gap in the way. `built` is gaps_built(). */
enum plan_conflict plan_conflict(const struct plan_request *request, u32 built, enum gap_id *ret_gap);

/* The gaps whose finding the plan depends on, out of `built`: neither forced nor forbidden. */
u32 plan_wants_probed(const struct plan_request *request, u32 built);

/* Makes the plan. findings[id] is read for the bits of `probed`. Never fails; the request must be free of conflicts. */
void plan_make(const struct plan_request *request, u32 built, u32 probed, const struct gap_finding findings[GAP_COUNT],
	       struct plan *ret_plan);

#endif
