/* SPDX-License-Identifier: Apache-2.0 */
/* Inside gap cgroup's agent half. */
#ifndef LICHEN_GAPS_CGROUP_INT_H
#define LICHEN_GAPS_CGROUP_INT_H

#include "abi/cgroup_state.h"
#include "agent/agent.h"

#define CG_AT_FDCWD (-100)
#define CG_O_WRONLY 1
#define CG_O_CREAT 0100
#define CG_O_TRUNC 01000
#define CG_O_DIRECTORY 0200000
#define CG_O_NOFOLLOW 0400000
#define CG_O_CLOEXEC 02000000
#define CG_O_PATH 010000000

#define CG_HOST_SIZE 800u /* of a host path, on the stack: deeper groups are not made */

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/cgroup/cgroup.def"
#undef GAP_CALL

/* --- files (cgroup_files.def) ---------------------------------------------------------------------------------------------------------- */

enum cgroup_file_id {
#define CGROUP_FILE(id, name, controller, flags, mode, text) CG_##id,
#include "gaps/cgroup/cgroup_files.def"
#undef CGROUP_FILE
	CG_FILES
};
enum { CG_ROOT = 1, CG_CHILD = 2, CG_SHOWN = 4, CG_V1 = 8, CG_LIVE = 16 };
struct cgroup_file {
	char name[48];
	char text[24];
	u16 mode;
	u8 controller, flags;
};
/* The file of that number; by name in a hierarchy, CG_FILES: none. */
const struct cgroup_file *cg_file(u32 id);
u32 cg_file_named(const char *name, bool v1);
/* A controller's name, as v2 has it, or v1. */
const char *cg_controller_name(u32 controller, bool v1);

/* --- groups (cgroup_tree.c) ------------------------------------------------------------------------------------------------------------ */

static inline struct cgroup_state *cg(void)
{
	return (struct cgroup_state *)commons_area(GAP_cgroup);
}
static inline struct cgroup *cg_group(u32 group)
{
	return &cg()->group[group % CGROUP_GROUPS_MAX];
}
static inline bool cg_is_root(u32 group)
{
	return cg_group(group)->parent == group;
}
void cg_lock(void);
void cg_unlock(void);
/* Makes the files of controllers (bit per enum cgroup_controller, CGROUP_CORE too) in a group's directory; removes them. */
long cg_fill(u32 group, s32 directory, u32 controllers) MUST_CHECK;
void cg_empty(u32 group, s32 directory, u32 controllers);
/* Writes and reads the text in a file. 0 or negative errno; bytes. */
long cg_put_text(u32 group, u32 file, const char *text, u64 size) MUST_CHECK;
long cg_get_text(u32 group, u32 file, char *to, u64 size) MUST_CHECK;
/* Takes a row for a new hierarchy's root: its number, or -ENOSPC. */
long cg_take_root(void) MUST_CHECK;
/* Controllers that v2 has: those that no hierarchy of v1 took. */
u32 cg_unified_controllers(void);

/* --- paths (cgroup_paths.c) -------------------------------------------------------------------------------------------------------------- */

u32 cg_hash(const char *name, u64 length);
/* The child of that name, 0: there is none. */
u32 cg_child_named(u32 parent, const char *name, u64 length);
/* The group whose directory is at a host path of so many bytes: its number, or -ENODEV. */
long cg_find(const char *host, u64 length) MUST_CHECK;
/* Its directory on the host: the length, or -ENAMETOOLONG. */
long cg_directory(u32 group, char *out, u64 size) MUST_CHECK;
/* The root of the caller's cgroup namespace in a hierarchy. */
u32 cg_own_root(u32 tree);
/* Its path in the hierarchy ("/" or "/a/b") as the caller's cgroup namespace has it, where "/.." leads above its root; the length. */
long cg_path_seen(u32 group, char *out, u64 size) MUST_CHECK;
/* Goes through the children of a group: the next one behind `after` (0: the first), 0: there is none. */
u32 cg_next_child(u32 group, u32 after);
bool cg_has_children(u32 group);

/* --- processes (cgroup_tasks.c) ---------------------------------------------------------------------------------------------------------- */

/* The row of a process, by the host's number; NULL: it has none. */
struct cgroup_task *cg_task(s32 pid);
/* The same, which is made if need be; NULL: there is no room. */
struct cgroup_task *cg_task_enter(s32 pid);
/* The pid of row i if it is a living process, else 0. Dead ones are collected. */
s32 cg_task_living(u32 i);
/* Puts a process into a group. */
void cg_task_move(struct cgroup_task *task, s32 pid, u32 group);
/* Processes that are in the group or, all, below it, but for zombies. */
enum cg_tasks {
	CG_TASKS_NONE,
	CG_TASKS_ENDING, /* only such as a pid namespace that has ended has left: they are being killed */
	CG_TASKS_LIVE,
};
enum cg_tasks cg_tasks_of(u32 group, bool all);
/* Charges a group's limit anew: tasks in it and below, with those that are being made. */
u64 cg_count_pids(u32 group);

/* --- figures (cgroup_usage.c) -------------------------------------------------------------------------------------------------------------- */

struct cgroup_usage {
	char state;
	u64 user, system; /* microseconds */
	u64 threads;
	u64 faults, major_faults;
};
/* What /proc says of a process: 0 or -ESRCH. */
long cg_usage(s32 pid, struct cgroup_usage *ret) MUST_CHECK;
/* Whether it has ended, which its first thread may have done alone. */
static inline bool cg_has_ended(const struct cgroup_usage *usage)
{
	return (usage->state == 'Z' || usage->state == 'X') && usage->threads <= 1;
}
/* The process of a thread, by the host's numbers; 0: it is gone. */
s32 cg_process_of(s32 tid);
struct cgroup_memory {
	u64 anon, file, shmem, swap; /* bytes */
};
void cg_memory(s32 pid, struct cgroup_memory *sum);
u64 cg_parse_u64(const char **at);

/* --- /proc/stat (cgroup_stat.c) ------------------------------------------------------------------------------------------------------------ */

/* Opens the kernel's file, or -EOPNOTSUPP where that tells nothing … */
long cg_stat_open(const char *path, int flags) MUST_CHECK;
/* … and this does: bytes, or negative errno. */
struct cg_text;
long cg_stat_show(struct cg_text *out) MUST_CHECK;

/* --- text ------------------------------------------------------------------------------------------------------------------------------------ */

struct cg_text {
	char *to;
	u64 size, used; /* used may be above size: so much is asked for */
};
void cg_say(struct cg_text *out, const char *text);
void cg_say_number(struct cg_text *out, u64 number);
/* "word number\n" */
void cg_say_row(struct cg_text *out, const char *word, u64 number);
/* Names of controllers with spaces between, and a newline. */
void cg_say_controllers(struct cg_text *out, u32 controllers, bool v1);

/* --- reading, writing (cgroup_show.c, cgroup_write.c) ---------------------------------------------------------------------------------------- */

long cg_show(u32 group, u32 file, struct cg_text *out) MUST_CHECK;
/* The same of v1 (cgroup_v1_show.c, cgroup_v1_write.c), and what both need. */
long cg_v1_show(u32 group, u32 file, struct cg_text *out) MUST_CHECK;
long cg_v1_write(u32 group, u32 file, const char *text) MUST_CHECK;
/* Processor time of a group and those below, in microseconds; it begins anew. */
void cg_cpu_time(u32 group, u64 *ret_user, u64 *ret_system);
void cg_reset_cpu_time(u32 group);
void cg_sum_memory(u32 group, struct cgroup_memory *sum, u64 *faults, u64 *major);
/* Whether all members of a group and those below are stopped. */
bool cg_all_stopped(u32 group);
/* kstrtoll(): base 0: 0x and 0 in front count. */
bool cg_parse_int(const char *text, u32 base, s64 *ret);
/* page_counter_memparse(): bytes, with a letter, down to whole units. 0 or -EINVAL. */
long cg_parse_bytes(const char *text, u64 unit, u64 *ret) MUST_CHECK;
/* net_prio.ifpriomap (cgroup_net.c). */
void cg_say_priorities(struct cg_text *out, u32 group);
long cg_write_priority(u32 group, const char *text) MUST_CHECK;
/* Keeps a line in a file. */
long cg_put_line(u32 group, u32 file, const char *text) MUST_CHECK;
long cg_write_procs(u32 group, const char *text, bool thread) MUST_CHECK;
long cg_write_pids_max(u32 group, u32 file, const char *text) MUST_CHECK;

/* The group and the file of a path as virtual file: its number, or negative errno. */
long cg_known(const char *path, u32 *ret_file) MUST_CHECK;
/* The group and the file that an open descriptor stands for: its number, or negative errno. */
long cg_open_file(s32 fd, u32 *ret_file) MUST_CHECK;
/* cgroup.event_control of a group (cgroup_event.c). The lock is not held. */
long cg_write_event_control(u32 control, const char *text) MUST_CHECK;
/* cgroup.kill. The lock is not held. */
long cg_write_kill(u32 group, const char *text) MUST_CHECK;
/* Brings a LIVE file up to date. */
void cg_refresh(u32 group, u32 file);
/* What enum cgroup_told it is; CGROUP_TOLDS: none. It says something else now. */
u32 cg_told(u32 file);
void cg_changed(u32 group, u32 file);
/* What a guest wrote, NUL-terminated, without the space around it. 0 or negative errno. */
long cg_write(u32 group, u32 file, char *text) MUST_CHECK;

#endif
