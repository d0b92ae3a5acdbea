// SPDX-License-Identifier: Apache-2.0
/* (what the probes found) x (what the user asked for) -> per gap: native, emulated or refused, and why. */
#include "host/plan.h"

#include <stdio.h>
#include <string.h>

enum plan_conflict plan_conflict(const struct plan_request *request, u32 built, enum gap_id *ret_gap)
{
	for (int id = 0; id < GAP_COUNT; id++) {
		u32 bit = GAP_BIT(id);
		enum plan_conflict conflict = PLAN_NO_CONFLICT;
		if (request->emulate & request->native & bit)
			conflict = PLAN_EMULATE_AND_NATIVE;
		else if (request->emulate & ~built & bit)
			conflict = PLAN_EMULATE_UNBUILT;
		else if ((request->refuse & bit) && !gap_by_id(id)->refuse_calls && !gap_by_id(id)->refuse_paths)
			conflict = PLAN_CANNOT_REFUSE;
		if (conflict != PLAN_NO_CONFLICT) {
			*ret_gap = id;
			return conflict;
		}
	}
	return PLAN_NO_CONFLICT;
}

u32 plan_wants_probed(const struct plan_request *request, u32 built)
{
	return built & gaps_automatic() & ~request->emulate & ~request->native;
}

/* What a finding says, as the beginning of a reason: "missing here (ENOSYS)". */
static void describe(const struct gap_finding *finding, char *text, size_t size)
{
	const char *word = finding->presence == GAP_MISSING ? "missing here"
			 : finding->presence == GAP_BLOCKED ? "blocked here"
							    : "could not be probed";
	const char *name = finding->error ? strerrorname_np(finding->error) : NULL;
	if (name)
		snprintf(text, size, "%s (%s)", word, name);
	else
		snprintf(text, size, "%s", word);
}

static void decide(struct plan_row *row, const struct gap *gap, bool built, bool emulate, bool implied, bool native, bool refuse)
{
	char found[64];
	const char *refused = refuse ? ", as --refuse asks" : "";
	describe(&row->finding, found, sizeof(found));
	if (emulate) {
		row->state = PLAN_EMULATED;
		snprintf(row->reason, sizeof(row->reason), "%s",
			 implied ? "comes with the tree or the mounts that the agent makes" : "--emulate asks for it");
	} else if (!row->probed) {
		row->state = PLAN_NATIVE;
		snprintf(row->reason, sizeof(row->reason), "%s",
			 native  ? "--native: the kernel answers, whatever it says"
			 : built ? "not probed: lichen fills it only where --emulate names it"
				 : "not probed: lichen cannot fill it yet");
	} else if (row->finding.presence == GAP_PRESENT) {
		row->state = PLAN_NATIVE;
		snprintf(row->reason, sizeof(row->reason), "works here without help");
	} else if (native) {
		row->state = PLAN_REFUSED;
		snprintf(row->reason, sizeof(row->reason), "%s%s, and --native forbids filling it", found, refused);
	} else if (built && gap->on_request) {
		row->state = PLAN_REFUSED;
		snprintf(row->reason, sizeof(row->reason), "%s%s; --emulate=%s fills it", found, refused, gap->name);
	} else if (built) {
		row->state = PLAN_EMULATED;
		snprintf(row->reason, sizeof(row->reason), "%s%s, and lichen fills it", found, refused);
	} else {
		row->state = PLAN_REFUSED;
		snprintf(row->reason, sizeof(row->reason), "%s, and lichen cannot fill it yet", found);
	}
}

void plan_make(const struct plan_request *request, u32 built, u32 probed, const struct gap_finding findings[GAP_COUNT],
	       struct plan *ret_plan)
{
	memset(ret_plan, 0, sizeof(*ret_plan));
	ret_plan->refused_natively = request->refuse;
	for (int id = 0; id < GAP_COUNT; id++) {
		u32 bit = GAP_BIT(id);
		struct plan_row *row = &ret_plan->rows[id];
		row->probed = probed & bit;
		if (row->probed)
			row->finding = findings[id];
		decide(row, gap_by_id((enum gap_id)id), built & bit, request->emulate & bit, request->implied & bit,
		       request->native & bit, request->refuse & bit);
		if (row->state == PLAN_EMULATED)
			ret_plan->emulated |= bit;
	}
}
