/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semget() and semctl() (ipc/sem.c), and /proc/sysvipc/sem.
 *
 * The table's lock guards which sets exist and the heap; a set's own lock, taken after it, guards the rest. A set exists from the
 * store of its slot word to the clearing of it; its semaphores are given back after that. Every command that shows values first
 * settles the undo of dead processes.
 */
#include <asm/sembuf.h>

#include "gaps/sysvipc/sem_int.h"

/* linux/sem.h, which freestanding code cannot include (see sysvipc_int.h). */
enum sem_command {
	SEM_GETPID = 11,
	SEM_GETVAL = 12,
	SEM_GETALL = 13,
	SEM_GETNCNT = 14,
	SEM_GETZCNT = 15,
	SEM_SETVAL = 16,
	SEM_SETALL = 17,
	SEM_STAT = 18,
	SEM_INFO = 19,
	SEM_STAT_ANY = 20,
};

struct sem_info { /* struct seminfo */
	s32 semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem;
};

#define SEM_MAP 1024000000 /* SEMMNS, SEMMNU, SEMMAP as Linux reports them */
#define SEM_UME 500
#define SEM_USZ 20

/* --- the table ------------------------------------------------------------------------------------------------------------------------- */

static u64 sems_size(const struct sem_set *set)
{
	return (u64)set->nsems * sizeof(struct sem);
}

void sem_table_lock(struct sem_area *area)
{
	if (LIKELY(!lock_take(ipc_ids_lock(&area->ids))))
		return;
	ipc_ids_rebuild(&area->ids);
	ipc_heap_clear(&area->heap, area->bitmap);
	u32 used = 0;
	for (u32 i = 0; i < area->ids.high; i++) {
		const struct sem_set *set = &area->set[i];
		if (!ipc_ids_used(&area->ids, i))
			continue;
		ipc_heap_mark(&area->heap, area->bitmap, set->sems, sems_size(set));
		used += set->nsems;
	}
	area->used_sems = used;
}

void sem_table_unlock(struct sem_area *area)
{
	lock_release(ipc_ids_lock(&area->ids));
}

/* The kernel's newary(); the table is locked. Returns the id or negative errno. */
static s32 set_new(struct sem_area *area, s32 key, u32 nsems, int flags, const struct ipc_creds *creds, u32 self)
{
	const struct ipc_limits *limits = &sysvipc_area()->limits;
	struct sem_hold hold;
	if (!nsems)
		return -EINVAL;
	if ((u64)area->used_sems + nsems > limits->semmns)
		return -ENOSPC;
	s64 sems = ipc_heap_alloc(&area->heap, area->bitmap, (u64)nsems * sizeof(struct sem));
	if (sems < 0)
		return -ENOMEM;
	int index = ipc_ids_reserve(&area->ids, limits->semmni);
	if (index < 0) {
		ipc_heap_free(&area->heap, area->bitmap, (u64)sems, (u64)nsems * sizeof(struct sem));
		return index;
	}
	sem_hold_slot(&hold, area, (u32)index, self);
	struct sem_set *set = hold.set;
	set->sems = (u64)sems;
	set->nsems = nsems;
	memset(area->bytes + sems, 0, sems_size(set));
	set->otime = 0;
	set->ctime = agent_now();
	memset(set->chain, 0, sizeof(set->chain));
	set->undo = 0;
	set->commit = 0;
	set->complex = 0;
	ipc_perm_init(&set->perm, creds, flags);
	area->used_sems += nsems;
	s32 id = ipc_ids_publish(&area->ids, index, key);
	sem_hold_end(&hold);
	return id;
}

/* The kernel's ipcget() for sets; the table is locked. */
static s32 set_get(struct sem_area *area, s32 key, u32 nsems, int flags, const struct ipc_creds *creds, u32 self)
{
	int index = ipc_ids_find_key(&area->ids, key);
	if (index < 0) {
		if (key != IPC_PRIVATE && !(flags & IPC_CREAT))
			return -ENOENT;
		return set_new(area, key, nsems, flags, creds, self);
	}
	if (flags & IPC_CREAT && flags & IPC_EXCL)
		return -EEXIST;
	if (nsems > area->set[index].nsems)
		return -EINVAL;
	int error = ipc_perm_check(&area->set[index].perm, creds, flags);
	return error ? error : ipc_ids_id(&area->ids, index);
}

enum verdict sysvipc_semget(struct call *call)
{
	struct sem_area *area = sem_area();
	s32 nsems = (s32)call->arg[1];
	struct ipc_creds creds;
	if (nsems < 0 || (u32)nsems > sysvipc_area()->limits.semmsl) {
		call->ret = -EINVAL;
		return CALL_DONE;
	}
	int self = member_self();
	if (self < 0) {
		call->ret = -ENOMEM;
		return CALL_DONE;
	}
	ipc_creds_get(&creds);
	sem_table_lock(area);
	call->ret = set_get(area, (s32)call->arg[0], (u32)nsems, (int)call->arg[2], &creds, (u32)self);
	sem_table_unlock(area);
	return CALL_DONE;
}

/* The kernel's freeary(); table and set are locked. Leaves the set unlocked. */
static void set_remove(struct sem_hold *hold)
{
	struct sem_area *area = hold->area;
	struct sem_set *set = hold->set;
	ipc_ids_remove(&area->ids, (int)(set - area->set));
	for (int kind = SEM_CHAIN_COUNT - 1; kind >= 0; kind--) {
		while (set->chain[kind].first) {
			u32 waiter = set->chain[kind].first - 1;
			sem_waiter_finish(hold, waiter, -EIDRM);
			sem_hold_wake(hold, waiter);
		}
	}
	sem_undo_drop(hold);
	u64 sems = set->sems;
	u64 size = sems_size(set);
	area->used_sems -= set->nsems;
	sem_hold_end(hold);
	ipc_heap_free(&area->heap, area->bitmap, sems, size);
}

void sem_remove_all(struct sem_area *area, u32 self)
{
	struct sem_hold hold;
	sem_table_lock(area);
	for (u32 i = 0; i < area->ids.high; i++)
		if (ipc_ids_used(&area->ids, i) && sem_hold_begin(&hold, area, ipc_ids_id(&area->ids, (int)i), self) == 0)
			set_remove(&hold);
	sem_table_unlock(area);
}

/* --- semctl ------------------------------------------------------------------------------------------------------------------------------ */

/* One call of semctl(). */
struct semctl {
	s32 id;
	int num, command;
	u64 arg;
	u32 self;
	struct ipc_creds creds;
};

/* Room for the values of a whole set, outside any lock: waiter slots, used as pages. */
#define SCRATCH_VALUES ARRAY_SIZE(((struct sem_waiter *)0)->values)
#define SCRATCH_SLOTS 16u

struct scratch {
	u32 count;
	u16 slot[SCRATCH_SLOTS];
};

static void scratch_release(struct sem_area *area, struct scratch *scratch)
{
	while (scratch->count)
		sem_waiter_release(area, scratch->slot[--scratch->count]);
}

static int scratch_claim(struct sem_area *area, struct scratch *scratch, u32 values, u32 self)
{
	scratch->count = 0;
	for (u32 room = 0; room < values; room += SCRATCH_VALUES) {
		int slot = scratch->count < SCRATCH_SLOTS ? sem_waiter_claim(area, self) : -ENOMEM;
		if (slot < 0) {
			scratch_release(area, scratch);
			return -ENOMEM;
		}
		scratch->slot[scratch->count++] = (u16)slot;
	}
	return 0;
}

static u16 *scratch_at(struct sem_area *area, const struct scratch *scratch, u32 num)
{
	return &area->waiter[scratch->slot[num / SCRATCH_VALUES]].values[num % SCRATCH_VALUES];
}

/* Copies values between scratch and guest, one slot at a time. */
static int scratch_copy(struct sem_area *area, const struct scratch *scratch, u32 values, u64 guest, bool to_guest)
{
	for (u32 num = 0; num < values; num += SCRATCH_VALUES) {
		u64 count = values - num < SCRATCH_VALUES ? values - num : SCRATCH_VALUES;
		u16 *at = scratch_at(area, scratch, num);
		u64 address = guest + num * sizeof(u16);
		int error = to_guest ? guest_write(address, at, count * sizeof(u16)) : guest_read(at, address, count * sizeof(u16));
		if (error)
			return error;
	}
	return 0;
}

static int get_all(struct sem_area *area, const struct semctl *ctl, struct scratch *scratch, u32 nsems)
{
	struct sem_hold hold;
	int error = sem_hold_begin(&hold, area, ctl->id, ctl->self);
	if (error)
		return error;
	sem_undo_settle(&hold, NULL, 0);
	for (u32 i = 0; i < nsems; i++)
		*scratch_at(area, scratch, i) = (u16)sem_value(hold.sems[i].now);
	sem_hold_end(&hold);
	return scratch_copy(area, scratch, nsems, ctl->arg, true);
}

static int set_all(struct sem_area *area, const struct semctl *ctl, struct scratch *scratch, u32 nsems)
{
	struct sem_hold hold;
	int error = scratch_copy(area, scratch, nsems, ctl->arg, false);
	if (error)
		return error;
	for (u32 i = 0; i < nsems; i++) {
		if (*scratch_at(area, scratch, i) > SEM_VALUE_MAX)
			return -ERANGE;
	}
	error = sem_hold_begin(&hold, area, ctl->id, ctl->self);
	if (error)
		return error;
	sem_begin(&hold);
	for (u32 i = 0; i < nsems; i++)
		sem_stage_value(&hold, i, *scratch_at(area, scratch, i), agent_pid());
	sem_undo_stage_clear(&hold, -1);
	sem_commit(&hold, NULL, 0, -1);
	IPC_STORE(hold.set->ctime, agent_now());
	sem_update(&hold, NULL, 0, false);
	sem_hold_end(&hold);
	return 0;
}

/* GETALL and SETALL: the number of semaphores is settled first, since room is needed before the lock. */
static int semctl_all(struct sem_area *area, const struct semctl *ctl)
{
	struct sem_hold hold;
	struct scratch scratch;
	if (sem_hold_begin(&hold, area, ctl->id, ctl->self))
		return -EINVAL;
	bool set = ctl->command == SEM_SETALL;
	u32 nsems = hold.set->nsems;
	int error = ipc_perm_check(&hold.set->perm, &ctl->creds, set ? IPC_WRITE : IPC_READ);
	sem_hold_end(&hold);
	if (error)
		return error;
	error = scratch_claim(area, &scratch, nsems, ctl->self);
	if (error)
		return error;
	error = set ? set_all(area, ctl, &scratch, nsems) : get_all(area, ctl, &scratch, nsems);
	scratch_release(area, &scratch);
	return error;
}

/* GETNCNT and GETZCNT: a sleeper counts for the first operation that cannot proceed. */
static int count_waiters(const struct sem_hold *hold, u32 num, bool zero)
{
	int count = 0;
	for (int kind = 0; kind < SEM_CHAIN_COUNT; kind++) {
		for (u32 link = hold->set->chain[kind].first; link; link = hold->area->waiter[link - 1].next) {
			const struct sem_waiter *waiter = &hold->area->waiter[link - 1];
			const struct sem_sembuf *op = &waiter->ops[waiter->blocking];
			if (op->num == num && (zero ? op->op == 0 : op->op < 0))
				count += !ipc_owner_gone(waiter->owner);
		}
	}
	return count;
}

/* GETVAL, GETPID, GETNCNT, GETZCNT. */
static int semctl_get(struct sem_area *area, const struct semctl *ctl)
{
	struct sem_hold hold;
	if (sem_hold_begin(&hold, area, ctl->id, ctl->self))
		return -EINVAL;
	int result = ipc_perm_check(&hold.set->perm, &ctl->creds, IPC_READ);
	if (result == 0 && (ctl->num < 0 || (u32)ctl->num >= hold.set->nsems))
		result = -EINVAL;
	if (result == 0) {
		sem_undo_settle(&hold, NULL, 0);
		if (ctl->command == SEM_GETVAL)
			result = sem_value(hold.sems[ctl->num].now);
		else if (ctl->command == SEM_GETPID)
			result = pids_shown(sem_pid(hold.sems[ctl->num].now));
		else
			result = count_waiters(&hold, (u32)ctl->num, ctl->command == SEM_GETZCNT);
	}
	sem_hold_end(&hold);
	return result;
}

static int semctl_setval(struct sem_area *area, const struct semctl *ctl)
{
	struct sem_hold hold;
	s32 value = (s32)ctl->arg;
	if (value > SEM_VALUE_MAX || value < 0)
		return -ERANGE;
	if (sem_hold_begin(&hold, area, ctl->id, ctl->self))
		return -EINVAL;
	int result = 0;
	if (ctl->num < 0 || (u32)ctl->num >= hold.set->nsems)
		result = -EINVAL;
	else
		result = ipc_perm_check(&hold.set->perm, &ctl->creds, IPC_WRITE);
	if (result == 0) {
		sem_undo_settle(&hold, NULL, 0);
		sem_begin(&hold);
		sem_stage_value(&hold, (u32)ctl->num, value, agent_pid());
		sem_undo_stage_clear(&hold, ctl->num);
		sem_commit(&hold, NULL, 0, -1);
		IPC_STORE(hold.set->ctime, agent_now());
		sem_update(&hold, NULL, 0, false);
	}
	sem_hold_end(&hold);
	return result;
}

static int semctl_info(struct sem_area *area, const struct semctl *ctl)
{
	const struct ipc_limits *limits = &sysvipc_area()->limits;
	struct sem_info info = {
		.semmap = SEM_MAP,
		.semmni = (s32)limits->semmni,
		.semmns = (s32)limits->semmns,
		.semmnu = SEM_MAP,
		.semmsl = (s32)limits->semmsl,
		.semopm = (s32)limits->semopm,
		.semume = SEM_UME,
		.semusz = SEM_USZ,
		.semvmx = SEM_VALUE_MAX,
		.semaem = SEM_VALUE_MAX,
	};
	sem_table_lock(area);
	if (ctl->command == SEM_INFO) {
		info.semusz = (s32)area->ids.in_use;
		info.semaem = (s32)area->used_sems;
	}
	int highest = ipc_ids_highest(&area->ids);
	sem_table_unlock(area);
	return guest_write(ctl->arg, &info, sizeof(info)) ? -EFAULT : highest;
}

static int semctl_stat(struct sem_area *area, const struct semctl *ctl)
{
	struct sem_hold hold;
	struct semid64_ds out = { .sem_otime = 0 };
	int index = ctl->command == IPC_STAT ? ipc_ids_find(&area->ids, ctl->id) : ipc_ids_find_index(&area->ids, ctl->id);
	if (index < 0)
		return index;
	sem_hold_slot(&hold, area, (u32)index, ctl->self);
	int result = 0;
	if (hold.id < 0 || (ctl->command == IPC_STAT && hold.id != ctl->id))
		result = -EINVAL;
	else if (ctl->command != SEM_STAT_ANY)
		result = ipc_perm_check(&hold.set->perm, &ctl->creds, IPC_READ);
	if (result == 0) {
		sem_undo_settle(&hold, NULL, 0);
		ipc_perm_export(&hold.set->perm, &area->ids, index, &out.sem_perm);
		out.sem_otime = hold.set->otime;
		out.sem_ctime = hold.set->ctime;
		out.sem_nsems = hold.set->nsems;
		if (ctl->command != IPC_STAT)
			result = hold.id;
	}
	sem_hold_end(&hold);
	if (result < 0)
		return result;
	return guest_write(ctl->arg, &out, sizeof(out)) ? -EFAULT : result;
}

/* IPC_SET and IPC_RMID. */
static int semctl_down(struct sem_area *area, const struct semctl *ctl)
{
	struct semid64_ds from;
	struct sem_hold hold;
	if (ctl->command == IPC_SET && guest_read(&from, ctl->arg, sizeof(from)))
		return -EFAULT;
	sem_table_lock(area);
	int result = -EINVAL;
	if (sem_hold_begin(&hold, area, ctl->id, ctl->self))
		goto out;
	result = ipc_perm_check_owner(&hold.set->perm, &ctl->creds);
	if (result == 0 && ctl->command == IPC_RMID) {
		set_remove(&hold);
		goto out;
	}
	if (result == 0)
		result = ipc_perm_update(&hold.set->perm, &from.sem_perm);
	if (result == 0)
		IPC_STORE(hold.set->ctime, agent_now());
	sem_hold_end(&hold);
out:
	sem_table_unlock(area);
	return result;
}

static int semctl(const struct semctl *ctl)
{
	struct sem_area *area = sem_area();
	switch (ctl->command) {
	case IPC_INFO:
	case SEM_INFO:
		return semctl_info(area, ctl);
	case IPC_STAT:
	case SEM_STAT:
	case SEM_STAT_ANY:
		return semctl_stat(area, ctl);
	case SEM_GETALL:
	case SEM_SETALL:
		return semctl_all(area, ctl);
	case SEM_GETVAL:
	case SEM_GETPID:
	case SEM_GETNCNT:
	case SEM_GETZCNT:
		return semctl_get(area, ctl);
	case SEM_SETVAL:
		return semctl_setval(area, ctl);
	case IPC_SET:
	case IPC_RMID:
		return semctl_down(area, ctl);
	default:
		return -EINVAL;
	}
}

enum verdict sysvipc_semctl(struct call *call)
{
	struct semctl ctl = {
		.id = (s32)call->arg[0],
		.num = (int)call->arg[1],
		.command = (int)call->arg[2],
		.arg = call->arg[3],
	};
	int self = ctl.id < 0 ? -EINVAL : member_self();
	if (self >= 0) {
		ctl.self = (u32)self;
		ipc_creds_get(&ctl.creds);
		call->ret = semctl(&ctl);
	} else {
		call->ret = ctl.id < 0 ? -EINVAL : -ENOMEM;
	}
	return CALL_DONE;
}

/* " %*lu" */
static void show_column(struct ipc_text *text, u64 value, int width)
{
	ipc_text_string(text, " ");
	ipc_text_unsigned(text, value, width);
}

void sem_show(struct ipc_text *text)
{
	struct sem_area *area = sem_area();
	int self = member_self();
	ipc_text_string(text, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
	for (u32 i = 0; self >= 0 && i < IPC_LOAD(area->ids.high); i++) {
		struct sem_hold hold;
		if (!ipc_ids_used(&area->ids, i))
			continue;
		sem_hold_slot(&hold, area, i, (u32)self);
		if (hold.id >= 0) {
			const struct sem_set *set = hold.set;
			ipc_text_signed(text, ipc_ids_key(&area->ids, (int)i), 10);
			ipc_text_string(text, " ");
			ipc_text_signed(text, hold.id, 10);
			ipc_text_string(text, "  ");
			ipc_text_octal(text, set->perm.mode, 4);
			show_column(text, set->nsems, 10);
			show_column(text, set->perm.uid, 5);
			show_column(text, set->perm.gid, 5);
			show_column(text, set->perm.cuid, 5);
			show_column(text, set->perm.cgid, 5);
			show_column(text, (u64)set->otime, 10);
			show_column(text, (u64)set->ctime, 10);
			ipc_text_string(text, "\n");
		}
		sem_hold_end(&hold);
	}
}
