/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view of a task (abi/view_state.h): its mount namespace, its root directory, its other namespaces. A number per task (TASK_VIEW of
 * task_word.c) names a row of the commons. Rows do not change: who wants to see something else asks for the row that says so.
 *
 * To change a namespace of the calling thread: view_read(), change the field, view_set(). A field that is a number of a gap (uts, ipc, pid) is
 * what that gap says; it must not take a number for something new while view_holds() says that a row still has it.
 *
 * The root directory is shared by the threads of a process (CLONE_FS), namespaces are not, but there is one row for both: a thread that gets
 * a namespace of its own has its own root directory from then on. Processes that share CLONE_FS without CLONE_VM each have their own.
 */
#ifndef LICHEN_AGENT_VIEW_H
#define LICHEN_AGENT_VIEW_H

#include "agent/engine.h"

static inline u32 view_word(void)
{
	return task_word(TASK_VIEW);
}

static inline const struct view *view_of(u32 word)
{
	return &views()->view[word < VIEWS_MAX ? word : 0];
}

/* The row of the calling thread. It stays what it is while the thread has it. */
static inline const struct view *view_self(void)
{
	return view_of(view_word());
}

static inline const char *view_root(u32 word)
{
	return views()->root[word < VIEWS_MAX ? word : 0];
}

/* What a row is to say: agent.h. */
struct view_spec view_spec_of(u32 word);

/* The number of the row that says so, held by this process, or negative errno: -ENOSPC when all rows are used. */
long view_word_of(const struct view_spec *spec) MUST_CHECK;

/* The process no longer holds a row that none of its threads has. */
void view_drop(u32 row);

/* Who is to see it: 0 or negative errno. */
enum view_who {
	VIEW_SHARED, /* every thread that shares the caller's file system information: chroot(2) */
	VIEW_OWN,    /* the calling thread alone: unshare(2), setns(2) */
};
long view_set(const struct view_spec *spec, enum view_who who) MUST_CHECK;

/* unshare(CLONE_FS): from now on chroot(2) of others does not reach the calling thread. */
void view_part(void);

/* clone(2) and unshare(2): makes those namespaces that *flags ask for and that are supplied here, for whoever gets the view `spec`, and takes their flags
 * out of *flags. hints: of who gets it. 0 or negative errno; what is not made into a row then goes away by itself. */
#define VIEW_NAMESPACES UINT64_C(0x7e020000) /* CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET */
long view_unshare(u64 *flags, struct view_spec *spec, struct fs_hints *hints) MUST_CHECK;

/* The row of another process, or thread, by its number: -ESRCH when it is not known to be of the cell. Of one that sees what the
 * cell began with, 0. */
long view_of_task(s32 tid) MUST_CHECK;

/* Whether a living task may have a row for which `has` answers true. Rows that nobody holds any more are freed. */
bool view_holds(bool (*has)(const struct view *view, u32 value), u32 value);

/* Life of a process: engine only. */
void view_start(u32 word);
void view_forked_parent(s32 child, u32 row);
void view_forked_child(void);
void view_vfork_child(void);
void view_ends(void);

#endif
