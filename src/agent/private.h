/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of one guest process that only its agent uses, at LAYOUT_PRIVATE: copied by fork, shared by threads and by a vfork child,
 * gone with execve. Engine only.
 *
 * Trap stacks ("slots"). A trap claims a free slot from a pool and gives it back before it returns; no thread owns one, so thread
 * exit, raw clone and shared %fs need no bookkeeping. Slots are taken with one compare-exchange in entry.S. A trap that ends in execve
 * never gives back; after vfork the parent frees what its child left (slot_owner).
 *
 * Signal actions ("thunks"). What the guest registers is kept as an immutable row {handler, flags, restorer, mask}; the kernel is
 * given the address of the row's thunk as handler. The kernel's own table stays the only mutable copy, so threads, vfork children
 * and CLONE_SIGHAND come out right by themselves.
 */
#ifndef LICHEN_AGENT_PRIVATE_H
#define LICHEN_AGENT_PRIVATE_H

#include <assert.h>

#include "abi/layout.h"
#include "abi/reserved.h"
#include "agent/x86_64/context.h"
#include "agent/x86_64/offsets.h"
#include "base/types.h"

#define PRIVATE_MAGIC ((u64)OFF_PRIVATE_MAGIC)
#define SLOT_SHIFT 16
#define SLOT_SIZE (UINT64_C(1) << SLOT_SHIFT)
#define SLOT_SCRATCH 36864u /* execve's strings and arrays, vfork's saved frame; the rest of the slot is stack */
#define SLOTS_MAX 1024u
#define THUNKS_MAX 512u
#define SHADOWS_MAX 128u
#define CHILDREN_MAX 64u
#define SMALL_STACKS_MAX 16u
#define TASK_ROWS 256u
#define FILTERS_MAX 2048u
#define FILTER_NUMBERS 512u
#define NOTIFIED_MAX 64u

#define THUNK_DEFAULT 0u /* SIGSEGV, SIGBUS: the guest has SIG_DFL, we need a handler for our own faults */
#define THUNK_IGNORE 1u

struct action { /* struct kernel_sigaction */
	u64 handler;
	u64 flags;
	u64 restorer;
	u64 mask;
};

enum { TRAP_INTERRUPTED = 1, TRAP_RESTART = 2 /* … whose handler has SA_RESTART */ };

struct trap {
	struct context *context;
	struct siginfo *info;
	u64 frame;       /* rsp at handler entry: below it the guest's stack is free */
	u64 slot;        /* index */
	u64 handler;     /* entry.S jumps there instead of returning (a guest's SIGSYS handler); 0 = return */
	u32 interrupted; /* enum: the blocking window was hit by a signal … */
	u32 fault_ready; /* SIGSEGV and SIGBUS are known to be unblocked */
	u64 agent_sp;    /* in the blocking window: where to come back to */
	u32 ipc_space;   /* agent_ipc_space_force() */
	s32 held;        /* the descriptor of fs_hold(), 0 = none: a child that another thread forks has nobody to close it */
};

struct slot {
	struct trap trap;
	u8 pad[OFF_SLOT_HEADER - sizeof(struct trap)];
	u8 scratch[SLOT_SCRATCH];
	u8 stack[SLOT_SIZE - OFF_SLOT_HEADER - SLOT_SCRATCH];
};
static_assert(sizeof(struct slot) == SLOT_SIZE, "entry.S finds the slot by masking rsp");

#define VFS_NUMBERS_MAX 16u

#define HINTS_MAX 32u
/* Where directories were opened, as ids of mounts: for host paths that are to be seen at several places (fs_place.c). */
struct fs_hints {
	u32 cwd; /* 0: not known */
	u32 exe; /* the program: where it was executed by a descriptor; 0: not known */
	struct {
		s32 fd;
		u32 mount; /* 0: not known */
	} descriptor[HINTS_MAX];
};

enum task_word {
	TASK_IDENTITY, /* gap identity's: who it is */
	TASK_VIEW,     /* agent/view.h: its namespaces and its root */
	TASK_KEYRING,  /* gap keyring's: its session keyring */
	TASK_SECCOMP,  /* enum seccomp_word: its filters (guest_filter.c) */
	TASK_WORDS
};

struct task_words {  /* task_word.c */
	u32 process; /* the word of every thread without a row */
	u32 rows;    /* a row has been written */
	u32 forked;  /* of the thread that forks */
	u32 reserved;
	u64 row[TASK_ROWS]; /* tid << 32 | word, 0 = free */
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): entry.S knows where thunks and slot_busy lie */
struct private
{
	u64 magic;
	u32 shadow_count;
	u32 sigsys_pending; /* a SIGSYS sent from outside while the guest had it blocked: sigsys_info */
	s32 reserved_fds[RESERVED_COUNT];
	s32 pid;
	s32 member;        /* -1: none */
	s32 pending_child; /* member slot prepared for the fork under way, -1: none */
	u32 thunk_count;
	s32 traceme;    /* pid of a vfork child that asked to be traced: from its execve on */
	u32 owners;     /* slots that have an owner */
	u32 sleepers;   /* slots of traps that sleep in the blocking window */
	u32 forking;    /* a thread is between EVENT_FORK_PREPARE and EVENT_FORK_PARENT */
	u64 vdso_time;  /* address of __vdso_time, 0 = none */
	u64 vdso_clock; /* address of __vdso_clock_gettime, 0 = none */
	struct action virtual_action
		[4]; /* what the guest set for SIGSYS; for SIGSEGV, SIGBUS while it has no handler; for a taken SIGPIPE */
	s32 claimer; /* thread that is claiming a member slot for the process, 0 none */
	struct action vfork_action[4]; /* the same for the vfork child vfork_pid */
	s32 vfork_pid;
	u32 sigpipe_taken;          /* enum sigpipe_state (signal.c): whether SIGPIPE comes to us first (vfs_write.c) */
	u32 listing;                /* a thread lists a directory of ours: vfs_dir.c */
	u32 sigpipe_changing;       /* threads that are changing the kernel's action for SIGPIPE */
	s32 sigpipe_vfork;          /* the vfork child that has taken SIGPIPE for itself, 0 none */
	s32 children[CHILDREN_MAX]; /* member slots whose children may not hold their own lock yet; -1 free */
	u64 shadows[SHADOWS_MAX];   /* threads that have SIGSYS blocked, as far as they know: fs base or tid; 0 free */
	struct siginfo sigsys_info;
	struct altstack small_stacks[SMALL_STACKS_MAX][2]; /* alternate stacks too small for a trap: the guest's, ours instead */
	struct action thunks[THUNKS_MAX] __attribute__((aligned(OFF_THUNKS)));
	u32 slot_busy[SLOTS_MAX];         /* 0 free, 1 in use */
	s32 slot_owner[SLOTS_MAX];        /* pid that went into execve with this slot; 0 none */
	u64 slot_map[SLOTS_MAX][2];       /* address and size of a mapping made for that execve */
	u32 written_fds[VFS_NUMBERS_MAX]; /* numbers + 1 of descriptors whose writes are trapped: vfs_both.c */
	u32 births;                       /* threads that are being made by threads that may have a row */
	u32 threads;                      /* a thread has been made */
	u32 sharing;    /* other processes that share this memory: vfork children while they are there, other ones for good */
	u32 cut_off;    /* a filter of the kernel keeps the process from every network */
	s32 program_fd; /* the program, kept open where it has no name any more; 0: it is not (proc_self.c) */
	u64 program_device, program_inode;
	s32 quota_pid; /* process that has the filter of fs_quota.h, 0 none */
	u32 filtered;  /* a thread has filters of the guest's, or its strict mode */
	u32 reserved_filters;
	struct guest_filter *filter[FILTERS_MAX];
	u8 filter_state[FILTERS_MAX];
	u64 filter_allows[FILTERS_MAX]
			 [FILTER_NUMBERS / 64]; /* calls, by number, that the filter is known to allow whatever their arguments */
	u32 notified;                           /* guest_notify.c: rows written so far */
	u64 notified_id[NOTIFIED_MAX];
	struct task_words task[TASK_WORDS];
	struct fs_hints hints;
};
static_assert(offsetof(struct private, shadow_count) == OFF_SHADOW_COUNT, "entry.S");
static_assert(offsetof(struct private, thunks) == OFF_THUNKS, "entry.S");
static_assert(offsetof(struct private, slot_busy) == OFF_SLOT_BUSY, "entry.S");
static_assert(offsetof(struct trap, frame) == OFF_TRAP_FRAME, "entry.S");
static_assert(offsetof(struct trap, handler) == OFF_TRAP_HANDLER, "entry.S");
static_assert(offsetof(struct trap, interrupted) == OFF_TRAP_INTERRUPTED, "entry.S");
static_assert(offsetof(struct trap, agent_sp) == OFF_TRAP_AGENT_SP, "entry.S");
static_assert(LAYOUT_TEXT == OFF_TEXT && LAYOUT_PRIVATE == OFF_PRIVATE && SLOTS_MAX == OFF_SLOT_MASK + 1 &&
		      THUNKS_MAX == OFF_THUNKS_MAX,
	      "entry.S");

#define PRIVATE_POOL (LAYOUT_PRIVATE + UINT64_C(0x100000))
#define PRIVATE_SIZE (UINT64_C(0x100000) + SLOTS_MAX * SLOT_SIZE)
static_assert(sizeof(struct private) <= 0x100000, "the pool follows");
static_assert(PRIVATE_POOL % SLOT_SIZE == 0 && PRIVATE_POOL == OFF_POOL, "slots are found by masking");

static inline struct private *private(void)
{
	return (struct private *)LAYOUT_PRIVATE; /* NOLINT(performance-no-int-to-ptr): a fixed address by design */
}

/* The slot that the caller's stack lies in; only in trap handlers. */
static inline struct slot *slot_current(void)
{
	return (struct slot *)((u64)__builtin_frame_address(0) & ~(SLOT_SIZE - 1)); /* NOLINT(performance-no-int-to-ptr) */
}

#endif
