/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members: who is alive, told by POSIX locks (abi/commons.h). A slot is claimed by taking the write lock on its byte, which the kernel
 * grants only when no living process has it, and kept by a read lock. Those are per process and not inherited by fork: a forking
 * parent that has state to hand down claims a slot for the child, keeps it with its own read lock while PENDING, and lets go at a
 * later call once the child holds its own.
 *
 * At most CHILDREN_MAX children may be between fork and their first instruction at once; the next fork then waits for one of them.
 */
#include "agent/engine.h"

#define F_GETLK_ 5
#define F_SETLK_ 6
#define F_RDLCK_ 0
#define F_WRLCK_ 1
#define F_UNLCK_ 2
#define WAIT_LIVE_NS 10000000 /* of a parent for its child, and how often */
#define WAIT_LIVE_STEPS 10

struct flock_ { /* struct flock, x86-64 */
	s16 type, whence;
	u32 pad;
	s64 start, length;
	s32 pid;
	u32 pad2;
};

static long lock_byte(int cmd, s16 type, int member, s16 *found)
{
	struct flock_ lock = { .type = type, .start = (s64)COMMONS_LOCK_BASE + member, .length = 1 };
	long r = sys3(__NR_fcntl, private()->reserved_fds[RESERVED_COMMONS], cmd, &lock);

	if (found)
		*found = lock.type;
	return r;
}

int commons_fd(void)
{
	return private()->reserved_fds[RESERVED_COMMONS];
}

s32 agent_pid(void)
{
	return private()->pid;
}

/* Whether the owner may have lost its lock for the moment only. */
static bool in_execve(const struct member *m)
{
	return __atomic_load_n(&m->state, __ATOMIC_ACQUIRE) == MEMBER_EXEC && m->pid > 0 && sys2(__NR_kill, m->pid, 0) != -ESRCH;
}

/*
 * Gets a slot for a process; its read lock is ours when this returns. What a dead owner left is reaped under the new epoch, so that
 * its locks are seen to have lost their owner; a process that had no slot yet (own) reaps as the new member.
 */
static int claim(enum member_state state, s32 pid, bool own)
{
	u32 first = __atomic_fetch_add(&commons()->member_hint, 1, __ATOMIC_RELAXED);

	for (u32 i = 0; i < COMMONS_MEMBERS_MAX; i++) {
		int index = (int)((first + i) % COMMONS_MEMBERS_MAX);
		struct member *m = &commons()->members[index];
		long r;

		if (index == private()->member)
			continue;
		if (i < COMMONS_MEMBERS_MAX / 2 && __atomic_load_n(&m->state, __ATOMIC_ACQUIRE) != MEMBER_FREE && i < 64)
			continue; /* look for a fresh one first; later ones may belong to the dead */
		r = lock_byte(F_SETLK_, F_WRLCK_, index, NULL);
		if (r == -EAGAIN || r == -EACCES)
			continue;
		if (r < 0)
			return (int)r;
		if (in_execve(m)) {
			(void)lock_byte(F_SETLK_, F_UNLCK_, index, NULL);
			continue;
		}
		__atomic_add_fetch(&m->epoch, 1, __ATOMIC_RELEASE);
		if (own)
			__atomic_store_n(&private()->member, index, __ATOMIC_RELEASE);
		if (m->state != MEMBER_FREE)
			member_reap_all(index);
		m->pid = pid;
		__atomic_store_n(&m->state, (u32)state, __ATOMIC_RELEASE);
		r = lock_byte(F_SETLK_, F_RDLCK_, index, NULL);
		if (r < 0 && own)
			__atomic_store_n(&private()->member, -1, __ATOMIC_RELEASE);
		return r < 0 ? (int)r : index;
	}
	return -ENOSPC;
}

int member_peek(void)
{
	return private()->member >= 0 ? private()->member : -ESRCH;
}

int member_self(void)
{
	struct private *p = private();
	s32 me, none = 0;
	int index;

	if (LIKELY(p->member >= 0 && !__atomic_load_n(&p->claimer, __ATOMIC_ACQUIRE)))
		return p->member;
	me = (s32)sys0(__NR_gettid);
	while (!__atomic_compare_exchange_n(&p->claimer, &none, me, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		if (none == me)
			return p->member; /* called while we reap */
		none = 0;
		(void)sys0(__NR_sched_yield);
	}
	index = p->member >= 0 ? p->member : claim(MEMBER_LIVE, p->pid, true);
	__atomic_store_n(&p->claimer, 0, __ATOMIC_RELEASE);
	return index;
}

/* Whether the slot's lock is ours on behalf of a child: F_GETLK does not see the caller's own locks. */
static bool held_for_child(int member)
{
	const struct private *p = private();

	for (u32 i = 0; i < CHILDREN_MAX; i++)
		if (p->children[i] == member)
			return true;
	return p->pending_child == member;
}

bool member_alive(int member)
{
	struct member *m = &commons()->members[member];
	u32 state = __atomic_load_n(&m->state, __ATOMIC_ACQUIRE); /* before the lock: a child locks first, then turns LIVE */
	s16 found = F_UNLCK_;

	if (member == private()->member)
		return true;
	if (state == MEMBER_FREE || lock_byte(F_GETLK_, F_WRLCK_, member, &found) < 0)
		return false;
	if (found == F_UNLCK_ && state == MEMBER_EXEC) {
		if (in_execve(m))
			return true;
		/* over: its lock is back, or it is dead */
		return lock_byte(F_GETLK_, F_WRLCK_, member, &found) == 0 && found != F_UNLCK_;
	}
	if (found == F_UNLCK_ && !(state == MEMBER_PENDING && held_for_child(member)))
		return false;
	/* A child that its parent stands in for: gone before it could take its own lock? */
	return state != MEMBER_PENDING || m->pid <= 0 || sys2(__NR_kill, m->pid, 0) != -ESRCH;
}

int member_prepare_child(void)
{
	struct private *p = private();
	int index;

	if (p->pending_child >= 0)
		return p->pending_child;
	index = claim(MEMBER_PENDING, 0, false);
	if (index >= 0)
		p->pending_child = index;
	return index;
}

/* Lets go of the slots of children that hold them by themselves now, or never will. Returns a free place in children[], or -1. */
static int settle_children(void)
{
	struct private *p = private();
	int place = -1;

	for (int i = 0; i < (int)CHILDREN_MAX; i++) {
		s32 index = p->children[i];
		struct member *m;

		if (index < 0) {
			place = i;
			continue;
		}
		m = &commons()->members[index];
		if (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) == MEMBER_PENDING && sys2(__NR_kill, m->pid, 0) != -ESRCH)
			continue;
		(void)lock_byte(F_SETLK_, F_UNLCK_, index, NULL);
		p->children[i] = -1;
		place = i;
	}
	return place;
}

/* Nearly always the child is there in a moment. As long as we hold its slot, others would take it for alive after its death. */
static bool wait_live(struct member *m)
{
	struct agent_time step = { 0, WAIT_LIVE_NS };

	for (int i = 0; i < WAIT_LIVE_STEPS; i++) {
		if (__atomic_load_n(&m->state, __ATOMIC_ACQUIRE) == MEMBER_LIVE)
			return true;
		(void)sys4(__NR_futex, &m->state, 0 /* FUTEX_WAIT */, MEMBER_PENDING, &step);
		if (sys2(__NR_kill, m->pid, 0) == -ESRCH)
			return true;
	}
	return false;
}

void member_forked_parent(long child)
{
	struct private *p = private();
	int index = p->pending_child, place;
	struct member *m = &commons()->members[index < 0 ? 0 : index];

	if (index < 0)
		return;
	p->pending_child = -1;
	if (child < 0) {
		member_reap_all(index);
		__atomic_store_n(&m->state, MEMBER_FREE, __ATOMIC_RELEASE);
		(void)lock_byte(F_SETLK_, F_UNLCK_, index, NULL);
		return;
	}
	if (!m->pid)
		m->pid = (s32)child;
	if (wait_live(m)) {
		(void)lock_byte(F_SETLK_, F_UNLCK_, index, NULL);
		return;
	}
	while ((place = settle_children()) < 0)
		(void)sys0(__NR_sched_yield);
	p->children[place] = index;
}

/* In the child of fork: the slot its parent prepared, if any, becomes its own. */
void member_forked_child(void)
{
	struct private *p = private();

	p->claimer = 0;
	p->member = p->pending_child;
	p->pending_child = -1;
	for (u32 i = 0; i < CHILDREN_MAX; i++)
		p->children[i] = -1;
	if (p->member < 0)
		return;
	commons()->members[p->member].pid = p->pid;
	if (lock_byte(F_SETLK_, F_RDLCK_, p->member, NULL) < 0)
		agent_die("cannot lock the member slot", p->member);
	__atomic_store_n(&commons()->members[p->member].state, MEMBER_LIVE, __ATOMIC_RELEASE);
	agent_wake(&commons()->members[p->member].state, 1);
}

void member_exec(s32 member, enum member_state state)
{
	if (member >= 0)
		__atomic_store_n(&commons()->members[member].state, (u32)state, __ATOMIC_RELEASE);
}

void member_start(s32 member)
{
	struct private *p = private();
	long r;

	p->member = member < 0 ? -1 : member;
	p->pending_child = -1;
	for (u32 i = 0; i < CHILDREN_MAX; i++)
		p->children[i] = -1;
	if (p->member < 0)
		return;
	while ((r = lock_byte(F_SETLK_, F_RDLCK_, member, NULL)) == -EAGAIN || r == -EACCES)
		(void)sys0(__NR_sched_yield); /* somebody looks whether the slot is free */
	if (r < 0)
		agent_die("cannot lock the member slot", member);
	__atomic_add_fetch(&commons()->members[member].epoch, 1, __ATOMIC_RELEASE);
	member_exec(member, MEMBER_LIVE);
}
