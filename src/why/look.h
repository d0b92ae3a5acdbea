/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at this machine after a run, to say more than an errno does: who holds the port, which folder is closed, what is full. */
#ifndef LICHEN_WHY_LOOK_H
#define LICHEN_WHY_LOOK_H

#include "why/model.h"

enum look {
	LOOK_NONE,
	LOOK_PATH,
	LOOK_PROGRAM,
	LOOK_LIBRARY,
	LOOK_ELF,
	LOOK_DAEMON,
	LOOK_PORT,
	LOOK_PORT_LOW,
	LOOK_SOCKET,
	LOOK_DISK,
	LOOK_MEMORY,
	LOOK_OOM,
	LOOK_SHM,
	LOOK_INOTIFY,
	LOOK_ROUTE,
	LOOK_DNS,
	LOOK_PRIVILEGE,
	LOOK_LIMIT_NOFILE,
	LOOK_LIMIT_NPROC,
	LOOK_LIMIT_FSIZE,
	LOOK_LIMIT_MEMLOCK,
	LOOK_LIMIT_CPU,
};

/* What is looked at. */
struct look_subject {
	const struct model_refusal *refusal; /* NULL = none */
	const char *program;                 /* who asked */
	const char *path;                    /* absolute or not; NULL = none */
	const char *name;                    /* a sign's {name}; NULL = none */
	const char *line;                    /* what was said; NULL = nothing */
	int port;                            /* 0 = none */
	u64 oom_kills;                       /* look_oom_kills() before the run */
	bool known;                          /* what the call needs is said elsewhere */
};

/* Writes what is found as a sentence without full stop; "" when there is nothing to say. Returns `text`. */
char *look_at(enum look look, const struct look_subject *subject, char *text, size_t size);

/* How many processes the kernel has killed for lack of memory since it was booted. */
#define LOOK_UNKNOWN UINT64_MAX
u64 look_oom_kills(void);

/* The port of a socket address among a call's arguments; 0 = none. */
int look_port_of(const struct trace_record *record);

/* The Debian package that has a program or library of this name; NULL = not in the table. */
const char *look_package(const char *name);

/* Whether a program is there and names an interpreter that is not. Then fills in `interpreter`. */
bool look_interpreter_missing(const char *path, char *interpreter, size_t size);

/* The mount point that a path lies on, as this process sees it. Returns `text`; "/" when it cannot be told. */
char *look_mount_point(const char *path, char *text, size_t size);

/* Whether the file system at a mount point has room for more. */
bool look_has_room(const char *point);

#endif
