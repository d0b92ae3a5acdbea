/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the agent half of gap sysvipc. Each kind (shm, sem, msg) is one file on top of this core:
 *
 *	handler:  read arguments → member_self() → ipc_creds_get() → lock (own wrapper: lock_take() == 1 → rebuild what is derived)
 *	          → ipc_ids_find() → ipc_perm_check() → work → unlock → write results to the guest
 */
#ifndef LICHEN_GAPS_SYSVIPC_SYSVIPC_INT_H
#define LICHEN_GAPS_SYSVIPC_SYSVIPC_INT_H

#include <asm/ipcbuf.h>

#include "agent/agent.h"
#include "base/mem.h"
#include "gaps/sysvipc/sysvipc.h"

/* linux/ipc.h cannot be included in freestanding code (it drags in types of the same names as ours). */
#define IPC_PRIVATE 0
#define IPC_CREAT 01000
#define IPC_EXCL 02000
#define IPC_NOWAIT 04000
#define IPC_RMID 0
#define IPC_SET 1
#define IPC_STAT 2
#define IPC_INFO 3

#define IPC_READ 0444 /* the kernel's S_IRUGO, S_IWUGO: what ipc_perm_check() is asked for */
#define IPC_WRITE 0222

/* The areas there are (ipc_space.c); one of them; that of the caller's IPC namespace. */
static inline u32 sysvipc_spaces(void)
{
	return (u32)(commons()->areas[GAP_sysvipc].size / SYSVIPC_AREA_SIZE);
}

static inline struct sysvipc_area *sysvipc_area_of(u32 space)
{
	return (struct sysvipc_area *)((u8 *)commons_area(GAP_sysvipc) + space * SYSVIPC_AREA_SIZE);
}

static inline u32 sysvipc_space(void)
{
	u32 spaces = sysvipc_spaces(), space = spaces > 1 ? agent_ipc_space() : 0;

	return space < spaces ? space : 0;
}

static inline struct sysvipc_area *sysvipc_area(void)
{
	return sysvipc_area_of(sysvipc_space());
}

/* ipc_space.c: how many were used; looks after each of them. */
u32 ipc_spaces_used(void);
void ipc_each_space(void (*look)(enum agent_event event, long arg), enum agent_event event, long arg);

static inline struct lock *ipc_ids_lock(struct ipc_ids *ids)
{
	return (struct lock *)&ids->lock;
}

/* --- identifiers (ipc_ids.c); the lock of ids is held unless said otherwise --------------------------------------------------- */

/* Index of the object with this key, or -ENOENT. Never finds IPC_PRIVATE. */
int ipc_ids_find_key(const struct ipc_ids *ids, s32 key) MUST_CHECK;
/* Index of the object with this id, or -EINVAL (the kernel's ipc_obtain_object_check). Also right without the lock, as a hint. */
int ipc_ids_find(const struct ipc_ids *ids, s32 id) MUST_CHECK;
/* Index in the low bits of id, whatever the sequence says, or -EINVAL (ipc_obtain_object_idr: SHM_STAT, SEM_STAT, MSG_STAT). */
int ipc_ids_find_index(const struct ipc_ids *ids, s32 id) MUST_CHECK;
/* Chooses index and sequence for a new object as the kernel does (cyclic, within max(in_use * 3 / 2, 64)). Returns the index, or
 * -ENOSPC when `limit` objects exist. Nothing exists until ipc_ids_publish(). */
int ipc_ids_reserve(struct ipc_ids *ids, u32 limit) MUST_CHECK;
/* Makes the object at a reserved index exist. Returns its id. */
s32 ipc_ids_publish(struct ipc_ids *ids, int index, s32 key);
/* Ends the object's existence; afterwards its memory may be given back. */
void ipc_ids_remove(struct ipc_ids *ids, int index);
/* Makes the object unfindable by key (IPC_RMID of a segment in use). */
void ipc_ids_hide_key(struct ipc_ids *ids, int index);
/* Recomputes what is derived (in_use, high) after the death of a lock owner. */
void ipc_ids_rebuild(struct ipc_ids *ids);

static inline bool ipc_ids_used(const struct ipc_ids *ids, u32 index)
{
	return __atomic_load_n(&ids->slot[index], __ATOMIC_ACQUIRE) != 0;
}

s32 ipc_ids_id(const struct ipc_ids *ids, int index);
s32 ipc_ids_key(const struct ipc_ids *ids, int index);

/* What *ctl(IPC_INFO) and friends return: the highest used index, 0 when there is none. */
static inline int ipc_ids_highest(const struct ipc_ids *ids)
{
	return ids->high ? (int)ids->high - 1 : 0;
}

/* --- permissions (ipc_perm.c) -------------------------------------------------------------------------------------------------- */

/* The parts of an identity that ipc needs. */
enum ipc_cap {
	IPC_CAP_OWNER = 1u << 0,     /* CAP_IPC_OWNER */
	IPC_CAP_LOCK = 1u << 1,      /* CAP_IPC_LOCK */
	IPC_CAP_SYS_ADMIN = 1u << 2, /* CAP_SYS_ADMIN */
	IPC_CAP_RESOURCE = 1u << 3,  /* CAP_SYS_RESOURCE */
};

struct ipc_creds {
	u32 euid, egid;
	u32 caps; /* enum ipc_cap bits */
};

/* The caller's identity; from the second time on usually without entering the kernel (see ipc_perm.c). Call it before locking. */
void ipc_creds_get(struct ipc_creds *creds);
/* A new object's owner and mode (flags & 0777). */
void ipc_perm_init(struct ipc_rights *perm, const struct ipc_creds *creds, int flags);
/* The kernel's ipcperms(): 0 or -EACCES. flags: IPC_READ, IPC_WRITE, or the flags of a *get() call. */
int ipc_perm_check(const struct ipc_rights *perm, const struct ipc_creds *creds, int flags) MUST_CHECK;
/* May the caller IPC_SET or IPC_RMID? 0 or -EPERM (ipcctl_obtain_check). */
int ipc_perm_check_owner(const struct ipc_rights *perm, const struct ipc_creds *creds) MUST_CHECK;
/* Fills *out for IPC_STAT and friends. */
void ipc_perm_export(const struct ipc_rights *perm, const struct ipc_ids *ids, int index, struct ipc64_perm *out);
/* IPC_SET: uid, gid and the 0777 bits of mode. 0 or -EINVAL (uid or gid -1). */
int ipc_perm_update(struct ipc_rights *perm, const struct ipc64_perm *from) MUST_CHECK;

/* --- heap (ipc_heap.c); the lock of the owning kind is held ---------------------------------------------------------------------- */

/* Takes `size` bytes. Returns their offset from the start of the heap's bytes, or -ENOMEM. Contents are whatever was there. */
s64 ipc_heap_alloc(struct ipc_heap *heap, u64 *bitmap, u64 size) MUST_CHECK;
void ipc_heap_free(struct ipc_heap *heap, u64 *bitmap, u64 offset, u64 size);
/* For rebuilding: forget everything; then mark each piece in use. */
void ipc_heap_clear(struct ipc_heap *heap, u64 *bitmap);
void ipc_heap_mark(struct ipc_heap *heap, u64 *bitmap, u64 offset, u64 size);

/* --- text of the virtual files (ipc_files.c) ------------------------------------------------------------------------------------- */

struct ipc_text {
	char *to;
	u64 size; /* what fits */
	u64 used; /* what is there; text that does not fit is dropped */
};

void ipc_text_string(struct ipc_text *text, const char *string);
/* printf's %*lu, %*ld and %*o: right-aligned in at least width columns. */
void ipc_text_unsigned(struct ipc_text *text, u64 value, int width);
void ipc_text_signed(struct ipc_text *text, s64 value, int width);
void ipc_text_octal(struct ipc_text *text, u64 value, int width);

/* --- what each kind supplies ------------------------------------------------------------------------------------------------------- */

/* /proc/sysvipc/{shm,sem,msg}: header line and one line an object, byte for byte the kernel's. At most 192 bytes a line. */
void shm_show(struct ipc_text *text);
void sem_show(struct ipc_text *text);
void msg_show(struct ipc_text *text);
/* Events of this process's life, see agent.h; no lock is held. */
void shm_event(enum agent_event event, long arg);
void sem_event(enum agent_event event, long arg);
void msg_event(enum agent_event event, long arg);
/* Releases everything a dead member owned (called by the slot's new owner). */
void shm_member_reap(int member);
void sem_member_reap(int member);
void msg_member_reap(int member);

/* --- system calls (sysvipc.def) and the engine's entry points ------------------------------------------------------------------------ */

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/sysvipc/sysvipc.def"
#undef GAP_CALL

void sysvipc_event(enum agent_event event, long arg);
void sysvipc_member_reap(int member);

#endif
