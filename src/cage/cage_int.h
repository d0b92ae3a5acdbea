/* SPDX-License-Identifier: Apache-2.0 */
/* A cage between its opening and its end. */
#ifndef LICHEN_CAGE_CAGE_INT_H
#define LICHEN_CAGE_CAGE_INT_H

#include "cage/cage.h"
#include "cage/cage_limits.h"
#include "cage/cage_mounts.h"
#include "cage/cage_profile.h"
#include "cage/cage_proxy.h"

/* What Landlock allows below a path. */
struct cage_grant {
	char *path; /* canonical */
	u32 access;
};

struct cage {
	const struct cage_policy *policy;
	u32 needed, weaker; /* bit per layer */
	struct cage_host host;
	struct oci_seccomp profile; /* in force besides our list of system calls */
	struct cage_grant *grants;
	size_t grant_count;
	struct cage_tree *trees; /* for mounts; their paths are the policy's, and the grants' */
	size_t tree_count;
	char **masks, **missing,
		**pins; /* canonical paths: what is covered; of that, what is not there; directories above that stay where they are */
	size_t mask_count, missing_count, pin_count;
	struct cage_run_limits run;
	bool separate; /* in the child: it is in a network namespace of its own */
	pid_t parent;
	struct cage_proxy proxy; /* while the command runs, with cage_uses_proxy() */
	struct cage_proxy_reader network;
	struct launch_hooks hooks; /* ours, around those of the caller */
	const struct launch_hooks *outer;
	char problem[CAGE_PROXY_PROBLEM]; /* why the network was gone before the command ended; "": it was not */
	bool unwatched;                   /* what watches over limits could not be had: the guest was killed */
};

/* Whether a layer is in force. */
bool cage_has(const struct cage *cage, enum cage_layer layer);
/* Whether lichen-proxy serves it. */
static inline bool cage_uses_proxy(const struct cage *cage)
{
	return cage->policy->network.mode == CAGE_NETWORK_PROXY && cage_has(cage, CAGE_LAYER_NETWORK);
}

/* Starts the proxy, if there is one, and puts hooks into the launch. 0, or negative errno with the result filled. */
int cage_network_begin(struct cage *cage, struct launch *launch, struct launch_result *result) MUST_CHECK;
/* ran: the command was started. */
void cage_network_end(struct cage *cage, bool ran);

/* cage_rules.c: 0 or negative errno. */
int cage_rules_make(struct cage *cage) MUST_CHECK;
void cage_rules_free(struct cage *cage);
/* Whether what is denied can be kept: once the rules are made. */
void cage_judge_deny(struct cage *cage);

/* In the child, struct launch_confinement; data: the cage. */
int cage_enter(void *data, char *stage) MUST_CHECK;
int cage_confine(void *data, const int *keep, u32 count, char *stage) MUST_CHECK;

#endif
