/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layers of a cage: what each keeps, which of them a policy needs, and what this host has of them, tried by doing.
 *
 *   process   no_new_privs, a session of its own, no inherited descriptors, a chosen environment, no capabilities
 *   files     files.read, execute, write
 *   deny      files.deny: what lies inside of these and is masked
 *   syscalls  which system calls there are
 *   network   network.mode none and proxy
 *   unix      network.unix: some AF_UNIX sockets, no others but what lies in files.*
 *   scopes    signals and abstract sockets stay inside
 *   limits    limits.*
 *
 * A layer that a policy needs and the host lacks ends the run before anything starts, unless the user says to go on without. What lichen emulates is never a
 * layer: it is done by code in the guest's own process.
 */
#ifndef LICHEN_CAGE_LAYER_H
#define LICHEN_CAGE_LAYER_H

#include "cage/policy.h"
#include "host/cell_resources.h"

enum cage_layer {
	CAGE_LAYER_PROCESS,
	CAGE_LAYER_FILES,
	CAGE_LAYER_DENY,
	CAGE_LAYER_SYSCALLS,
	CAGE_LAYER_NETWORK,
	CAGE_LAYER_UNIX,
	CAGE_LAYER_SCOPES,
	CAGE_LAYER_LIMITS,
	CAGE_LAYERS,
};
#define CAGE_LAYER_BIT(layer) (1u << (layer))

/* "files"; and the reverse, -EINVAL for none of them. */
const char *cage_layer_name(enum cage_layer layer);
int cage_layer_find(const char *name);
/* Bit per layer that a policy needs. */
u32 cage_layers_needed(const struct cage_policy *policy);

enum cage_state {
	CAGE_PASS,
	CAGE_WEAKER, /* it holds, but not in all cases: `how` tells which; no reason to refuse */
	CAGE_MISSING,
};
const char *cage_state_name(enum cage_state state);

struct cage_finding {
	enum cage_state state;
	char how[224]; /* by what; or why not */
};

/* What this host has, as far as a policy needs to know. */
struct cage_host {
	int landlock; /* its ABI; 0: none */
	bool seccomp;
	bool users;                     /* a user namespace must be made first: we are not root, or not quite */
	bool mounts;                    /* mount namespaces whose mounts can be made read-only */
	bool ipc, network, pids;        /* namespaces */
	bool notify;                    /* the guest can ask us (cage_notify.h); tried where there are no namespaces for it */
	int notify_error;               /* negative errno: why not */
	bool noexec;                    /* mounts know mount_setattr(2), and noexec keeps from mapping, too */
	bool view;                      /* a root of its own is made, which has nothing but what the policy names */
	struct cell_enforcement limits; /* who keeps memory, cpu, processes */
	struct cage_finding layers[CAGE_LAYERS];
};

/* Tries what these layers (bit per layer) are made of; of limits, unless it is known already (not NULL), too. 0 or negative errno. */
int cage_probe(const struct cage_policy *policy, u32 layers, const struct cell_enforcement *limits,
	       struct cage_host *ret) MUST_CHECK;

#endif
