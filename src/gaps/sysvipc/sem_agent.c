/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semop() and semtimedop() (ipc/sem.c: do_semtimedop). An operation that can proceed costs no host call.
 *
 * A sleeper's wait is cut into pieces: it looks at its set at least once a second (a waker may die between unlocking and waking),
 * and every 20 to 100 ms while other processes hold adjustments (one of them may be killed). With a time-out, each piece asks the
 * host for the time.
 *
 * Differences from Linux: a stop signal does not end semop() with EINTR (no host call that could sleep here tells of one); more than 672 operations are E2BIG
 * whatever kernel.sem says; more than 8192 threads asleep at one time get ENOMEM.
 */
#include "gaps/sysvipc/sem_int.h"

#define OPS_FAST 64u /* more are kept in a waiter slot: stacks are small here */
#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define POLL_QUIET (1000 * NSEC_PER_MSEC)
#define POLL_FIRST (20 * NSEC_PER_MSEC)
#define POLL_LAST (100 * NSEC_PER_MSEC)

/* One call of semop(). */
struct semop {
	struct sem_request request;
	s32 id;
	int waiter; /* slot, -1 while there is none */
	bool alter;
	bool timed;
	u32 max;      /* highest semaphore number */
	s64 timeout;  /* ns, from the first sleep on */
	s64 deadline; /* CLOCK_MONOTONIC, ns; 0 before the first sleep */
};

static s64 monotonic_now(void)
{
	struct agent_time now = { 0, 0 };
	sys2(__NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &now);
	return now.sec * NSEC_PER_SEC + now.nsec;
}

/* Reads and checks the arguments in the kernel's order. Room for the operations is `fast` or a waiter slot. 0 or negative errno. */
static int read_arguments(struct semop *op, const struct call *call, const struct agent_time *timeout, struct sem_sembuf *fast)
{
	u32 count = (u32)call->arg[2];
	struct sem_sembuf *ops = fast;
	if (count < 1 || op->id < 0)
		return -EINVAL;
	if (count > sysvipc_area()->limits.semopm || count > SEM_WAITER_OPS)
		return -E2BIG;
	if (count > OPS_FAST) {
		op->waiter = sem_waiter_claim(sem_area(), op->request.member);
		if (op->waiter < 0)
			return -ENOMEM;
		ops = sem_area()->waiter[op->waiter].ops;
	}
	if (guest_read(ops, call->arg[1], count * sizeof(*ops)))
		return -EFAULT;
	if (timeout && (timeout->sec < 0 || timeout->nsec < 0 || timeout->nsec >= NSEC_PER_SEC))
		return -EINVAL;
	for (u32 i = 0; i < count; i++) {
		if (ops[i].num > op->max)
			op->max = ops[i].num;
		op->alter |= ops[i].op != 0;
	}
	op->request.ops = ops;
	op->request.count = count;
	return 0;
}

/* The caller's operations move to a waiter slot, if there is one. */
static bool adopt(struct semop *op, int slot)
{
	if (slot < 0)
		return false;
	op->waiter = slot;
	struct sem_waiter *waiter = &sem_area()->waiter[slot];
	memcpy(waiter->ops, op->request.ops, op->request.count * sizeof(*op->request.ops));
	op->request.ops = waiter->ops;
	return true;
}

/* Queues the caller; its slot holds the operations. */
static void enqueue(struct sem_hold *hold, const struct semop *op)
{
	struct sem_waiter *waiter = &hold->area->waiter[op->waiter];
	waiter->set = op->id;
	waiter->pid = op->request.pid;
	waiter->tag = 0;
	waiter->mark = 0;
	waiter->count = (u16)op->request.count;
	waiter->blocking = (u16)op->request.blocking;
	waiter->chain = op->alter ? SEM_CHAIN_ALTER : SEM_CHAIN_CONST;
	if (op->request.count > 1 && !hold->set->complex)
		sem_chain_merge(hold);
	IPC_STORE(waiter->status, SEM_WAITER_WAITING);
	sem_chain_append(hold, (u32)op->waiter);
}

/* One piece of the sleep. Returns what agent_wait() says; *expired: the caller's own time-out is over. */
static int sleep_once(struct call *call, struct semop *op, s64 interval, bool *expired)
{
	struct sem_waiter *waiter = &sem_area()->waiter[op->waiter];
	if (op->timed) {
		s64 now = monotonic_now();
		if (!op->deadline)
			op->deadline = now + op->timeout;
		s64 left = op->deadline - now;
		*expired = left <= 0;
		if (*expired)
			return -ETIMEDOUT;
		if (left < interval)
			interval = left;
	}
	struct agent_time piece = { interval / NSEC_PER_SEC, interval % NSEC_PER_SEC };
	int result = agent_wait(call, &waiter->status, SEM_WAITER_WAITING, &piece);
	if (op->timed)
		*expired = monotonic_now() >= op->deadline;
	return result;
}

/* Sleeps until somebody has done the caller's operations, or there is no hope. Enters locked, returns unlocked. */
static int sleep_until_done(struct call *call, struct sem_hold *hold, struct semop *op)
{
	struct sem_waiter *waiter = &hold->area->waiter[op->waiter];
	u32 index = (u32)op->id & (IPC_SLOTS - 1);
	s64 held = POLL_FIRST;
	for (;;) {
		s64 interval = sem_undo_foreign(hold) ? held : POLL_QUIET;
		held = held * 3 / 2 < POLL_LAST ? held * 3 / 2 : POLL_LAST;
		sem_hold_end(hold);
		bool expired = false;
		int slept = sleep_once(call, op, interval, &expired);
		sem_hold_slot(hold, hold->area, index, hold->self);
		if (slept == -ETIMEDOUT && hold->id == op->id && waiter->status == SEM_WAITER_WAITING)
			sem_undo_settle(hold, NULL, 0);
		int result = 1;
		if (waiter->status == SEM_WAITER_DONE)
			result = waiter->error;
		else if (hold->id != op->id)
			result = -EIDRM; /* who removed the set died before telling us */
		else if (expired)
			result = -EAGAIN;
		else if (slept == -EINTR)
			result = -EINTR;
		if (result > 0)
			continue;
		if (waiter->status == SEM_WAITER_WAITING && hold->id == op->id)
			sem_chain_remove(hold, (u32)op->waiter);
		sem_waiter_release(hold->area, (u32)op->waiter);
		op->waiter = -1;
		sem_hold_end(hold);
		return result;
	}
}

/* May the caller do this to the locked set? */
static int check(const struct sem_hold *hold, const struct semop *op, const struct ipc_creds *creds)
{
	if (op->max >= hold->set->nsems)
		return -EFBIG;
	return ipc_perm_check(&hold->set->perm, creds, op->alter ? IPC_WRITE : IPC_READ);
}

/* Operates on the locked set: 0, 1 when the caller has to wait, or negative errno. */
static int try_now(struct sem_hold *hold, struct semop *op)
{
	if (UNLIKELY(hold->set->undo))
		sem_undo_settle(hold, op->request.ops, op->request.count);
	sem_begin(hold);
	int result = sem_stage_request(hold, &op->request);
	if (result)
		return result;
	sem_commit(hold, op->request.ops, op->request.count, -1);
	if (op->alter)
		sem_update(hold, op->request.ops, op->request.count, true);
	else
		IPC_STORE(hold->set->otime, agent_now());
	return 0;
}

/* Locks the set, checks, operates, sleeps if it must. */
static int operate(struct call *call, struct semop *op, const struct ipc_creds *creds)
{
	struct sem_area *area = sem_area();
	struct sem_hold hold;
	if (ipc_ids_find(&area->ids, op->id) < 0)
		return -EINVAL;
	for (;;) {
		int result = sem_hold_begin(&hold, area, op->id, op->request.member);
		if (result)
			return result;
		result = check(&hold, op, creds);
		if (result == 0)
			result = try_now(&hold, op);
		if (result <= 0) {
			sem_hold_end(&hold);
			return result;
		}
		if (op->waiter >= 0 || adopt(op, sem_waiter_try(area, hold.self))) {
			enqueue(&hold, op);
			return sleep_until_done(call, &hold, op);
		}
		sem_hold_end(&hold);
		if (!adopt(op, sem_waiter_claim(area, op->request.member)))
			return -ENOMEM;
	}
}

static int semtimedop(struct call *call, u64 timeout_from)
{
	struct agent_time timeout;
	struct sem_sembuf fast[OPS_FAST];
	struct ipc_creds creds;
	struct semop op = { .id = (s32)call->arg[0], .waiter = -1, .timed = timeout_from != 0 };
	if (op.timed && guest_read(&timeout, timeout_from, sizeof(timeout)))
		return -EFAULT;
	int self = member_self();
	if (self < 0)
		return -ENOMEM;
	op.request.member = (u32)self;
	op.request.pid = agent_pid();
	int result = read_arguments(&op, call, op.timed ? &timeout : NULL, fast);
	if (result == 0) {
		if (op.timed) {
			s64 seconds = timeout.sec < INT32_MAX ? timeout.sec : INT32_MAX;
			op.timeout = seconds * NSEC_PER_SEC + timeout.nsec;
		}
		ipc_creds_get(&creds);
		result = operate(call, &op, &creds);
	}
	if (op.waiter >= 0)
		sem_waiter_release(sem_area(), (u32)op.waiter);
	return result;
}

enum verdict sysvipc_semop(struct call *call)
{
	call->ret = semtimedop(call, 0);
	return CALL_DONE;
}

enum verdict sysvipc_semtimedop(struct call *call)
{
	call->ret = semtimedop(call, call->arg[3]);
	return CALL_DONE;
}
