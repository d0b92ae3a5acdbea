/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of views, and who has which (view.h).
 *
 * A row is made under the lock: its text and numbers first, its state last. It is freed only when all rows are taken or somebody looks for a namespace
 * that nobody has, if no process holds its lock (abi/view_state.h) and no living task is entered with it: a child is entered by its parent before
 * it holds the lock itself, and in gVisor a process has no lock in execve.
 */
#include "agent/view.h"
#include "agent/fs.h"

#define F_GETLK_ 5
#define F_SETLK_ 6
#define F_RDLCK_ 0
#define F_WRLCK_ 1
#define F_UNLCK_ 2
#define PROBES 64u /* places where a task may be entered */

struct flock_ { /* struct flock, x86-64 */
	s16 type, whence;
	u32 pad;
	s64 start, length;
	s32 pid;
	u32 pad2;
};

static long lock_byte(int cmd, s16 type, u32 row, s16 *found)
{
	struct flock_ lock = { .type = type, .start = (s64)(VIEW_LOCK_BASE + row), .length = 1 };
	long r = sys3(__NR_fcntl, commons_fd(), cmd, &lock);

	if (found)
		*found = lock.type;
	return r;
}

static struct lock *table_lock(void)
{
	return (struct lock *)&views()->lock;
}

/* --- who has which ------------------------------------------------------------------------------------------------------------------------ */

static u32 place_of(s32 tid, u32 probe)
{
	return ((u32)tid * 2654435761u + probe) % VIEW_TASKS_MAX;
}

/* own: by the task itself. Where it has entered itself it is right, whatever others have seen since. */
static void publish(s32 tid, u32 row, bool own)
{
	u64 *rows = views()->task, *best, before = 0, value = (u64)(u32)tid << 32 | row;

	do {
		best = NULL;
		for (u32 i = 0; i < PROBES; i++) {
			u64 *at = &rows[place_of(tid, i)], old = __atomic_load_n(at, __ATOMIC_ACQUIRE);

			if (old >> 32 == (u32)tid) {
				if (own)
					__atomic_store_n(at, row ? value : 0, __ATOMIC_RELEASE);
				return;
			}
			if (!best && (!old || sys2(__NR_kill, (s32)(old >> 32), 0) == -ESRCH)) {
				best = at;
				before = old;
			}
		}
	} while (row && best &&
		 !__atomic_compare_exchange_n(best, &before, value, false, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED)); /* else another's by now */
}

/* Where a task is entered; 0: nowhere. */
static u64 entry_of(s32 tid)
{
	for (u32 i = 0; i < PROBES; i++) {
		u64 at = __atomic_load_n(&views()->task[place_of(tid, i)], __ATOMIC_ACQUIRE);

		if (at >> 32 == (u32)tid)
			return at;
	}
	return 0;
}

long view_of_task(s32 tid)
{
	u64 at = entry_of(tid);

	if (at)
		return at & VIEW_ENDED ? 0 : (long)(u32)at;
	return sys2(__NR_kill, tid, 0) == -ESRCH ? -ESRCH : 0;
}

u32 view_entry_pid_space(u64 entry)
{
	return entry & VIEW_ENDED ? (u32)entry & ~VIEW_ENDED : view_of((u32)entry)->pid;
}

long view_pid_space_of(s32 tid)
{
	u64 at = entry_of(tid);

	return at ? (long)view_entry_pid_space(at) : -ESRCH;
}

s32 view_net_holder(u32 net)
{
	for (u32 i = 0; i < VIEW_TASKS_MAX; i++) {
		u64 at = __atomic_load_n(&views()->task[i], __ATOMIC_ACQUIRE);

		if (at && !(at & VIEW_ENDED) && view_of((u32)at)->net == net && sys2(__NR_kill, (s32)(at >> 32), 0) != -ESRCH)
			return (s32)(at >> 32);
	}
	return 0;
}

/* The calling thread has a row: it is held, and others are told. */
static void enter(u32 row)
{
	if (row)
		__atomic_store_n(&views()->used, 1, __ATOMIC_RELEASE);
	if (!__atomic_load_n(&views()->used, __ATOMIC_ACQUIRE))
		return;
	if (row)
		(void)lock_byte(F_SETLK_, F_RDLCK_, row, NULL);
	publish((s32)sys0(__NR_gettid), row, true);
}

const struct view *agent_view(void)
{
	return view_self();
}

/* --- rows --------------------------------------------------------------------------------------------------------------------------------- */

struct view_spec view_spec_of(u32 word)
{
	const struct view *v = view_of(word);

	return (struct view_spec){ .space = v->space,
				   .root_mount = v->root_mount,
				   .root = view_root(word),
				   .root_length = v->root_length,
				   .uts = v->uts,
				   .ipc = v->ipc,
				   .pid = v->pid,
				   .pid_children = v->pid_children,
				   .cgroup = v->cgroup,
				   .net = v->net };
}

static u32 hash_of(const struct view_spec *spec)
{
	u32 numbers[] = { spec->space, spec->root_mount,   spec->uts,    spec->ipc,
			  spec->pid,   spec->pid_children, spec->cgroup, spec->net };
	u64 hash = fs_seen_hash(FS_SEEN_START, (const char *)numbers, sizeof(numbers));

	return (u32)fs_seen_hash(hash, spec->root, spec->root_length) | 1u;
}

static bool says(u32 row, const struct view_spec *spec)
{
	const struct view *v = view_of(row);

	return v->space == spec->space && v->root_mount == spec->root_mount && v->root_length == spec->root_length &&
	       v->uts == spec->uts && v->ipc == spec->ipc && v->pid == spec->pid && v->pid_children == spec->pid_children &&
	       v->cgroup == spec->cgroup && v->net == spec->net && !memcmp(view_root(row), spec->root, spec->root_length);
}

/* Whether a living task is entered with a row. */
static bool is_entered(u32 row)
{
	for (u32 i = 0; i < VIEW_TASKS_MAX; i++) {
		u64 at = __atomic_load_n(&views()->task[i], __ATOMIC_ACQUIRE);

		if (at && (u32)at == row && sys2(__NR_kill, (s32)(at >> 32), 0) != -ESRCH)
			return true;
	}
	return false;
}

/* Whether nobody can be using a row any more: frees it. Under the lock. */
static bool freed(u32 row)
{
	struct view *v = &views()->view[row];
	s16 found = F_UNLCK_;

	if (v->state != VIEW_READY || task_has_word(TASK_VIEW, row))
		return false; /* our own locks are not shown to us */
	if (lock_byte(F_GETLK_, F_WRLCK_, row, &found) < 0 || found != F_UNLCK_)
		return false;
	if (is_entered(row))
		return false;
	__atomic_store_n(&v->state, VIEW_FREE, __ATOMIC_RELEASE);
	return true;
}

static long find(const struct view_spec *spec, u32 hash)
{
	if (says(0, spec))
		return 0;
	for (u32 i = 1; i < VIEWS_MAX; i++) {
		const struct view *v = &views()->view[i];

		if (v->state == VIEW_READY && v->hash == hash && says(i, spec))
			return i;
	}
	return -ESRCH;
}

/* A free row: its number, or 0. */
static u32 take(void)
{
	for (u32 i = 1; i < VIEWS_MAX; i++)
		if (views()->view[i].state == VIEW_FREE)
			return i;
	for (u32 i = 1; i < VIEWS_MAX; i++)
		if (freed(i))
			return i;
	return 0;
}

long view_word_of(const struct view_spec *spec)
{
	u32 hash = hash_of(spec);
	struct view *v;
	long row;

	if (spec->root_length >= VIEW_ROOT_SIZE)
		return -ENAMETOOLONG;
	if (member_self() < 0)
		return -ENOSPC;
	(void)!lock_take(table_lock()); /* a row that its maker left is not READY */
	row = find(spec, hash);
	if (row < 0) {
		row = take();
		v = &views()->view[row];
		if (row) {
			memcpy(views()->root[row], spec->root, spec->root_length);
			views()->root[row][spec->root_length] = 0;
			*v = (struct view){ .hash = hash,
					    .space = spec->space,
					    .root_mount = spec->root_mount,
					    .root_length = spec->root_length,
					    .uts = spec->uts,
					    .ipc = spec->ipc,
					    .pid = spec->pid,
					    .pid_children = spec->pid_children,
					    .cgroup = spec->cgroup,
					    .net = spec->net };
			__atomic_store_n(&v->state, VIEW_READY, __ATOMIC_RELEASE);
		} else {
			row = -ENOSPC;
		}
	}
	if (row > 0)
		(void)lock_byte(F_SETLK_, F_RDLCK_, (u32)row, NULL);
	lock_release(table_lock());
	return row;
}

void view_drop(u32 row)
{
	if (row && !task_has_word(TASK_VIEW, row))
		(void)lock_byte(F_SETLK_, F_UNLCK_, row, NULL);
}

long view_set(const struct view_spec *spec, enum view_who who)
{
	u32 old = view_word();
	long row = view_word_of(spec);

	if (row < 0)
		return row;
	if (who == VIEW_OWN)
		task_word_set_own(TASK_VIEW, (u32)row);
	else
		task_word_set_shared(TASK_VIEW, (u32)row);
	enter((u32)row);
	if (old != (u32)row)
		view_drop(old);
	return 0;
}

void view_part(void)
{
	task_word_set_own(TASK_VIEW, view_word());
}

#define CLONE_NEWNS_ UINT64_C(0x20000)
#define CLONE_NEWUSER_ UINT64_C(0x10000000)
#define CLONE_FS_ UINT64_C(0x200)
/* What unshare(2) knows. */
#define UNSHARE_FLAGS \
	(VIEW_NAMESPACES | UINT64_C(0x80) /* NEWTIME */ | CLONE_FS_ | UINT64_C(0x50d00) /* FILES, VM, SIGHAND, SYSVSEM, THREAD */)

long view_unshare(u64 *flags, struct view_spec *spec, struct fs_hints *hints)
{
	long r;

	if ((*flags & CLONE_NEWNS_) && fs_on()) {
		if (!(*flags & CLONE_NEWUSER_) && !fs_may_mount())
			return -EPERM;
		r = fs_new_space(spec, hints);
		if (r < 0)
			return r;
		*flags &= ~CLONE_NEWNS_;
	}
	return commons()->emulated & (1u << GAP_namespaces) ? namespaces_new(flags, spec) : 0;
}

enum verdict engine_unshare(struct call *call)
{
	struct fs_hints hints = private()->hints;
	struct view_spec spec = view_spec_of(view_word());
	u64 asked = call->arg[0], flags = asked;

	call->ret = flags & ~UNSHARE_FLAGS ? -EINVAL : view_unshare(&flags, &spec, &hints);
	if (call->ret < 0)
		return CALL_DONE;
	if (!asked && (commons()->emulated & (1u << GAP_namespaces)))
		return CALL_DONE;                             /* runc asks for nothing, which Docker's profile refuses */
	if (flags == asked && spec.net == view_self()->net) { /* nothing of ours */
		call->ret = sys1(__NR_unshare, flags);
		if (call->ret == 0 && (asked & CLONE_FS_))
			view_part();
		return CALL_DONE;
	}
	if (flags)
		call->ret = sys1(__NR_unshare, flags);
	if (call->ret == 0 && spec.ipc != view_self()->ipc)
		sysvipc_leave_space();
	if (call->ret == 0)
		call->ret = view_set(&spec, VIEW_OWN);
	if (call->ret == 0 && (asked & (CLONE_NEWNS_ | CLONE_FS_))) {
		(void)sys1(__NR_unshare,
			   CLONE_FS_); /* CLONE_NEWNS does; where that is refused, threads keep one working directory */
		private()->hints = hints;
	}
	return CALL_DONE;
}

bool view_holds(bool (*has)(const struct view *view, u32 value), u32 value)
{
	bool held = false;

	if (member_self() < 0)
		return true;
	(void)!lock_take(table_lock());
	for (u32 i = 0; i < VIEWS_MAX && !held; i++) {
		const struct view *v = &views()->view[i];

		if ((i == 0 || v->state == VIEW_READY) && has(v, value))
			held = i == 0 || !freed(i);
	}
	lock_release(table_lock());
	return held;
}

/* --- life of a process -------------------------------------------------------------------------------------------------------------------- */

void view_start(u32 word)
{
	task_start(TASK_VIEW, word);
	enter(word);
}

void view_forked_parent(s32 child, u32 row)
{
	if (child > 0 && row && __atomic_load_n(&views()->used, __ATOMIC_ACQUIRE))
		publish(child, row, false);
}

void view_ends(void)
{
	if (__atomic_load_n(&views()->used, __ATOMIC_ACQUIRE))
		publish((s32)sys0(__NR_getpid), view_self()->pid ? VIEW_ENDED | view_self()->pid : 0,
			true); /* a zombie keeps nothing else */
}

/* A new process of a pid namespace that is ending: whoever ends it may not have seen us. */
static void end_with_space(void)
{
	u32 pid = view_self()->pid;

	if (pid && __atomic_load_n(&views()->pid_space[pid].dead, __ATOMIC_SEQ_CST))
		(void)sys2(__NR_kill, sys0(__NR_getpid), 9);
}

void view_forked_child(void)
{
	enter(view_word());
	end_with_space();
}

void view_vfork_child(void)
{
	enter(view_word());
	end_with_space();
}
