/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets with a path in the tree: bind, connect and sendto get the /proc/self/fd name of what was found. So getsockname(2) tells that name, not
 * the guest's (docs/limits.md).
 */
#include "agent/fs.h"
#include "agent/vfs_int.h"

#define AF_UNIX_ 1
#define SUN_PATH 108u
#define SOCKADDR_MAX 128u

struct unix_address { /* struct sockaddr_un */
	u16 family;
	char path[SUN_PATH + 1];
};

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
static bool is_path(u64 at, u64 size, struct unix_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (size <= sizeof(ret->family) || size > sizeof(ret->family) + SUN_PATH || guest_read(ret, at, size) < 0)
		return false;
	return ret->family == AF_UNIX_ && ret->path[0];
}

enum verdict fs_bind(struct call *call)
{
	struct unix_address address;
	struct fs_name where;
	char link[FS_LINK_SIZE];
	u64 length, size;
	long r;

	if (!is_path(call->arg[1], (u32)call->arg[2], &address))
		return CALL_PASS;
	r = fs_name(scratch(), AT_FDCWD_, (u64)address.path, &where);
	if (r < 0)
		return done(call, r);
	r = where.last != FS_LAST_NAME || where.mounted ? -EADDRINUSE : where.read_only ? -EROFS : 0;
	if (r == 0) {
		fs_link(link, (u32)where.directory);
		length = strlen(link);
		size = strlen(where.name);
		if (length + 1 + size > SUN_PATH) {
			r = -ENAMETOOLONG;
		} else {
			memcpy(address.path, link, length);
			address.path[length] = '/';
			memcpy(address.path + length + 1, where.name, size + 1);
			r = sys3(__NR_bind, call->arg[0], &address,
				 sizeof(address.family) + length + 1 + size + (length + 1 + size < SUN_PATH));
		}
	}
	fs_name_done(&where);
	return done(call, r);
}

/* The guest makes the call itself, since it may wait: with a short address, whose descriptor lingers. */
static enum verdict by_address(struct call *call, u32 at)
{
	struct unix_address address;
	long object;

	if (!is_path(call->arg[at], (u32)call->arg[at + 1], &address))
		return CALL_PASS;
	fs_linger_end();
	object = fs_object(scratch(), AT_FDCWD_, (u64)address.path, FS_FOLLOW);
	if (object < 0)
		return done(call, object);
	memset(&address, 0, sizeof(address));
	address.family = AF_UNIX_;
	fs_link(address.path, (u32)object);
	if (sizeof(address.family) + strlen(address.path) + 1 > sizeof(call->extra)) {
		fs_object_done(object, AT_FDCWD_);
		return done(call, -EMFILE);
	}
	fs_linger(object);
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
