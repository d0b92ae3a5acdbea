/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The area of gap identity in the commons: which identities there are. A task's identity is one number, its row in cred[], which the engine keeps
 * and hands down (agent_task_word()). Rows are made once, are the same for all who are the same, and never change or go: so a
 * reader needs no lock, and a writer that is killed leaves at most a row that nobody uses.
 *
 * Limits of a cell: 65535 different identities (then EAGAIN), 4095 different lists of groups with 4 Mi groups in all (then ENOMEM).
 */
#ifndef LICHEN_GAPS_IDENTITY_IDENTITY_H
#define LICHEN_GAPS_IDENTITY_IDENTITY_H

#include <assert.h>

#include "abi/commons.h"
#include "base/types.h"

#define IDENTITY_CREDS 65536u
#define IDENTITY_LISTS 4096u
#define IDENTITY_GIDS (4u << 20)
#define IDENTITY_PIDS 32768u
#define IDENTITY_NGROUPS_MAX 65536u
#define IDENTITY_OVERFLOW 65534u /* fs.overflowuid */

#define IDENTITY_STRICT UINT32_MAX
#define IDENTITY_MAKERS 24u

enum identity_state { IDENTITY_FREE = 0, IDENTITY_WRITING = 1, IDENTITY_READY = 2 };

struct identity_ids {
	u32 real, effective, saved, fs;
};

struct identity_caps {
	u64 permitted, effective, inheritable, bounding, ambient;
};

/* credentials(7), capabilities(7). */
struct identity_cred {
	struct identity_ids uid, gid;
	struct identity_caps caps;
	u32 securebits;
	u32 no_new_privs;
	u32 groups;  /* row of lists[]; 0 = none */
	u32 filters; /* of its own (seccomp(2)), or IDENTITY_STRICT: for who reads its /proc/PID/status */
};
static_assert(sizeof(struct identity_cred) == 88, "shared between agents, compared as bytes");

struct identity_row {
	u32 state; /* enum identity_state */
	u32 hash;
	struct identity_cred cred;
};
static_assert(sizeof(struct identity_row) == 96, "shared between agents");

/* A list of supplementary groups, in rising order, in gids[]. */
struct identity_list {
	u32 state; /* enum identity_state */
	u32 hash;
	u32 count, first;
};

/* The owner of a pipe or socket that has no name, in a row chosen by its number: one whose row another takes is again whose the host says. */
#define IDENTITY_NAMELESS 512u
struct identity_nameless {
	u64 key; /* hash of how the kernel calls it, "pipe:[1234]"; 0: none, or being written */
	char text[56];
};
static_assert(sizeof(struct identity_nameless) == 64, "shared between agents");

struct identity_area {
	u32 last_cap;           /* CAP_LAST_CAP of this kernel */
	u32 host_uid, host_gid; /* who runs lichen: what is theirs is shown as root's */
	u32 gids_used;
	u32 names; /* some directory keeps an owner for a name */
	s32 making
		[IDENTITY_MAKERS]; /* tids of those that are just giving what they have made its owner (identity_making.c); 0: free */
	u32 reserved[3];
	struct identity_list list[IDENTITY_LISTS]; /* 0: no groups */
	struct identity_row row[IDENTITY_CREDS];   /* 0: what the first program starts as */
	u64 pid[IDENTITY_PIDS];                    /* pid << 32 | row, for who asks about others; a hint: SIGKILL leaves it */
	u32 gid[IDENTITY_GIDS];
	struct identity_nameless nameless[IDENTITY_NAMELESS];
};
static_assert(offsetof(struct identity_area, list) == 128, "shared between agents");

#define IDENTITY_AREA_SIZE ALIGN_UP((u64)sizeof(struct identity_area), LAYOUT_PAGE)

#endif
