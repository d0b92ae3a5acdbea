/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap identity, agent half: who a task is, when the kernel lets it be nobody else. Who runs lichen is root in the cell, and may become anybody, by
 * the rules of credentials(7) and capabilities(7) as Linux 6.18 has them; the kernel goes on seeing one user without privilege.
 *
 * What enters: the calls of identity.def, execve, the opening of /proc/PID/status, and from the file tree (agent/fs_identity.c) whatever has a path:
 * identity_files.c says who may, identity_owner.c whose it is. An identity is a row that never changes (identity.h); a thread's
 * is the row that its word of the engine names. So threads may differ, fork, vfork, clone and execve hand it down, and changing it
 * is one store. What others see of a process is a table of pids, written by each process as it begins, changes and ends.
 *
 * What must never happen: that a refusal of the rules here is taken for protection. The cell's processes are one user's to the kernel, and can
 * write to each other's memory as ever.
 *
 * Limits:
 *   - identity.h: how many identities a cell has. task_word.c: 256 threads of a process with identities of their own.
 *   - Kernel checks see the user who runs lichen: kill and ptrace reach all of the cell; hard limits cannot be raised, niceness not lowered, ports
 *     below 1024 not bound where they could not be; SO_PEERCRED tells who the peer is now, not who it was then; SCM_CREDENTIALS of
 *     others than the host's ids are EPERM.
 *   - A change of ids does not make a process undumpable (PR_GET_DUMPABLE stays 1). RLIMIT_NPROC does not count by identity.
 *   - Files: identity_owner.c, docs/limits.md. Capabilities of files (security.capability) have no effect.
 *   - AT_SECURE is 0 where a set-user-ID program only gives a process its real id back.
 *   - /proc/PID/status tells of a process that was killed and whose number is used again what the former one was, until it executes something.
 *     Who owns a file of /proc is the kernel's affair. clone(CLONE_NEWUSER) and setns give no other view of ids.
 *   - no_new_privs: kept as the guest sets it; the kernel's own is always set.
 */
#include "gaps/identity/identity_int.h"

void identity_event(enum agent_event event, long arg)
{
	switch (event) {
	case EVENT_FORK_CHILD:
		identity_publish(agent_pid(), agent_task_word());
		break;
	case EVENT_EXEC_PREPARE:
		identity_exec_prepare((struct exec_prepare *)arg); /* NOLINT(performance-no-int-to-ptr) */
		break;
	case EVENT_EXEC:
		identity_publish(agent_pid(), agent_task_word());
		identity_exec_auxv((u64 *)arg); /* NOLINT(performance-no-int-to-ptr) */
		break;
	case EVENT_EXIT:
		identity_forget(agent_pid());
		break;
	case EVENT_BECOME:
		identity_start_as((const struct identity_start *)arg); /* NOLINT(performance-no-int-to-ptr) */
		break;
	case EVENT_FORK_PREPARE:
	case EVENT_FORK_PARENT:
		break;
	}
}

void identity_member_reap(int member)
{
	(void)member; /* what a process is, is not kept by member */
}

void identity_creds(struct agent_creds *creds)
{
	const struct identity_cred *cred = identity_self();
	u32 count;

	(void)identity_groups(cred, &count);
	*creds = (struct agent_creds){
		.euid = cred->uid.effective,
		.egid = cred->gid.effective,
		.ruid = cred->uid.real,
		.rgid = cred->gid.real,
		.groups = (int)count,
		.cap_ipc_lock = identity_capable(cred, CAP_IPC_LOCK_),
		.cap_ipc_owner = identity_capable(cred, CAP_IPC_OWNER_),
		.cap_sys_chroot = identity_capable(cred, CAP_SYS_CHROOT_),
		.cap_sys_admin = identity_capable(cred, CAP_SYS_ADMIN_),
		.cap_net_admin = identity_capable(cred, CAP_NET_ADMIN_),
		.cap_audit_control = identity_capable(cred, CAP_AUDIT_CONTROL_),
		.cap_setfcap = identity_capable(cred, CAP_SETFCAP_),
		.cap_sys_resource = identity_capable(cred, CAP_SYS_RESOURCE_),
		.no_new_privs = cred->no_new_privs,
	};
}

void identity_filtered(u32 filters, bool strict)
{
	struct identity_cred cred = *identity_self();

	cred.filters = strict ? IDENTITY_STRICT : filters;
	if (identity_become(&cred) < 0)
		return; /* EAGAIN, when a cell has had too many identities: others read an old number */
}

bool identity_holds_group(u32 gid)
{
	const struct identity_cred *cred = identity_self();

	return cred->gid.effective == gid || identity_in_groups(cred, gid);
}
