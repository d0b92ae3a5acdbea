/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap devices, agent half: nodes of /dev where there are none. What the kernel has is left alone, but under --refuse.
 *
 *   kmsg                       a stream of the cell's log, which the supervisor keeps (host/broker_kmsg.c): kmsg_agent.c; syslog(2) tells of the
 *                              same records: syslog_agent.c
 *   null, zero, full, random,  the real device, opened by the supervisor, whose /dev may have it (a bare /dev is often that of a chroot), or by a
 *   urandom, fuse, net/tun     node made somewhere (gaps/device_node.c); without one the first five are served by the supervisor
 *   tty                        the caller's controlling terminal by its own name
 *   ptmx                       /dev/pts/ptmx
 *
 * Limits. kmsg is a socket: fstat tells so, a read into a buffer that is too small cuts the record (kernel: EINVAL), poll says POLLOUT as well,
 * a reader that lags goes on with the oldest record (kernel: EPIPE first), lseek(fd, 0, SEEK_SET) is ESPIPE; when opened for reading and writing, a
 * write of more than 1024 bytes is cut off (kernel: EINVAL), when opened for writing, it is a pipe (agent/vfs_write.c). Writes are not
 * rate-limited. The log ends with `lichen run`. A served null, zero, full or random is a socket as well: no mmap, short reads. A write to
 * a served full of more than 4095 bytes is EINVAL, and opening it for reading and writing ENXIO. mknod of these nodes by the guest is the kernel's business.
 */
#include "agent/vfs.h"
#include "gaps/devices/devices_int.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/devices/devices.def"
#undef GAP_CALL

#define FIRST_ID 4096u   /* smaller ones are directories */
#define NET_DIRECTORY 1u /* /dev/net, for net/tun */

GAP_NO_EVENTS(devices)

static bool available(enum device_id id)
{
	return devices_area()->available & (1u << id);
}

bool devices_vfs_find(const char *path, struct vnode *node)
{
	if (path[0] != '/' || path[1] != 'd' || strncmp(path, "/dev/", 5))
		return false;
	node->real = true;
#define DEVICE(id_, name, major, minor, mode_, kind)              \
	if (!strcmp(path + 5, name) && available(DEVICE_##id_)) { \
		node->id = FIRST_ID + DEVICE_##id_;               \
		node->mode = VFS_DEVICE | (mode_);                \
		node->rdev = (major) << 8 | (minor);              \
		return true;                                      \
	}
#include "gaps/devices/device_list.def"
#undef DEVICE
	if (strcmp(path + 5, "net") || !available(DEVICE_tun))
		return false;
	node->id = NET_DIRECTORY;
	node->mode = VFS_DIRECTORY | 0755;
	return true;
}

bool devices_vfs_knows(const char *last)
{
#define DEVICE(id, name, major, minor, mode, kind) \
	if (!strcmp(last, name))                   \
		return true;
#include "gaps/devices/device_list.def"
#undef DEVICE
	return !strcmp(last, "tun") || !strcmp(last, "net");
}

long devices_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	(void)node, (void)path, (void)buffer, (void)size;
	return -EIO; /* all are opened by devices_vfs_open() */
}

long devices_vfs_open(const struct vnode *node, const char *path, int flags)
{
	bool pipe = (flags & O_ACCMODE_) == O_WRONLY_;

	(void)path;
	if (node->id == FIRST_ID + DEVICE_kmsg)
		return pipe ? -EOPNOTSUPP : kmsg_open(flags);
	if (node->id == FIRST_ID + DEVICE_full && devices_refused() && (flags & O_ACCMODE_))
		return pipe ? -EOPNOTSUPP : -ENXIO; /* one that takes everything would be worse than none */
#define DEVICE(id_, name, major, minor, mode, kind) \
	if (node->id == FIRST_ID + DEVICE_##id_)    \
		return device_open(node->rdev, DEVICE_##kind, flags);
#include "gaps/devices/device_list.def"
#undef DEVICE
	return -ENXIO;
}

long devices_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	(void)path;
	return node->id == FIRST_ID + DEVICE_kmsg ? kmsg_written(bytes, size) : -ENOSPC;
}

static bool put_name(struct ventry *entry, const char *name, u32 mode)
{
	memcpy(entry->name, name, strlen(name) + 1);
	entry->mode = mode;
	return true;
}

/* NOLINTNEXTLINE(readability-function-cognitive-complexity): one line a device, made from the list */
bool devices_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	bool top = !strcmp(path, "/dev");

	if (!top && strcmp(path, "/dev/net"))
		return false;
#define DEVICE(id, name, major, minor, mode, kind)                                    \
	if (available(DEVICE_##id) && top == (DEVICE_##id != DEVICE_tun) && n-- == 0) \
		return put_name(entry, DEVICE_##id == DEVICE_tun ? "tun" : (name), VFS_DEVICE);
#include "gaps/devices/device_list.def"
#undef DEVICE
	return top && available(DEVICE_tun) && n == 0 && put_name(entry, "net", VFS_DIRECTORY);
}
