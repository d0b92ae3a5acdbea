/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `lichen run --cage` with a tree of the command's own, which the kernel makes (native.h).
 *
 *   1 outside    the policy is read and its grammar judged; its log is opened
 *   2            lichen itself enters the tree: from here on every path is looked up there, and the machine's files have none
 *   3 inside     the policy is understood: ./ is the working directory in the tree, ~ the home of its user; symbolic links are the tree's, and where the tree is new for
 *                this run they are no guest's but in volumes
 *   4            the cage is opened, and the command runs in it, as on a machine whose files these are
 *   5            lichen goes back, and removes what was temporary
 *
 * What stays the machine's: the log and its key, by their descriptors, and the policy's text. What is read of lichen's own programs is not in the tree: no lichen-proxy.
 */
#ifndef LICHEN_CLI_CAGE_TREE_H
#define LICHEN_CLI_CAGE_TREE_H

#include <sys/utsname.h>

#include "cli/cage_run.h"
#include "cli/words.h"
#include "host/native.h"
#include "host/native_plan.h"
#include "host/users.h"

struct cage_inside {
	bool begun; /* else nothing below means anything */
	struct cage_policy_text text;
	char *name;         /* of the policy */
	char log[PATH_MAX]; /* as it was named */
	int log_fd, key_fd; /* key_fd: the file that $LICHEN_AUDIT_KEY names */
	char *key;          /* the variable */
	struct utsname machine;
	struct native_visit visit;
	struct cage_paths volumes; /* where they are in a tree that nobody has written to */
	char *state, *temporary;   /* $LICHEN_STATE and $TMPDIR, which name directories of the machine */
};

/* Step 1. Returns -1, or the exit status after saying why. */
int cage_tree_begin(const struct cage_options *given, struct run_audit *audit, struct cage_inside *ret) MUST_CHECK;
/* Whether the tree can be had: -1, or the exit status after saying that the agent would make it, and what to do. */
int cage_tree_check(const struct cage_inside *inside, const struct native_plan *plan) MUST_CHECK;
/* Steps 2 to 4, but for running. user: who the command is unless the policy says so; NULL: root. Likewise. */
int cage_tree_enter(struct cage_inside *inside, const struct native_root *root, const struct user_found *user, u32 weaker,
		    struct run_audit *audit, struct cage_run *ret) MUST_CHECK;
/* The environment: the image's (NULL: there is none), what the policy passes of ours and is not in it, what the policy sets, what the command line says. An array for free(3);
 * its words are others'. NULL without memory. */
char **cage_tree_env(const struct cage_run *run, char *const *image, const struct option_words *given) MUST_CHECK;
/* Step 5, after cage_run_close(). */
void cage_tree_end(struct cage_inside *inside);

#endif
