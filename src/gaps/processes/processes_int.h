/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gap processes, agent half. */
#ifndef LICHEN_GAPS_PROCESSES_INT_H
#define LICHEN_GAPS_PROCESSES_INT_H

#include "agent/vfs.h"
#include "gaps/processes/processes.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/processes/processes.def"
#undef GAP_CALL

static inline struct processes_area *processes_area(void)
{
	return commons_area(GAP_processes);
}

/* Whether anybody has asked for what the rows are kept for. */
static inline bool processes_used(void)
{
	return __atomic_load_n(&processes_area()->used, __ATOMIC_ACQUIRE);
}

static inline bool process_known(const struct process_row *row)
{
	return __atomic_load_n(&row->state, __ATOMIC_ACQUIRE) == PROCESS_KNOWN;
}

/* The rows that may be in use. */
static inline u32 processes_high(void)
{
	return __atomic_load_n(&processes_area()->high, __ATOMIC_ACQUIRE);
}

static inline enum verdict processes_done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* --- family.c: rows --------------------------------------------------------------------------------------------------------------------- */

bool family_is_reaper(s32 pid);
/* Makes a process a subreaper, or none. 0, or -ENOMEM. */
long family_set_reaper(s32 pid, bool on) MUST_CHECK;
/* The row of a process; NULL: it has none. */
struct process_row *family_find(s32 pid);
/* Notes that a process has been born. fresh: nothing that is known of a process of that number counts. */
void family_born(s32 pid, s32 parent, bool fresh);
/* The same for one that CLONE_PARENT gives to its parent's parent. */
void family_born_sibling(s32 pid, s32 parent, s32 heir);
/* The caller ends with that status: what becomes of its own row, and of its children. */
void family_ends(s32 pid, s32 status);
/* Whether a process has ended; a zombie has. */
bool family_gone(s32 pid);
/* The kernel's parent of a process; 0: there is none. */
s32 family_parent(s32 pid);
/* A child whose parent was killed becomes its heir's, or nobody's. */
void family_settle(struct process_row *row);
/* Notes a signal that may end it. */
void family_signalled(s32 pid, s32 sig);

#endif
