/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How others talk to a cell's monitor: a SOCK_SEQPACKET socket, `socket` in the cell's directory. One request and one reply a connection.
 * Both ends are one build of lichen, or refuse each other by CELL_CONTROL_VERSION. Who is neither the monitor's user nor root is turned away, by
 * the directory's mode and by the credentials of the connection (unix(7), SO_PEERCRED).
 */
#ifndef LICHEN_HOST_CELL_CONTROL_H
#define LICHEN_HOST_CELL_CONTROL_H

#include <assert.h>

#include "abi/commons.h"
#include "abi/reserved.h"
#include "base/types.h"
#include "host/cell_fds.h"

#define CELL_CONTROL_VERSION 3u

enum cell_request_kind {
	CELL_SIGNAL =
		1,   /* value: sent to the command; ours to answer when it was. The stop signal and SIGKILL count as CELL_STOP */
	CELL_STOP,   /* the same, and the cell is not restarted */
	CELL_WAIT,   /* answered when the cell is over: its exit status */
	CELL_PAUSE,  /* stops all processes of the cell. -EALREADY: they are */
	CELL_RESUME, /* continues them. -EALREADY: they run */
	CELL_HOLD,   /* stops them until the connection is hung up; answered when they stand */
	CELL_UPDATE, /* config.json was replaced: limits and the restart policy are read again */
	CELL_ATTACH, /* answered with what streams the command has; then the connection is one of its console (console.h). -EOPNOTSUPP: they are
			whose who started the cell */
	CELL_JOIN, /* answered with what a new member needs: struct cell_reply and the reserved descriptors that are there */
};

struct cell_request {
	u32 version, kind; /* enum cell_request_kind */
	s32 value;
	u32 reserved;
};
static_assert(sizeof(struct cell_request) == 16, "sent between lichens");

struct cell_reply {
	s32 result; /* negative errno; CELL_WAIT: exit status */
	u32 version;
	u64 mapped;
	u32 text_size, emulate, refuse;
	u32 present;      /* bit per enum reserved_fd, and CELL_REPLY_PIDFD: a descriptor comes along, in this order */
	u64 capabilities; /* of a native cell (native.h) */
	struct identity_start identity;
	u32 streams; /* CELL_ATTACH: bits */
};
#define CELL_HAS_TERMINAL 1u
#define CELL_TAKES_INPUT 2u
#define CELL_REPLY_PIDFD (1u << RESERVED_COUNT)
static_assert(sizeof(struct cell_reply) == 312, "sent between lichens");

/* A listening socket in a cell's directory, non-blocking. A descriptor or negative errno. */
int cell_control_listen(int dir) MUST_CHECK;
/* Takes a connection of somebody who may connect. A descriptor, non-blocking, or negative errno (-EAGAIN: none is there). */
int cell_control_accept(int listener) MUST_CHECK;
/* Answers; fds NULL: no descriptors. pidfd: of a native cell's first process, negative: none. 0 or negative errno. */
int cell_control_reply(int fd, const struct cell_reply *reply, const struct cell_fds *fds, int pidfd);

/* Sends a request, whose answer comes on the descriptor that is returned; it is hung up when the cell is over, whatever ends it. Negative errno: as
 * cell_control_ask(). */
int cell_control_send(int dir, enum cell_request_kind kind, int value) MUST_CHECK;
/* CELL_ATTACH, waiting for the answer as cell_control_ask() does. A connection for attach_run(), the caller's. */
int cell_control_attach(int dir, int milliseconds, u32 *ret_streams) MUST_CHECK;

/*
 * Asks a cell's monitor and waits for the answer, at most `milliseconds` (negative: as long as it takes). Returns reply->result; -ESRCH: there is
 * no monitor; -ETIMEDOUT; -EPROTO: it is another version of lichen. ret_fds (NULL: none are wanted) gets the descriptors of CELL_JOIN, the commons mapped;
 * cell_fds_done() releases them, and close(2) *ret_pidfd, which is negative unless the cell is a native one.
 */
int cell_control_ask(int dir, enum cell_request_kind kind, int value, int milliseconds, struct cell_reply *ret_reply,
		     struct cell_fds *ret_fds, int *ret_pidfd) MUST_CHECK;

#endif
