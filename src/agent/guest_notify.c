/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listeners of guests' filters (seccomp_unotify(2)) are the kernel's. What they let continue, though, only the agent of the process that made the call can do, if
 * it is a call that the agent answers:
 *
 *   who calls      the agent makes the call where filters judge it (agent_pass_judged), so that the kernel tells the listener, with the guest's arguments
 *   who listens    SECCOMP_IOCTL_NOTIF_RECV shows where that was: its id is remembered. When it is to continue, NOTIF_CONTINUED goes back as its result
 *   who calls      finds that result, and does what it does for any call (trap.c)
 *
 * In cells with a tree of their own, where ioctls of such numbers come to the agent anyway. Limits: a listener outside of the cell that lets a call continue makes
 * the kernel do it as it was asked for; NOTIFIED_MAX calls of one listener that wait at once.
 */
#include "agent/cbpf.h"
#include "agent/engine.h"

#define NOTIF_RECV 0xc0502100u
#define NOTIF_SEND 0xc0182101u
#define FLAG_CONTINUE 1u

struct notif { /* struct seccomp_notif */
	u64 id;
	s32 pid;
	u32 flags;
	struct cbpf_data data;
};

struct response { /* struct seccomp_notif_resp */
	u64 id;
	s64 value;
	s32 error;
	u32 flags;
};
static_assert(sizeof(struct notif) == 80 && sizeof(struct response) == 24, "kernel ABI");

static void remember(u64 id)
{
	struct private *p = private();
	u32 at = __atomic_fetch_add(&p->notified, 1, __ATOMIC_RELAXED) % NOTIFIED_MAX;

	__atomic_store_n(&p->notified_id[at], id, __ATOMIC_RELEASE);
}

static u64 *find(u64 id)
{
	for (u32 i = 0; i < NOTIFIED_MAX; i++)
		if (__atomic_load_n(&private()->notified_id[i], __ATOMIC_ACQUIRE) == id)
			return &private()->notified_id[i];
	return NULL;
}

void notify_reported(u32 command, u64 at)
{
	struct notif notif;

	if (command != NOTIF_RECV || guest_read(&notif, at, sizeof(notif)) < 0)
		return;
	if (notif.data.ip == (u64)agent_pass_judged_done)
		remember(notif.id);
	if (!pids_on())
		return;
	notif.pid = pids_to_guest(notif.pid);
	if (guest_write(at + offsetof(struct notif, pid), &notif.pid, sizeof(notif.pid)) < 0)
		return; /* it has gone meanwhile */
}

bool notify_ioctl(struct call *call)
{
	struct response response;
	u64 *known;

	if ((u32)call->arg[1] == NOTIF_RECV)
		call->reported = true;
	if ((u32)call->arg[1] != NOTIF_SEND || guest_read(&response, call->arg[2], sizeof(response)) < 0)
		return false;
	known = find(response.id);
	if (!known || response.flags != FLAG_CONTINUE || response.error || response.value)
		return false;
	response.flags = 0;
	response.error = NOTIF_CONTINUED;
	call->ret = sys3(__NR_ioctl, call->arg[0], NOTIF_SEND, &response);
	return true;
}
