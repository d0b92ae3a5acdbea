/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commons: one memfd per cell, mapped shared at LAYOUT_COMMONS in every member. `lichen run` makes and fills it before the
 * first guest instruction; afterwards every member may write it, so nothing that confines a guest may depend on it.
 *
 * File layout:  [struct commons][area of each emulated gap, page aligned][struct trace_ring][struct view_state][struct fs_spaces][… sparse: pages a
 * gap hands out, e.g. shm segments]
 * Only the first `mapped` bytes are mapped at LAYOUT_COMMONS; the rest is reached by mmap of the inherited descriptor.
 *
 * Members. A process that owns shared state (an attached segment, an undo list, a queue entry, a lock) is a member: it holds a POSIX
 * read lock on byte COMMONS_LOCK_BASE + index of the commons file. The kernel drops that lock when the process ends,
 * however it ends, and keeps it over execve (gVisor does not: MEMBER_EXEC); so 'is member i alive?' is one F_GETLK and needs
 * no cooperation from the dead.
 * (Not OFD locks: gVisor refuses them. Not pids: they are reused, and zombies still have one.)
 */
#ifndef LICHEN_ABI_COMMONS_H
#define LICHEN_ABI_COMMONS_H

#include <assert.h>

#include "abi/fs_state.h"
#include "abi/layout.h"
#include "abi/trace.h"
#include "abi/vfs_state.h"
#include "abi/view_state.h"
#include "base/types.h"

#define COMMONS_MAGIC UINT64_C(0x316e656863696c) /* "lichen1" */
#define COMMONS_VERSION 1u
#define COMMONS_GAPS_MAX 32u
#define COMMONS_MEMBERS_MAX 8192u
#define COMMONS_LOCK_BASE (UINT64_C(1) << 60) /* POSIX lock range, far above any page of the file */

enum commons_feature {
	COMMONS_FSGSBASE = 1u << 0, /* rdfsbase works (tried in a scratch child) */
	COMMONS_MSEAL = 1u << 1,    /* mseal(2) works: members seal what is the agent's */
};

/* A gap's part of the commons. */
struct commons_area {
	u64 offset; /* from the start of the file, page aligned; 0 when the gap is not emulated in this cell */
	u64 size;
};

enum member_state {
	MEMBER_FREE = 0,    /* nobody's; claimed by whoever gets the write lock on its byte */
	MEMBER_PENDING = 1, /* made by a forking parent, whose read lock stands in until the child holds its own */
	MEMBER_LIVE = 2, /* owned by the process that holds the byte's read lock; a dead owner's gap state is still to be reaped */
	MEMBER_EXEC = 3, /* LIVE, in execve: gVisor drops the read lock, the new image takes it again; alive while its pid is */
};

struct member {
	u32 state; /* enum member_state */
	u32 epoch; /* +1 at each claim and each execve: a lock taken in an older epoch has lost its owner */
	s32 pid;   /* as its own pid namespace numbers it; 0 while a PENDING child has not been given one */
	u32 reserved;
};
static_assert(sizeof(struct member) == 16, "member is shared between agents");

/* Who the first program of a cell is where gap identity is filled. Zeros are root, with every capability. */
#define IDENTITY_GROUPS_MAX 64u
struct identity_start {
	u32 uid, gid; /* real, effective, saved and of the file system */
	u32 group_count;
	u32 groups[IDENTITY_GROUPS_MAX]; /* supplementary, in any order */
};

/* What the namespaces of a cell begin with where gap namespaces is filled. */
#define HOSTNAME_SIZE 65u
struct namespaces_start {
	char hostname[72]; /* at most 64 bytes; "" = the machine's */
	u32 pids;          /* the first process is pid 1 (gaps/namespaces/pid_view.c) */
	u32 reserved;
};

/* What the first program of a cell would have without lichen. */
struct outer_state {
	u32 no_new_privs;
	u32 seccomp; /* PR_GET_SECCOMP */
	u32 filters; /* Seccomp_filters of /proc/PID/status; of some seccomp, but an old kernel: 0 */
	u32 reserved;
};

#define PIDS_FILTER_MAX 1024u
#define NETWORK_FILTER_MAX 64u

struct commons {
	u64 magic;
	u32 version;
	u32 features;  /* enum commons_feature */
	u64 mapped;    /* bytes mapped at LAYOUT_COMMONS */
	u64 file_size; /* bytes of the (sparse) file */
	u32 emulated;  /* bit per enum gap_id: this gap's agent half is on */
	u32 member_hint;
	s32 supervisor;   /* pid of `lichen run`, 0 when there is none */
	u32 text_size;    /* bytes of agent text that the filter trusts */
	s32 start_error;  /* of the first program: negative errno of its execve; 1 = it has been started; 0 = neither yet */
	u32 refused;      /* bit per enum gap_id: the kernel's own feature counts as absent (--refuse) */
	u32 paths;        /* enum gap_paths of all emulated gaps */
	u32 trace;        /* bytes of the trace ring, 0 = calls are not recorded (abi/trace.h) */
	u64 trace_offset; /* of struct trace_ring in the file */
	u32 forced;       /* bit per enum gap_id: emulated because --emulate asks for it; nothing is written to the host's own */
	u32 trace_mode;   /* enum trace_mode: what is recorded where `trace` is not 0 */
	struct commons_area areas[COMMONS_GAPS_MAX];
	struct member members[COMMONS_MEMBERS_MAX];
	struct identity_start identity;
	struct namespaces_start namespaces;
	struct vfs_state vfs;
	struct fs_state fs;
	char scratch[256]; /* directory of the host for file systems that the guest mounts; "": none */
	u64 views;         /* offset of struct view_state in the file: mapped, page aligned, sparse */
	u64 spaces;        /* likewise of struct fs_spaces */
	/* struct sock_filter: what a process adds to its filter when it sees pids differently from now on (gaps/namespaces/pids.def); 0: nothing
	 * is to be added */
	u32 pids_filter_length, reserved_pids;
	u64 pids_filter[PIDS_FILTER_MAX];
	/* Likewise what it adds when it executes a program in a network namespace that the kernel does not give (gaps/namespaces/ns_net.c) */
	u32 network_filter_length;
	u32 network; /* enum network_namespaces */
	u64 network_filter[NETWORK_FILTER_MAX];
	struct outer_state outer;
	u64 trace_numbers[TRACE_NUMBERS_SIZE]; /* calls that are recorded besides those of trace_refusable.def */
};
static_assert(offsetof(struct commons, areas) == 80, "commons is shared between agents");

#endif
