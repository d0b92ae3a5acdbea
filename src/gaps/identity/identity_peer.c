/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: who is at a Unix socket's other end (SO_PEERCRED, unix(7)), of which the kernel tells a process and the host's ids, and the cell those that the
 * process has now; and the log of audits. */
#include "gaps/identity/identity_int.h"

#define SOL_SOCKET_ 1
#define AF_NETLINK_ 16

struct peer { /* struct ucred */
	s32 pid;
	u32 uid, gid;
};

static void tell(struct peer *peer)
{
	const struct identity_cred *cred = peer->pid > 0 ? identity_published(peer->pid) : NULL;

	if (cred) {
		peer->uid = cred->uid.effective;
		peer->gid = cred->gid.effective;
	} else if (peer->pid) { /* else there is no peer */
		peer->uid = identity_shown_uid(peer->uid);
		peer->gid = identity_shown_gid(peer->gid);
	}
}

enum verdict identity_getsockopt(struct call *call)
{
	struct peer peer;
	u32 size = sizeof(peer), room;
	long r;

	if ((u32)call->arg[1] != SOL_SOCKET_ || guest_read(&room, call->arg[4], sizeof(room)) < 0 || (s32)room < 0)
		return CALL_PASS;
	r = sys5(__NR_getsockopt, call->arg[0], call->arg[1], call->arg[2], &peer, &size);
	if (r < 0)
		return CALL_PASS;
	tell(&peer);
	if (pids_on())
		peer.pid = pids_to_guest(peer.pid);
	if (room > size)
		room = size;
	r = guest_write(call->arg[3], &peer, room);
	return identity_done(call, r < 0 ? r : guest_write(call->arg[4], &room, sizeof(room)));
}

/* What root does to its sessions goes to the kernel's log of audits, which takes it from the machine's root alone. sudo, su and PAM's modules complain, or refuse,
 * when it is not taken, and do without where the kernel has none. */
enum verdict identity_socket(struct call *call)
{
	if ((u32)call->arg[0] != AF_NETLINK_ || identity_area()->host_uid == 0)
		return CALL_PASS;
	return identity_done(call, -EPROTONOSUPPORT);
}
