/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What sockets are called. The kernel's name of a socket that the guest bound in its tree is /proc/self/fd/N/BITS/NAME: the directory's descriptor, a number
 * in binary ("/" is 0, "./" is 1: both lead to the same place), and the name in the directory. The number is that of a row in the
 * commons (struct fs_socket) that has the guest's path, which getsockname(2) and its kin are made to tell, and which is understood where it is sent to.
 *
 * A name that leaves no room for this is bound as another one, which is then linked to its place.
 *
 * Calls that wait (accept, recvfrom, recvmsg) are made by the guest itself, and show their result (fs_reported()). Only where the guest
 * has room for the longest name, else it sees the kernel's.
 */
#include "agent/fs.h"
#include "agent/fs_layers.h"

#define AF_UNIX_ 1
#define SOL_SOCKET_ 1
#define SO_DOMAIN_ 39
#define ADDRESS_MIN 2u   /* the family */
#define ADDRESS_MAX 110u /* struct sockaddr_un */
#define TEMPORARY ".lichen-"
#define NEW_PREFIX "new-" /* fs_work_dir() */
#define NUMBER_MASK ((1u << FS_SOCKET_BITS) - 1)

struct told { /* a name as the kernel tells it */
	struct fs_unix_address address;
	u8 more[16];
};

/* --- names ----------------------------------------------------------------------------------------------------------------------------- */

/* Notes the name that a guest gives a socket: its number. */
static u32 note(const char *path)
{
	struct fs_state *fs = &commons()->fs;
	u32 number = __atomic_add_fetch(&fs->sockets_bound, 1, __ATOMIC_RELAXED) & NUMBER_MASK;
	struct fs_socket *row = &fs->sockets[number % FS_SOCKETS_MAX];
	u64 size = strlen(path);

	__atomic_store_n(&row->number, 0, __ATOMIC_SEQ_CST);
	memset(row->path, 0, sizeof(row->path));
	memcpy(row->path, path, size < sizeof(row->path) ? size : sizeof(row->path));
	__atomic_store_n(&row->number, number + 1, __ATOMIC_RELEASE);
	return number;
}

/* Writes "/proc/self/fd/N" and the bits: the length. */
static u64 prefix(char *to, u32 directory, u32 number)
{
	u64 length;

	agent_fd_link(to, directory);
	length = strlen(to);
	to[length++] = '/';
	for (u32 i = 0; i < FS_SOCKET_BITS; i++) {
		if (number >> i & 1)
			to[length++] = '.';
		to[length++] = '/';
	}
	to[length] = 0;
	return length;
}

static const char *last_of(const char *path)
{
	const char *last = path;

	for (; *path; path++)
		if (*path == '/' && path[1] && path[1] != '/')
			last = path + 1;
	return last;
}

/* Whether the kernel's last component may be of this path: another cell's socket has another name. */
static bool fits(const char *name, const char *path)
{
	const char *last = last_of(path);
	u64 size = strlen(name);

	if (!strncmp(name, TEMPORARY, sizeof(TEMPORARY) - 1) || !strncmp(name, NEW_PREFIX, sizeof(NEW_PREFIX) - 1))
		return true;
	return !strncmp(name, last, size) && (!last[size] || last[size] == '/');
}

bool fs_socket_told(char path[FS_SUN_PATH + 1])
{
	static const char start[] = "/proc/self/fd/";
	const char *at = path + sizeof(start) - 1;
	char kept[FS_SUN_PATH + 1];
	const struct fs_socket *row;
	u32 number = 0;

	if (strncmp(path, start, sizeof(start) - 1) != 0)
		return false;
	while (*at >= '0' && *at <= '9')
		at++;
	if (*at++ != '/')
		return false;
	for (u32 i = 0; i < FS_SOCKET_BITS; i++) {
		if (*at == '.') {
			number |= 1u << i;
			at++;
		}
		if (*at++ != '/')
			return false;
	}
	row = &commons()->fs.sockets[number % FS_SOCKETS_MAX];
	if (__atomic_load_n(&row->number, __ATOMIC_ACQUIRE) != number + 1)
		return false;
	memcpy(kept, row->path, FS_SUN_PATH);
	kept[FS_SUN_PATH] = 0;
	if (__atomic_load_n(&row->number, __ATOMIC_ACQUIRE) != number + 1 || !fits(at, kept))
		return false;
	memcpy(path, kept, sizeof(kept));
	return true;
}

/* --- bind ------------------------------------------------------------------------------------------------------------------------------ */

static long bind_name(s32 socket, struct fs_unix_address *address, u64 length, const char *name)
{
	u64 size = strlen(name);

	memcpy(address->path + length, name, size + 1);
	size += length;
	return sys3(__NR_bind, socket, address, sizeof(address->family) + size + (size < FS_SUN_PATH));
}

/* Under another name first. */
static long bind_elsewhere(const struct fs_new *made, s32 directory, const char *name, struct fs_unix_address *address, u64 length)
{
	char other[sizeof(TEMPORARY) + 8];
	u32 random;
	long r;

	if (sys3(__NR_getrandom, &random, sizeof(random), 0) != sizeof(random))
		random = (u32)sys0(__NR_gettid) << 16 ^ (u32)length;
	memcpy(other, TEMPORARY, sizeof(TEMPORARY));
	for (u32 i = 0; i < 8; i++)
		other[sizeof(TEMPORARY) - 1 + i] = "0123456789abcdef"[random >> (4 * i) & 15];
	other[sizeof(other) - 1] = 0;
	r = bind_name(made->socket, address, length, other);
	if (r < 0)
		return r;
	r = sys5(__NR_linkat, directory, other, directory, name, 0);
	(void)sys3(__NR_unlinkat, directory, other, 0);
	return r;
}

long fs_bind_at(const struct fs_new *made, s32 directory, const char *name)
{
	struct fs_unix_address address = { .family = AF_UNIX_ };
	u64 length = prefix(address.path, (u32)directory, note(made->called));
	struct kernel_stat st;

	if (length + strlen(name) <= FS_SUN_PATH)
		return bind_name(made->socket, &address, length, name);
	if (sys4(__NR_newfstatat, directory, name, &st, AT_SYMLINK_NOFOLLOW_) == 0) /* a socket that was bound cannot be again */
		return -EEXIST;
	return bind_elsewhere(made, directory, name, &address, length);
}

/* --- names that are told ------------------------------------------------------------------------------------------------------------------ */

/* An address in the terms of the guest: its length then, 0: it is not changed. */
static u32 translate(struct told *told, u32 length)
{
	u64 size;

	if (length <= ADDRESS_MIN || length > sizeof(told->address) || told->address.family != AF_UNIX_)
		return 0;
	((char *)told)[length] = 0;
	if (!fs_socket_told(told->address.path))
		return 0;
	size = strlen(told->address.path);
	return (u32)(sizeof(told->address.family) + size + 1);
}

enum verdict fs_getsockname(struct call *call)
{
	u32 room, length = sizeof(struct fs_unix_address), now;
	struct told told;

	if (guest_read(&room, call->arg[2], sizeof(room)) < 0 || (s32)room < 0)
		return CALL_PASS;
	memset(&told, 0, sizeof(told));
	if (sys3(call->nr, call->arg[0], &told, &length) < 0 || length > sizeof(told.address))
		return CALL_PASS;
	now = translate(&told, length);
	if (now)
		length = now;
	call->ret = guest_write(call->arg[1], &told, room < length ? room : length);
	if (call->ret == 0)
		call->ret = guest_write(call->arg[2], &length, sizeof(length));
	return CALL_DONE;
}

/* Whether what a call is about to tell may be a name of ours, and there is room for any: then its result is looked at. */
static enum verdict tells(struct call *call, u64 room_at)
{
	u32 domain = 0, size = sizeof(domain), room;

	if (guest_read(&room, room_at, sizeof(room)) == 0 && (s32)room >= (s32)ADDRESS_MAX &&
	    sys5(__NR_getsockopt, call->arg[0], SOL_SOCKET_, SO_DOMAIN_, &domain, &size) == 0 && domain == AF_UNIX_)
		call->reported = true;
	return CALL_PASS;
}

enum verdict fs_accept(struct call *call)
{
	return tells(call, call->arg[2]);
}

enum verdict fs_recvfrom(struct call *call)
{
	return tells(call, call->arg[5]);
}

struct message { /* the beginning of struct msghdr */
	u64 name;
	u32 length;
};

enum verdict fs_recvmsg(struct call *call)
{
	struct message message;

	if (guest_read(&message, call->arg[1], sizeof(message)) < 0 || !message.name)
		return CALL_PASS;
	return tells(call, call->arg[1] + offsetof(struct message, length));
}

static void correct(u64 name_at, u64 length_at)
{
	struct told told;
	u32 length, now;

	memset(&told, 0, sizeof(told));
	if (guest_read(&length, length_at, sizeof(length)) < 0 || length <= ADDRESS_MIN || length > ADDRESS_MAX ||
	    guest_read(&told, name_at, length) < 0)
		return;
	now = translate(&told, length);
	if (now != 0)
		(void)(guest_write(name_at, &told, now < ADDRESS_MAX ? now : ADDRESS_MAX) ||
		       guest_write(length_at, &now, sizeof(now)));
}

void fs_reported(long nr, const u64 args[6], long result)
{
	struct message message;

	if (result < 0)
		return;
	switch (nr) {
	case __NR_ioctl:
		notify_reported((u32)args[1], args[2]);
		break;
	case __NR_accept:
	case __NR_accept4:
		if (args[1])
			correct(args[1], args[2]);
		break;
	case __NR_recvfrom:
		if (args[4])
			correct(args[4], args[5]);
		break;
	case __NR_recvmsg:
		if (guest_read(&message, args[1], sizeof(message)) == 0 && message.name)
			correct(message.name, args[1] + offsetof(struct message, length));
		break;
	default:
		break;
	}
}
