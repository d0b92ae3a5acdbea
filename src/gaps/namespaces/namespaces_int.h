/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gap namespaces, agent half: what its files call of each other. */
#ifndef LICHEN_GAPS_NAMESPACES_INT_H
#define LICHEN_GAPS_NAMESPACES_INT_H

#include "agent/vfs.h"
#include "gaps/namespaces/namespaces.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/namespaces/namespaces.def"
#include "gaps/namespaces/pids.def"
#undef GAP_CALL

static inline struct namespaces_area *namespaces_area(void)
{
	return commons_area(GAP_namespaces);
}

static inline enum verdict namespaces_done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* --- namespaces_new.c ------------------------------------------------------------------------------------------------------------------ */

/* The row of the caller's UTS namespace. */
u32 namespaces_uts(void);

/* --- uts_agent.c -------------------------------------------------------------------------------------------------------------------- */

/* The names of the caller's UTS namespace, of one moment. */
void uts_names_get(struct uts_names *ret);

/* Files of /proc/sys/kernel that tell and set them (uts_files.c). */
bool uts_file_find(const char *path, struct vnode *node);
long uts_file_read(const char *path, char *buffer, u64 size) MUST_CHECK;
long uts_file_written(const struct vnode *node, const char *path, const char *bytes, u64 size) MUST_CHECK;

enum uts_name { UTS_HOST, UTS_DOMAIN };
/* Makes `length` bytes the name; at most 64. 0, or -ENOMEM when the caller can be no member. */
long uts_set(enum uts_name which, const char *text, u64 length) MUST_CHECK;

/* --- ns_files.c ----------------------------------------------------------------------------------------------------------------------- */

enum { NS_FILE = 4300 };
#define NS_NAME_SIZE 40u
bool ns_file_find(const char *path, struct vnode *node);
long ns_file_open(const char *path, int flags) MUST_CHECK;

/* --- pid_view.c: only where pids_on(); agent.h has the rest -------------------------------------------------------------------------- */

#define PIDS_PATH_SIZE 32u

/* The caller's. */
struct pid_space *pids_space(void);
/* The number of a task's; UINT32_MAX: it is not of the cell. */
u32 pids_space_of(s32 pid);
bool pids_is_below(u32 space, u32 above);
bool pids_is_init(s32 pid);
/* pid_life.c: a new one, -ENOSPC. */
long pids_new_space(u32 parent) MUST_CHECK;
/* A group or session: one whose leader has gone stays as it is. */
s32 pids_group_to_guest(s32 group);
/* Reads /proc/PID/stat, NUL-terminated. Bytes or negative errno. */
long pids_stat_of(s32 pid, char *text, u64 size) MUST_CHECK;
/* What follows the name in it: the state; NULL: it is none. */
const char *pids_stat_fields(const char *text);
/* Takes a decimal number. */
s32 pids_number(const char **at);

/* pid_signals.c: a new image of init handles nothing yet. */
void pids_exec(void);

/* pid_files.c */
enum { PIDS_STAT = 4200, PIDS_STATUS = 4201 };
bool pids_file_find(const char *path, struct vnode *node);
long pids_file_open(const struct vnode *node, const char *path, int flags) MUST_CHECK;

#endif
