/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may do what to a System V object (ipc/util.c: ipcperms, ipcctl_obtain_check, ipc_update_perm).
 *
 * Asking the kernel who the caller is takes several calls, more than all the rest of a semop(). So the answer is kept in the
 * caller's struct ipc_member, together with the member's epoch: an answer from before an execve, or of a former owner of the
 * member slot, does not count. The calls that change an identity reach sysvipc_setid() first: from then until its next execve
 * a process is asked for every time, since a cached answer could be that of the moment before the change.
 *
 * Deviation: threads of one process that gave themselves different identities by raw system calls before their first
 * ipc call share one answer. (libc and Go change all threads together.)
 */
#include "gaps/sysvipc/sysvipc_int.h"

enum ipc_creds_state {
	CREDS_UNKNOWN = 0,
	CREDS_CACHED = 1,   /* euid, egid, caps are right */
	CREDS_CHANGING = 2, /* never cache again in this epoch */
};

static u32 stamp(int member, enum ipc_creds_state state)
{
	return commons()->members[member].epoch << 2 | (u32)state;
}

static void ask(struct ipc_creds *creds)
{
	struct agent_creds kernel;
	agent_creds_get(&kernel);
	creds->euid = kernel.euid;
	creds->egid = kernel.egid;
	creds->caps = (kernel.cap_ipc_owner ? IPC_CAP_OWNER : 0u) | (kernel.cap_ipc_lock ? IPC_CAP_LOCK : 0u) |
		      (kernel.cap_sys_admin ? IPC_CAP_SYS_ADMIN : 0u) | (kernel.cap_sys_resource ? IPC_CAP_RESOURCE : 0u);
}

void ipc_creds_get(struct ipc_creds *creds)
{
	int self = member_peek();
	if (self < 0) {
		ask(creds);
		return;
	}
	struct ipc_member *member = &sysvipc_area_of(0)->member[self];
	u32 before = __atomic_load_n(&member->stamp, __ATOMIC_ACQUIRE);
	if (before == stamp(self, CREDS_CACHED)) {
		creds->euid = member->euid;
		creds->egid = member->egid;
		creds->caps = member->caps;
		return;
	}
	ask(creds);
	if (before == stamp(self, CREDS_CHANGING))
		return;
	/* Threads may do this at once; they write the same. */
	member->euid = creds->euid;
	member->egid = creds->egid;
	member->caps = creds->caps;
	(void)__atomic_compare_exchange_n(&member->stamp, &before, stamp(self, CREDS_CACHED), false, __ATOMIC_RELEASE,
					  __ATOMIC_RELAXED);
}

enum verdict sysvipc_setid(struct call *call)
{
	(void)call;
	int self = member_peek();
	if (self >= 0)
		__atomic_store_n(&sysvipc_area_of(0)->member[self].stamp, stamp(self, CREDS_CHANGING), __ATOMIC_RELEASE);
	return CALL_PASS;
}

void ipc_perm_init(struct ipc_rights *perm, const struct ipc_creds *creds, int flags)
{
	perm->uid = creds->euid;
	perm->gid = creds->egid;
	perm->cuid = creds->euid;
	perm->cgid = creds->egid;
	perm->mode = (u32)flags & 0777;
}

static bool in_group(const struct ipc_creds *creds, u32 gid)
{
	return creds->egid == gid || agent_in_group(gid);
}

int ipc_perm_check(const struct ipc_rights *perm, const struct ipc_creds *creds, int flags)
{
	u32 wanted = ((u32)flags >> 6 | (u32)flags >> 3 | (u32)flags) & 7;
	u32 granted = perm->mode;
	if (!wanted || creds->caps & IPC_CAP_OWNER)
		return 0;
	if (creds->euid == perm->cuid || creds->euid == perm->uid)
		granted >>= 6;
	else if (((granted >> 3 ^ granted) & wanted) && (in_group(creds, perm->cgid) || in_group(creds, perm->gid)))
		granted >>= 3; /* the kernel is asked for our groups only if they matter */
	return wanted & ~granted ? -EACCES : 0;
}

int ipc_perm_check_owner(const struct ipc_rights *perm, const struct ipc_creds *creds)
{
	if (creds->euid == perm->cuid || creds->euid == perm->uid || creds->caps & IPC_CAP_SYS_ADMIN)
		return 0;
	return -EPERM;
}

void ipc_perm_export(const struct ipc_rights *perm, const struct ipc_ids *ids, int index, struct ipc64_perm *out)
{
	memset(out, 0, sizeof(*out));
	out->key = ipc_ids_key(ids, index);
	out->uid = perm->uid;
	out->gid = perm->gid;
	out->cuid = perm->cuid;
	out->cgid = perm->cgid;
	out->mode = (__kernel_mode_t)perm->mode;
	out->seq = (unsigned short)((u32)ipc_ids_id(ids, index) >> IPC_SEQ_SHIFT);
}

int ipc_perm_update(struct ipc_rights *perm, const struct ipc64_perm *from)
{
	if (from->uid == UINT32_MAX || from->gid == UINT32_MAX)
		return -EINVAL;
	perm->uid = from->uid;
	perm->gid = from->gid;
	perm->mode = (perm->mode & ~0777u) | (from->mode & 0777u);
	return 0;
}
