/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets with a path in the tree: bind, connect and sendto get the /proc/self/fd name of what was found. The guest is told its own name
 * (fs_socket_name.c).
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

#define AF_UNIX_ 1

static struct fs_work *scratch(void)
{
	return (struct fs_work *)(void *)slot_current()->scratch;
}

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* Reads an address. True when it is a path. */
static bool is_path(u64 at, u64 size, struct fs_unix_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (size <= sizeof(ret->family) || size > sizeof(ret->family) + FS_SUN_PATH || guest_read(ret, at, size) < 0)
		return false;
	return ret->family == AF_UNIX_ && ret->path[0];
}

enum verdict fs_bind(struct call *call)
{
	struct fs_unix_address address;
	struct fs_name where;
	long r;

	if (!is_path(call->arg[1], (u32)call->arg[2], &address))
		return CALL_PASS;
	r = fs_name(scratch(), AT_FDCWD_, (u64)address.path, &where);
	if (r < 0)
		return done(call, r);
	r = fs_may_create(&where, false);
	if (r == 0)
		r = fs_make(scratch(), &where,
			    &(struct fs_new){
				    .kind = FS_NEW_SOCKET, .socket = (s32)call->arg[0], .number = fs_socket_named(address.path) });
	if (r == -EEXIST)
		r = -EADDRINUSE;
	fs_name_done(&where);
	return done(call, r);
}

/* The socket that a path leads to, which who sends must be allowed to write to (unix_find_bsd()). */
static long find(struct fs_unix_address *address)
{
	long object, r;

	(void)!fs_socket_told(address->path); /* where a call told the kernel's name */
	object = fs_object(scratch(), AT_FDCWD_, (u64)address->path, FS_FOLLOW);
	r = object < 0 || !identity_on() ? 0 : identity_may((s32)object, 2, false);
	if (r == 0)
		return object;
	fs_object_done(object, AT_FDCWD_);
	return r;
}

/* The guest makes the call itself, since it may wait: with a short address, whose descriptor lingers. */
static enum verdict by_address(struct call *call, u32 at)
{
	struct fs_unix_address address;
	long object;

	if (!is_path(call->arg[at], (u32)call->arg[at + 1], &address))
		return CALL_PASS;
	fs_linger_end();
	object = find(&address);
	if (object < 0)
		return done(call, object);
	object = fs_linger(object);
	memset(&address, 0, sizeof(address));
	address.family = AF_UNIX_;
	agent_fd_link(address.path, (u32)object);
	if (sizeof(address.family) + strlen(address.path) + 1 > sizeof(call->extra)) {
		fs_linger_end();
		return done(call, -EMFILE);
	}
	memcpy(call->extra, &address, sizeof(call->extra));
	call->edited = at + 1;
	call->arg[at + 1] = sizeof(address.family) + strlen(address.path) + 1;
	return CALL_PASS;
}

enum verdict fs_connect(struct call *call)
{
	return by_address(call, 1);
}

enum verdict fs_sendto(struct call *call)
{
	return by_address(call, 4);
}

/* --- sendmsg, sendmmsg ---------------------------------------------------------------------------------------------------------------- */

#define MSG_DONTWAIT_ 0x40u
#define VECTOR_MAX 1024u /* UIO_MAXIOV */
#define AGAIN_NS 2000000 /* between attempts to send to a receiver that has no room */

struct message { /* struct msghdr */
	u64 name;
	u32 name_length, pad;
	u64 part, parts, control, control_length;
	u32 flags, pad2;
};

struct message_of_many { /* struct mmsghdr */
	struct message message;
	u32 length, pad;
};

/* Whether a message is addressed to a path. */
static bool to_path(const struct message *message, struct fs_unix_address *ret)
{
	return message->name && is_path(message->name, message->name_length, ret);
}

/* Sends one message to the path in `address`, which becomes the name of its descriptor. */
static long send_to_path(struct call *call, struct message *message, struct fs_unix_address *address, u64 flags)
{
	const struct agent_time pause = { 0, AGAIN_NS };
	long object = find(address), r;
	bool waits = !(flags & MSG_DONTWAIT_) && !(sys2(__NR_fcntl, call->arg[0], 3 /* F_GETFL */) & O_NONBLOCK_);
	u32 *never = &commons()->fs.features; /* nobody wakes */

	if (object < 0)
		return object;
	memset(address->path, 0, sizeof(address->path));
	agent_fd_link(address->path, (u32)object);
	message->name = (u64)address;
	message->name_length = (u32)(sizeof(address->family) + strlen(address->path) + 1);
	do {
		r = sys3(__NR_sendmsg, call->arg[0], message, flags | MSG_DONTWAIT_);
		if (r == -EAGAIN && waits) {
			int woken = agent_wait(call, never, *never, &pause);

			if (woken == -EINTR)
				r = -EINTR;
		}
	} while (r == -EAGAIN && waits);
	fs_object_done(object, AT_FDCWD_);
	return r;
}

enum verdict fs_sendmsg(struct call *call)
{
	struct fs_unix_address address;
	struct message message;

	if (guest_read(&message, call->arg[1], sizeof(message)) < 0 || !to_path(&message, &address))
		return CALL_PASS;
	return done(call, send_to_path(call, &message, &address, (u32)call->arg[2]));
}

/* Whether any of several messages is addressed to a path. */
static bool any_to_path(u64 at, u32 count)
{
	struct fs_unix_address address;
	struct message_of_many one;

	for (u32 i = 0; i < count; i++)
		if (guest_read(&one, at + i * sizeof(one), sizeof(one)) < 0)
			return false;
		else if (to_path(&one.message, &address))
			return true;
	return false;
}

enum verdict fs_sendmmsg(struct call *call)
{
	u32 count = (u32)call->arg[2] < VECTOR_MAX ? (u32)call->arg[2] : VECTOR_MAX;
	struct fs_unix_address address;
	struct message_of_many one;
	long r = 0;
	u32 sent;

	if (!any_to_path(call->arg[1], count))
		return CALL_PASS;
	for (sent = 0; sent < count; sent++) {
		u64 at = call->arg[1] + sent * sizeof(one);

		r = guest_read(&one, at, sizeof(one));
		if (r < 0)
			break;
		if (to_path(&one.message, &address))
			r = send_to_path(call, &one.message, &address, (u32)call->arg[3]);
		else
			r = sys3(__NR_sendmsg, call->arg[0], &one.message, (u32)call->arg[3] | MSG_DONTWAIT_);
		if (r < 0)
			break;
		one.length = (u32)r;
		r = guest_write(at + offsetof(struct message_of_many, length), &one.length, sizeof(one.length));
		if (r < 0)
			break;
	}
	return done(call, sent ? (long)sent : r);
}

/* --- calls that would leave the tree ------------------------------------------------------------------------------------------------- */

enum verdict fs_refuse(struct call *call)
{
	return done(call, -EPERM);
}

enum verdict fs_refuse_handle(struct call *call)
{
	return done(call, -EOPNOTSUPP);
}

enum verdict fs_unknown(struct call *call)
{
	return done(call, -ENOSYS);
}
