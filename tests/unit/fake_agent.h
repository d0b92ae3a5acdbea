/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cell for hosted tests of gap handlers: the commons at their fixed address, the engine's real locks and members
 * (src/agent/lock.c, member.c), and stand-ins for the rest of agent.h. Guest memory is the test's own.
 */
#ifndef FAKE_AGENT_H
#define FAKE_AGENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/types.h"

/* Makes the cell with gap sysvipc installed. Once a program. */
void fake_cell_new(void);

/* One system call through the gap's dispatch: its result or negative errno. */
long fake_call(long nr, u64 a, u64 b, u64 c, u64 d);

/* fork() with the engine's events around it. */
pid_t fake_fork(void);

/* Who the caller is. caps: enum ipc_cap bits. The one group beside egid is `group`. */
void fake_identity(u32 euid, u32 egid, u32 group, u32 caps);

/* Sets what commons_fd() answers, and returns what it was. */
int fake_commons_fd(int fd);

/* The clock that agent_now() shows. */
extern s64 fake_now;

#endif
