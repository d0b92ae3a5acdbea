/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contract of a gap: one missing kernel feature, in a folder of its own.
 *
 *   src/gaps/NAME/NAME_host.c   `const struct gap gap_NAME`: below
 *   src/gaps/NAME/NAME.def      its system calls, one row each: GAP_CALL(name, test, handler)
 *   src/gaps/NAME/NAME.h        its shared state (abi rules: sizes pinned by static_assert)
 *   src/gaps/NAME/NAME_agent.c  handlers `enum verdict handler(struct call *)`, plus NAME_event() and NAME_member_reap()
 *   tests/gaps/NAME/            differential tests against the kernel
 *
 * To add one: write the folder, add its row to gaps.def, add its files to src/gaps/meson.build. A gap that lichen only knows by
 * name has NAME_host.c alone and stands in gaps.def as GAP_LISTED.
 */
#ifndef LICHEN_GAPS_GAP_H
#define LICHEN_GAPS_GAP_H

#include "abi/commons.h"
#include "abi/gap_id.h"
#include "base/types.h"

/* What a probe found. */
enum gap_presence {
	GAP_PRESENT, /* using the feature worked */
	GAP_MISSING, /* the kernel has no such feature (ENOSYS, ENODEV, EPROTONOSUPPORT, ENOENT …) */
	GAP_BLOCKED, /* the kernel may have it, policy or privilege keeps us out (EPERM, EACCES …) */
	GAP_UNKNOWN, /* the probe itself could not run; never taken for present */
};

struct gap_finding {
	enum gap_presence presence;
	int error;        /* positive errno that is the evidence; 0 when present */
	char tried[96];   /* what was tried, as C or shell would write it: "shmget(IPC_PRIVATE, 4096, 0600)" */
	char detail[128]; /* what the kernel answered, or what is partly there; may be empty */
};

/*
 * How an absence shows itself to a user; one row per symptom, with its source (used by `lichen why`, docs/why.md). Written with designated
 * initializers. A row needs `source` and at least one of `call` and `message`; what is NULL or 0 fits everything. A row without a message
 * makes a refusal known, but does not make it matter: a program that goes on without a word has not been hurt.
 */
struct gap_symptom {
	const char *program; /* who says it: the last part of the program's path, or its comm; NULL = anyone */
	/* System call: its name, or an fnmatch(3) pattern of the call as `lichen why` prints it, such as
	 * "socket(AF_NETLINK, *, NETLINK_NETFILTER)" or "open*(*\"/dev/kmsg\"*"; NULL = any, or no refused call at all */
	const char *call;
	int error;           /* errno, 0 = any */
	const char *message; /* a literal part of one line of the program's message, NULL = none */
	const char *source;  /* where this was read or measured */
	const char *cause;   /* what is really the matter, one sentence without a full stop; NULL = the gap's summary says it */
	const char *advice;  /* what helps besides filling the gap, one or more sentences, commands in `…`; NULL = nothing */
};

enum gap_paths {
	GAP_PATHS_OPEN = 1, /* open and access families, getdents64, truncate */
	GAP_PATHS_STAT = 2, /* stat, readlink and statfs families as well */
};

struct gap {
	const char *name;      /* command-line id, folder and man page anchor */
	const char *summary;   /* one line */
	const char *needed_by; /* well-known users, comma separated */
	/* NULL-terminated ids for `doctor --for`: "docker", "kubernetes", "postgres", … that cannot do without */
	const char *const *workloads;

	/* Tries the feature for real. Runs in a scratch child that may be killed, so it may leave processes' state dirty but
	 * nothing in the file system or kernel that outlives it. Fills *finding. */
	void (*probe)(struct gap_finding *finding);

	/* --- only for GAP_BUILT gaps ------------------------------------------------------------------------------------- */
	u64 area_size; /* bytes of the commons it wants, page aligned */
	u32 spaces;    /* so many areas, one behind the other, each staged, where gap namespaces is filled, too; 0: one */
	/* Stages its shared state in `area` (zeroed, not yet shared). All or nothing. Returns 0 or negative errno. */
	int (*install)(void *area, const struct commons *commons);
	const char *const *files; /* virtual paths, NULL-terminated */
	const struct gap_symptom *symptoms;
	size_t symptom_count;
	u32 paths; /* enum gap_paths: which path-taking calls its virtual files need to see (agent/vfs.h) */
	/* `--refuse` is carried out by the agent: the gap's bit in commons->refused makes it treat the kernel's own as absent. */
	bool refuse_paths;
	/* It changes who a program is, not only what it may have: filled only where it is named (--emulate=NAME), not by need, nor by 'all' */
	bool on_request;
	bool broker; /* its agent half uses the broker (abi/broker.h) */
	/* What is supplied but has no effect, or works in part: sentences without full stop, NULL-terminated; doctor prints them. */
	const char *const *limits;
	/* System calls that `--refuse` answers with refuse_error, terminated by -1. */
	const int *refuse_calls;
	int refuse_error;
};

#define GAP_BUILT(name) extern const struct gap gap_##name;
#define GAP_LISTED(name) extern const struct gap gap_##name;
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED

#endif
