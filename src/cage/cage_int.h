/* SPDX-License-Identifier: Apache-2.0 */
/* A cage between its opening and its end. */
#ifndef LICHEN_CAGE_CAGE_INT_H
#define LICHEN_CAGE_CAGE_INT_H

#include "cage/cage.h"
#include "cage/cage_limits.h"
#include "cage/cage_mounts.h"
#include "cage/cage_notify.h"
#include "cage/cage_profile.h"
#include "cage/cage_proxy.h"
#include "cage/cage_seccomp.h"
#include "cage/cage_tmp.h"
#include "cage/cage_view.h"

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
	char *plain;             /* a directory, "" for the root, with no symbolic link in its path; NULL: none is known */
	struct cage_tree *trees; /* for mounts; their paths are the policy's, and the grants' */
	size_t tree_count;
	char **names; /* as written, where a view has them; and symbolic links of the machine's root */
	size_t name_count;
	const char *workdir; /* while it is launched */
	struct cage_shm shm;
	char **denied; /* canonical paths: what no rule allows */
	char **masks, **missing,
		**pins; /* of that, what is covered; of that, what is not there; directories above that stay where they are */
	size_t denied_count, mask_count, missing_count, pin_count;
	struct cage_run_limits run;
	bool separate; /* in the child: it is in a network namespace of its own */
	int highest;   /* there, too: of its descriptors (close_from.h) */
	pid_t parent;
	uid_t uid; /* the caller's */
	gid_t gid;
	struct cage_proxy proxy;   /* while the command runs, with cage_uses_proxy() */
	struct cage_notify notify; /* the same, with cage_is_asked() */
	struct cage_proxy_reader network;
	pthread_mutex_t hearing;   /* held while `network` is told */
	struct launch_hooks hooks; /* ours, around those of the caller */
	const struct launch_hooks *outer;
	char problem[CAGE_PROXY_PROBLEM]; /* why the network was gone before the command ended; "": it was not */
	char refused_program[PATH_MAX];   /* after a launch: cage_refused_program() */
	bool unwatched;                   /* what watches over limits could not be had: the guest was killed */
};

/* Whether a layer is in force. */
bool cage_has(const struct cage *cage, enum cage_layer layer);
/* Whether lichen-proxy serves it. */
static inline bool cage_uses_proxy(const struct cage *cage)
{
	return cage->policy->network.mode == CAGE_NETWORK_PROXY && cage_has(cage, CAGE_LAYER_NETWORK);
}

/* Whether its connections are made for it; and changes of attributes (cage_notify.h). */
static inline bool cage_makes_connections(const struct cage *cage)
{
	return cage_uses_proxy(cage) && !cage->host.network;
}
static inline bool cage_changes_attributes(const struct cage *cage)
{
	return cage->host.notify && !cage->host.mounts && cage->host.landlock && cage_has(cage, CAGE_LAYER_FILES);
}
static inline bool cage_is_asked(const struct cage *cage)
{
	return cage_makes_connections(cage) || cage_changes_attributes(cage);
}

/* What its filter says of chmod(2) and the like. */
enum cage_attributes cage_attributes_of(const struct cage *cage) MUST_CHECK;

/* Starts the proxy, if there is one, and puts hooks into the launch. 0, or negative errno with the result filled. */
int cage_network_begin(struct cage *cage, struct launch *launch, struct launch_result *result) MUST_CHECK;
/* ran: the command was started. */
void cage_network_end(struct cage *cage, bool ran);

/* cage_rules.c: 0 or negative errno. */
int cage_rules_make(struct cage *cage) MUST_CHECK;
void cage_rules_free(struct cage *cage);
/* What the rules together give for a path; and whether they give anything. */
struct cage_tree cage_rights_of(const struct cage *cage, const char *path) MUST_CHECK;
bool cage_is_granted(const struct cage *cage, const char *path) MUST_CHECK;
/* Whether the machine's /proc is covered by a new one. */
bool cage_new_proc(const struct cage *cage) MUST_CHECK;
/* Adds a copy to a list. 0 or -ENOMEM. */
int cage_add_path(char ***list, size_t *count, const char *path) MUST_CHECK;

/* cage_deny.c, in this order: what is denied; grants inside of that go; masks over the rest of it. 0 or negative errno. */
int cage_deny_find(struct cage *cage) MUST_CHECK;
void cage_deny_grants(struct cage *cage);
int cage_deny_masks(struct cage *cage) MUST_CHECK;
bool cage_has_path(char *const *list, size_t count, const char *path) MUST_CHECK;
/* Whether another grant gives all of this one: rights hold for all that is below, so the kernel need not be told twice. */
bool cage_grant_implied(const struct cage *cage, size_t index) MUST_CHECK;
/* Whether what is denied can be kept: once the rules are made. */
void cage_judge_deny(struct cage *cage);

/* The command's program, found in PATH of its environment by what the policy lets be executed; NULL or launch->program = launch_run() shall find it. */
const char *cage_find_program(const struct cage *cage, const struct launch *launch, char out[PATH_MAX]) MUST_CHECK;
/* After it could not be started in launch->workdir: was it because no rule lets it be executed? */
void cage_judge_program(struct cage *cage, const struct launch *launch, const struct launch_result *result);
/* What may be written on disk, for limits.disk: a list, whose strings are the cage's. 0 or -ENOMEM. */
int cage_written(const struct cage *cage, const char ***ret, size_t *ret_count) MUST_CHECK;

/* In the child, struct launch_confinement; data: the cage. */
int cage_enter(void *data, char *stage) MUST_CHECK;
int cage_confine(void *data, const int *keep, u32 count, char *stage) MUST_CHECK;

#endif
