/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listing directories that a gap adds names to.
 *
 * Below /proc: what the kernel lists comes first; at its end the descriptor is moved to an offset that tells our position (vfs_int.h), and
 * the supplied names follow, "." and ".." first in a directory that is all ours. telldir and seekdir work, being the kernel's own; after
 * rewinddir a directory that is all ours lists /proc/sys.
 * /dev: its file systems give offsets a meaning, so our names go behind the first part that the kernel lists, if the buffer has room
 * (readdir(3) of glibc has 32 KiB, of musl 2 KiB).
 * Processes that read one descriptor at the same time may get a name twice, threads do not.
 * Asked for directories at their end, and first parts of others while a gap supplies devices: one host call each.
 */
#include "agent/vfs_int.h"

struct dirent64 { /* struct linux_dirent64 without the name, which begins in what is padding here */
	u64 ino;
	s64 offset;
	u16 length;
	u8 type;
};
#define NAME_AT 19u
static_assert(NAME_AT == offsetof(struct dirent64, type) + 1, "kernel ABI");
#define ENTRY_MAX ALIGN_UP(NAME_AT + sizeof(((struct ventry *)0)->name) + 1, 8)

/* Whether a gap adds an n-th name to a directory; else *n is less by those that it adds. */
#define GAP_LISTED(name)
#define GAP_BUILT(name)                                                              \
	static bool name##_nth_entry(const char *path, u32 *n, struct ventry *entry) \
	{                                                                            \
		if (!(commons()->emulated & (1u << GAP_##name)))                     \
			return false;                                                \
		for (u32 i = 0; name##_vfs_entry(path, i, entry); i++)               \
			if ((*n)-- == 0)                                             \
				return true;                                         \
		return false;                                                        \
	}
#include "gaps/gaps.def"
#undef GAP_BUILT

/* The n-th name that all emulated gaps together add to a directory. */
static bool nth_entry(const char *path, u32 n, struct ventry *entry)
{
#define GAP_BUILT(name)                        \
	if (name##_nth_entry(path, &n, entry)) \
		return true;
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED
	return false;
}

/* Whether the kernel lists the name itself; refused or not, it then stands in its part of the listing. */
static bool listed_by_kernel(const char *directory, const char *name)
{
	char path[VFS_PATH_MAX];
	u64 a = strlen(directory), b = strlen(name);

	if (a + 1 + b >= sizeof(path))
		return true;
	memcpy(path, directory, a);
	path[a] = '/';
	memcpy(path + a + 1, name, b + 1);
	return sys3(__NR_faccessat, AT_FDCWD_, path, 0) == 0;
}

/* Writes one entry; the room left, or 0 when there is none, or negative errno. */
static long put_entry(u64 to, u64 room, const char *name, u32 mode, s64 offset)
{
	struct {
		struct dirent64 head;
		char rest[ENTRY_MAX];
	} e;
	u64 length = strlen(name), size = ALIGN_UP(NAME_AT + length + 1, 8);

	if (size > room)
		return 0;
	memset(&e, 0, sizeof(e));
	e.head.ino = 0x40000000;
	for (u64 i = 0; i < length; i++)
		e.head.ino = (e.head.ino * 31 + (u8)name[i]) & 0x7fffffff;
	e.head.offset = offset;
	e.head.length = (u16)size;
	e.head.type = (u8)((mode & VFS_TYPE) >> 12);
	memcpy((char *)&e + NAME_AT, name, length + 1);
	return guest_write(to, &e, size) < 0 ? -EFAULT : (long)size;
}

/* Fills the guest's buffer with supplied names from *position on; the bytes written, or negative errno. */
static long put_entries(const char *path, u64 to, u64 room, u32 *position, bool all_ours, u32 name)
{
	struct ventry entry;
	u64 used = 0;
	long n;

	for (;; (*position)++) {
		s64 next = (s64)(VFS_DIR_OFFSET + name * VFS_DIR_POSITIONS + *position + 1);

		if (*position < 2) {
			if (!all_ours)
				continue;
			memcpy(entry.name, "..", 3);
			entry.name[*position + 1] = 0;
			entry.mode = VFS_DIRECTORY;
		} else if (*position >= VFS_DIR_POSITIONS - 1 || !nth_entry(path, *position - 2, &entry)) {
			return (long)used;
		} else if (!all_ours && listed_by_kernel(path, entry.name)) {
			continue;
		}
		n = put_entry(to + used, room - used, entry.name, entry.mode, next);
		if (n < 0)
			return n;
		if (n == 0)
			return used ? (long)used : -EINVAL;
		used += (u64)n;
	}
}

/* The kernel's part of a directory below /proc is at its end. */
static long continue_proc(struct call *call)
{
	char link[VFS_PATH_MAX];
	s32 fd = (s32)call->arg[0];
	u32 position = 0, name = VFS_DIR_OWN;
	const char *path = link;
	long length = vfs_fd_link(fd, link), offset, n;

	if (length < 9 || strncmp(link, "/proc/sys", 9))
		return 0;
	offset = sys3(__NR_lseek, fd, 0, 1 /* SEEK_CUR */);
	if (offset >= (long)VFS_DIR_OFFSET && offset < (long)(VFS_DIR_OFFSET + (1u << 24))) {
		position = ((u32)offset - VFS_DIR_OFFSET) % VFS_DIR_POSITIONS;
		name = ((u32)offset - VFS_DIR_OFFSET) / VFS_DIR_POSITIONS;
		path = name == VFS_DIR_OWN ? link : vfs_interned(name);
	}
	if (!path)
		return 0;
	n = put_entries(path, call->arg[1], (u32)call->arg[2], &position, name != VFS_DIR_OWN, name);
	if (n > 0)
		(void)sys3(__NR_lseek, fd, VFS_DIR_OFFSET + (u64)name * VFS_DIR_POSITIONS + position, 0);
	return n;
}

/* Whether it is /dev, where there is no /proc to ask. */
static bool is_dev(s32 fd)
{
	struct kernel_stat a, b;

	return sys2(__NR_fstat, fd, &a) == 0 && sys4(__NR_newfstatat, AT_FDCWD_, "/dev", &b, 0) == 0 && a.dev == b.dev &&
	       a.ino == b.ino;
}

/* The first part of a directory has been listed: behind it the names that belong into /dev. The bytes added. */
static long append_dev(struct call *call, u64 used)
{
	char link[VFS_PATH_MAX] = "";
	struct {
		struct dirent64 head;
		char name[8];
	} first;
	u64 room = (u32)call->arg[2] - used;
	struct ventry entry;
	long added = 0, n;
	s64 offset = 0;

	if (guest_read(&first, call->arg[1], NAME_AT + 2) < 0 || ((char *)&first)[NAME_AT] != '.' || ((char *)&first)[NAME_AT + 1])
		return 0;
	if (vfs_fd_link((s32)call->arg[0], link) <= 0 && is_dev((s32)call->arg[0]))
		memcpy(link, "/dev", 5);
	else if (strncmp(link, "/dev", 4) || (link[4] && link[4] != '/'))
		return 0;
	if (!nth_entry(link, 0, &entry))
		return 0;
	for (u64 at = 0; at < used; at += first.head.length) {
		if (guest_read(&first, call->arg[1] + at, NAME_AT) < 0 || first.head.length < NAME_AT)
			return 0;
		offset = first.head.offset;
	}
	for (u32 i = 0; nth_entry(link, i, &entry); i++) {
		if (listed_by_kernel(link, entry.name))
			continue;
		n = put_entry(call->arg[1] + used + (u64)added, room - (u64)added, entry.name, entry.mode, offset);
		if (n <= 0)
			break;
		added += n;
	}
	return added;
}

/* One thread of the process at a time: position and names belong together. A vfork child, which may be killed alone, does not wait. */
static long continue_alone(struct call *call)
{
	struct private *p = private();
	bool waits = (s32)sys0(__NR_getpid) == p->pid;
	long n;

	while (waits && __atomic_exchange_n(&p->listing, 1, __ATOMIC_ACQUIRE))
		(void)sys0(__NR_sched_yield);
	n = continue_proc(call);
	if (waits)
		__atomic_store_n(&p->listing, 0, __ATOMIC_RELEASE);
	return n;
}

/* Whether a directory may have names of ours behind the kernel's. */
static bool is_below_proc_sys(s32 fd)
{
	char link[VFS_PATH_MAX];

	return vfs_fd_link(fd, link) >= 9 && !strncmp(link, "/proc/sys", 9);
}

enum verdict vfs_getdents64(struct call *call)
{
	(void)engine_getdents64(call);
	if (call->ret == 0 && is_below_proc_sys((s32)call->arg[0]))
		call->ret = continue_alone(call);
	else if (call->ret > 0 && (commons()->emulated & (1u << GAP_devices)))
		call->ret += append_dev(call, (u64)call->ret);
	return CALL_DONE;
}
