// SPDX-License-Identifier: Apache-2.0
/* (what was asked for) x (what the host can) -> who gives a guest its file tree. */
#include "host/native_plan.h"

#include <stdio.h>
#include <string.h>

/* What speaks for the agent before anything is tried; NULL = nothing. */
static const char *against(const struct native_wish *wish)
{
	if (wish->agent)
		return "--emulate asks for it";
	if (wish->refused)
		return "--refuse asks for a kernel that lacks something";
	if (wish->host_pids)
		return "--pid=host asks for the machine's pids";
	if (!wish->root)
		return "only root has more than one user in namespaces";
	return NULL;
}

static void name_gaps(u32 gaps, char *text, size_t size)
{
	size_t used = 0;

	*text = 0;
	for (int id = 0; id < GAP_COUNT && used < size; id++)
		if (gaps & GAP_BIT(id))
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", gap_by_id(id)->name);
}

bool native_plan_wants_probed(const struct native_wish *wish)
{
	return wish->tree && !against(wish) && !wish->emulated;
}

void native_plan_make(const struct native_wish *wish, const struct gap_finding *finding, struct native_plan *ret)
{
	const char *reason = against(wish), *name;
	char gaps[96];

	*ret = (struct native_plan){ .state = NATIVE_AGENT, .overlay = wish->overlay, .probed = finding != NULL };
	if (finding)
		ret->finding = *finding;
	if (!wish->tree) {
		ret->state = NATIVE_MACHINE;
		(void)snprintf(ret->reason, sizeof(ret->reason), "the command has the machine's tree");
	} else if (reason) {
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s", reason);
	} else if (wish->emulated) {
		name_gaps(wish->emulated, gaps, sizeof(gaps));
		(void)snprintf(ret->reason, sizeof(ret->reason), "lichen fills %s here, and who does that makes the tree as well",
			       gaps);
	} else if (finding && finding->presence == GAP_PRESENT) {
		ret->state = NATIVE_KERNEL;
		(void)snprintf(ret->reason, sizeof(ret->reason), "namespaces, mounts and pivot_root%s work here",
			       wish->overlay ? ", and overlay on its file system," : "");
	} else {
		name = finding && finding->error ? strerrorname_np(finding->error) : NULL;
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s: %.80s", finding ? finding->tried : "nothing was tried",
			       name      ? name
			       : finding ? finding->detail
					 : "");
	}
	if (ret->state == NATIVE_AGENT && wish->kernel)
		ret->state = NATIVE_REFUSED;
}

const char *native_plan_root(const struct native_plan *plan)
{
	switch (plan->state) {
	case NATIVE_KERNEL:
		return "native";
	case NATIVE_AGENT:
		return "agent";
	case NATIVE_MACHINE:
	case NATIVE_REFUSED:
		break;
	}
	return "none";
}

const char *native_plan_overlay(const struct native_plan *plan)
{
	return plan->overlay ? native_plan_root(plan) : "none";
}

const char *native_plan_namespaces(const struct native_plan *plan)
{
	return plan->state == NATIVE_KERNEL ? "native" : plan->namespaces ? "agent" : "none";
}
