/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a cell: one command with the gaps of a plan filled, supervised until it ends.
 *
 * The supervisor stays in the foreground process group beside the guest, as a shell's child would be: signals from the terminal reach the
 * guest by themselves, signals sent to lichen are passed on, a stop of the guest stops lichen and CONT continues both.
 */
#ifndef LICHEN_HOST_LAUNCH_H
#define LICHEN_HOST_LAUNCH_H

#include <sys/resource.h>
#include <sys/types.h>

#include "abi/commons.h"
#include "base/types.h"

struct cell_cgroup;
struct cell_fds;
struct launch_result;
struct native_root;
struct supervisor;

struct launch_limit {
	int resource; /* RLIMIT_… */
	struct rlimit limit;
};

enum launch_network {
	LAUNCH_NETWORK_HOST,
	LAUNCH_NETWORK_NONE, /* network.h */
};

/* How the guest's first process is set up, where it shall not simply be as ours. */
struct launch_setup {
	int stdio[3];  /* its standard streams; negative = ours */
	bool session;  /* it leads a session of its own: what a terminal sends to us is passed on, its stops are not followed */
	bool relay;    /* with session: it hands signals on to a process in another one (supervise.h, SUPERVISE_TERMINAL) */
	bool terminal; /* with session: stdio[0] becomes its controlling terminal */
	const struct launch_limit *limits; /* setrlimit(2) before it starts */
	size_t limit_count;
	const struct cell_cgroup *cgroup; /* it enters these; NULL = none */
	const char *cpuset;               /* the processors that it may run on; NULL or "" = any */
	int (*prepare)(
		void *data); /* in its process, after all of this, before it becomes another user; 0 or negative errno. NULL = nothing */
	void *data;
};

#define LAUNCH_STAGE 232u

/* Who confines the guest (src/cage): called in its process. Both return 0, or negative errno with what was done in `stage` (LAUNCH_STAGE bytes). */
struct launch_confinement {
	int (*enter)(void *data, char *stage); /* after the setup, before the network is taken away and it becomes another user */
	/* When it is in its directory, before the engine's filter. `keep`: descriptors that must outlive execve, the agent's first; negative: none. */
	int (*confine)(void *data, const int *keep, u32 count, char *stage);
	void *data;
	int namespaces; /* CLONE_NEWPID, and CLONE_NEWUSER: its process is the first of these; 0 = none */
};

/* What is called in the supervisor while a guest runs; each may be NULL. */
struct launch_hooks {
	/* Called first, while the guest's process prepares itself: it executes nothing before this has returned 0. Negative errno: it is killed, and launch_run()
	 * returns that, with what this has put into *result. */
	int (*permit)(void *data, struct launch_result *result);
	/* The guest's process is there; what shall be served while it runs is added to the supervisor. `fds`: CELL_FDS_NONE when nothing is
	 * emulated. */
	void (*forked)(void *data, pid_t pid, const struct cell_fds *fds, struct supervisor *supervisor);
	void (*released)(
		void *data); /* nothing keeps the guest from going on: what is of no use before that is done now, and takes no time */
	void (*started)(void *data); /* the program's execve has worked: not called when it has ended before that was seen */
	void *data;
};

struct launch {
	const char *program; /* searched along PATH of envp when it has no slash; NULL = argv[0] */
	char *const *argv;
	char *const *envp;
	u32 emulate;                    /* bit per gap_id; 0 runs the command natively, with nothing in its way */
	u32 forced;                     /* those of them that --emulate asked for: what the host has of them is not written to */
	u32 refuse;                     /* bit per gap_id: the kernel's own feature answers as a kernel without it */
	const char *workdir;            /* NULL = stay; in a tree of the cell's own, tree->cwd says where */
	struct identity_start identity; /* who the command is where gap identity is filled: zeros are root */
	struct namespaces_start namespaces; /* what its names are where gap namespaces is filled: zeros are the machine's */
	bool become; /* where gap identity is not filled, `identity` is taken natively; else who we are is who the command is */
	enum launch_network network;
	const struct fs_state *tree; /* NULL = the machine's own; else the engine runs even when nothing is emulated (root.h) */
	/* A tree and namespaces by the kernel (native.h): NULL = none. Then nothing is emulated or recorded, and `tree` is NULL. */
	const struct native_root *native;
	const struct launch_setup *setup;             /* NULL = as ours */
	const struct launch_hooks *hooks;             /* NULL = none */
	const struct launch_confinement *confinement; /* NULL = none; not with `native` */
	/* A running cell's, to become a member of it: `emulate`, `refuse` and `tree` are that cell's; NULL = a new cell. */
	const struct cell_fds *join;
	bool placed;                /* with `join` and a tree: `workdir` was asked for; else it starts where the cell did */
	pid_t join_pid;             /* with `join`, `native`, `network`: a process of the cell that is joined */
	struct launch_trace *trace; /* NULL = calls are not recorded; else the engine runs even when nothing is emulated */
};

/* A recorded run: what its processes do, as `mode` says (abi/trace.h), goes to `fd` and to `take` while it runs. */
struct launch_trace {
	u32 mode; /* enum trace_mode */
	const u64 *
		numbers; /* TRACE_NUMBERS_SIZE words, a bit per call that is recorded besides (not TRACE_EVERYTHING); NULL = none */
	/* Gets each well-formed record, in a thread of its own with all signals blocked; it may take up to 1 s. What a guest recorded is to be
	 * judged as its own word. NULL = none */
	void (*take)(void *data, const struct trace_record *record);
	void *data;
	int fd; /* an empty file open for writing, close-on-exec; it gets a trace file (trace_file.h). Stays the caller's; negative = none */
	int error;   /* out: positive errno when writing it failed (the run went on, the file ends early); 0 = complete */
	u64 records; /* out: written, with the first and the last that are the supervisor's */
	u64 lost;    /* out: records that could not be handed over in time, or whose writer was killed meanwhile */
};

struct launch_result {
	int status; /* exit status to return: the guest's, 128+n for a signal, 125 lichen failed, 126 not executable, 127 not found */
	const char *stage; /* what failed: static text; NULL when the guest ran */
	int error;         /* positive errno, 0 = none */
	char detail[256];  /* what failed in the child, where that is more than `stage` says; may be empty */
};

/* Runs the command to its end. Returns 0 when it ran (status is its), negative errno when lichen could not start it (all of
 * *result is then set; status is 125, 126 or 127). */
int launch_run(const struct launch *spec, struct launch_result *result) MUST_CHECK;

/* Makes the kernel refuse the calls of these gaps (bit per gap_id) to the calling process and its descendants, by a seccomp filter;
 * sets no_new_privs when that is needed. Returns 0 or negative errno. */
int launch_install_refusals(u32 gaps) MUST_CHECK;

#endif
