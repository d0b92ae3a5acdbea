/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets with a path in the tree: bind, connect and sendto get the /proc/self/fd name of what was found. The guest is told its own name
 * (fs_socket_name.c).
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"
#include "agent/vfs_int.h"

#define AF_UNIX_ 1
#define SOL_SOCKET_ 1
#define SO_SNDTIMEO_ 21

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
	struct fs_new made = { .kind = FS_NEW_SOCKET, .socket = (s32)call->arg[0] };
	struct fs_unix_address address;
	long r;

	if (!is_path(call->arg[1], (u32)call->arg[2], &address))
		return CALL_PASS;
	made.called = address.path;
	r = fs_make_path(AT_FDCWD_, (u64)address.path, &made);
	return done(call, r == -EEXIST ? -EADDRINUSE : r);
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

/* The name of its descriptor, as address. Its length. */
static u64 name_object(struct fs_unix_address *address, long object)
{
	memset(address->path, 0, sizeof(address->path));
	agent_fd_link(address->path, (u32)object);
	return sizeof(address->family) + strlen(address->path) + 1;
}

/* socket(7): what SO_SNDTIMEO limits is not begun again behind a handler, whatever SA_RESTART says (sock_intr_errno()). */
static void may_begin_again(struct call *call)
{
	u64 timeout[2] = { 0 };
	u32 size = sizeof(timeout);

	if (call->again && sys5(__NR_getsockopt, call->arg[0], SOL_SOCKET_, SO_SNDTIMEO_, timeout, &size) == 0)
		call->again = !timeout[0] && !timeout[1];
}

enum verdict fs_connect(struct call *call)
{
	struct fs_unix_address address;
	long object;
	u64 size;

	if (!is_path(call->arg[1], (u32)call->arg[2], &address))
		return CALL_PASS;
	object = find(&address);
	if (object < 0)
		return done(call, object);
	object = fs_far(object);
	size = name_object(&address, object);
	fs_hold(object);
	call->ret = agent_waiting_call(call, __NR_connect, call->arg[0], (u64)&address, size, 0);
	fs_release(object);
	may_begin_again(call);
	return CALL_DONE;
}

/* --- sendto, sendmsg, sendmmsg -------------------------------------------------------------------------------------------------------- */

#define MSG_DONTWAIT_ 0x40u
#define AGAIN_NS 2000000 /* between attempts to send */
#define VECTOR_MAX 1024u /* UIO_MAXIOV */
#define RW_MAX UINT64_C(0x7ffff000)

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

/* gVisor, which has no openat2 either, never wakes who waits for room in another's socket: sends when there is some. */
static long send_polling(struct call *call, const struct message *message, u64 flags)
{
	const struct agent_time pause = { 0, AGAIN_NS };
	u32 *never = &commons()->fs.features; /* nobody wakes */
	long r;

	do {
		r = sys3(__NR_sendmsg, call->arg[0], message, flags | MSG_DONTWAIT_);
		if (r == -EAGAIN && agent_wait(call, never, *never, &pause) == -EINTR)
			r = -EINTR;
	} while (r == -EAGAIN);
	call->again = r == -EINTR && (call->trap->interrupted & TRAP_RESTART);
	return r;
}

/* Sends one message to whom it says, as it is. */
static long send_on(struct call *call, const struct message *message, u64 flags)
{
	bool polls = !(commons()->fs.features & FS_OPENAT2) && !(flags & MSG_DONTWAIT_) &&
		     !(sys2(__NR_fcntl, call->arg[0], 3 /* F_GETFL */) & O_NONBLOCK_);
	long r = polls ? send_polling(call, message, flags)
		       : agent_waiting_call(call, __NR_sendmsg, call->arg[0], (u64)message, flags, 0);

	may_begin_again(call);
	return r;
}

/* Sends one message to the path in `address`, which becomes the name of its descriptor. */
static long send_to_path(struct call *call, struct message *message, struct fs_unix_address *address, u64 flags)
{
	long object = find(address), r;

	if (object < 0)
		return object;
	object = fs_far(object);
	message->name = (u64)address;
	message->name_length = (u32)name_object(address, object);
	fs_hold(object);
	r = send_on(call, message, flags);
	fs_release(object);
	return r;
}

enum verdict fs_sendto(struct call *call)
{
	u64 part[2] = { call->arg[1], call->arg[2] < RW_MAX ? call->arg[2] : RW_MAX };
	struct message message = { .part = (u64)part, .parts = 1 };
	struct fs_unix_address address;

	if (!is_path(call->arg[4], (u32)call->arg[5], &address))
		return CALL_PASS;
	return done(call, send_to_path(call, &message, &address, (u32)call->arg[3]));
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
			r = send_on(call, &one.message, (u32)call->arg[3]);
		if (r < 0)
			break;
		one.length = (u32)r;
		r = guest_write(at + offsetof(struct message_of_many, length), &one.length, sizeof(one.length));
		if (r < 0)
			break;
	}
	call->again &= !sent;
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
