/* SPDX-License-Identifier: Apache-2.0 */
/* Who gives a guest its file tree, the kernel (native.h) or the agent (root.h), and why. */
#ifndef LICHEN_HOST_NATIVE_PLAN_H
#define LICHEN_HOST_NATIVE_PLAN_H

#include "host/plan.h"

/* Gaps that are about a tree of the guest's own: naming one decides who makes it. */
#define NATIVE_TREE_GAPS (GAP_BIT(GAP_mounts) | GAP_BIT(GAP_overlay) | GAP_BIT(GAP_namespaces))

enum native_state {
	NATIVE_MACHINE, /* the guest has the machine's tree */
	NATIVE_KERNEL,  /* the kernel gives it one, and namespaces */
	NATIVE_AGENT,   /* the agent does */
	NATIVE_REFUSED, /* the kernel cannot, and --native forbids the agent */
};

/* What was asked for. */
struct native_wish {
	bool tree;      /* a tree of its own */
	bool overlay;   /* of layers */
	bool agent;     /* --emulate names what the agent's tree is made of, or all */
	bool kernel;    /* --native does */
	bool root;      /* who asks is root */
	bool host_pids; /* processes are to have the numbers that the machine gives them */
	u32 emulated;   /* gaps that lichen fills in this run: they take the engine */
	u32 refused;    /* by --refuse */
};

struct native_plan {
	enum native_state state;
	bool overlay;
	bool namespaces; /* the agent gives names, IPC namespaces and pid 1 (gap namespaces) */
	bool probed;     /* finding is valid */
	struct gap_finding finding;
	char reason[192]; /* one sentence without a full stop */
};

/* Whether the plan depends on what the host can do. */
bool native_plan_wants_probed(const struct native_wish *wish);
/* Makes the plan; finding: of native_probe(), NULL when it was not needed. Never fails. */
void native_plan_make(const struct native_wish *wish, const struct gap_finding *finding, struct native_plan *ret);

/* "native", "agent", "none": who makes the root, its layers and the namespaces. */
const char *native_plan_root(const struct native_plan *plan);
const char *native_plan_overlay(const struct native_plan *plan);
const char *native_plan_namespaces(const struct native_plan *plan);

/*
 * Does once, in a scratch child with namespaces of its own, all that a native root takes. place: a directory on the file system where
 * what is changed will be kept, NULL: there are no layers. directory: the tree's, which is only read; NULL: any will do. Leaves nothing behind.
 */
void native_probe(const char *place, const char *directory, struct gap_finding *ret);

#endif
