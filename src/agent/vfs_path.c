/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a guest's path to the owner of a virtual file.
 *
 * Most paths of a guest have nothing to do with /proc or /dev and must leave fast: an absolute one by its first bytes, a relative one unless
 * its last part is a name that some gap knows (or "." or ".."); only then is the directory's name asked for. Paths are straightened as text:
 * "..", "." and double slashes go; links within /proc and /dev that a gap's paths lie behind do not exist, but for self and thread-self,
 * which gaps know. A path through a link elsewhere (/tmp/link-to-proc/sys/…) reaches the kernel.
 */
#include "agent/fs.h"
#include "agent/vfs_int.h"

static bool is_file(const char *path)
{
	struct vnode node;

	return vfs_find(path, &node) && (node.mode & VFS_TYPE) != VFS_DIRECTORY && (node.mode & VFS_TYPE) != VFS_LINK;
}

/* Straightens an absolute path in place; what must be a directory (".", "..", a slash at the end) ends in a slash. Returns its length, or
 * -ESRCH for what goes up from a file: the kernel knows what to say. */
static long straighten(char *path)
{
	u64 to = 0, from = 0;
	bool dots = false; /* the last part */

	while (path[from]) {
		u64 end = ++from; /* behind the slash */

		while (path[end] && path[end] != '/')
			end++;
		if (end == from && path[end]) /* "//" */
			continue;
		dots = path[from] == '.' && (end - from == 1 || (end - from == 2 && path[from + 1] == '.'));
		if (dots) {
			path[to] = 0;
			if (end - from == 2 && to && is_file(path))
				return -ESRCH;
			while (end - from == 2 && to && path[--to] != '/')
				;
			from = end;
			continue;
		}
		path[to++] = '/';
		memmove(path + to, path + from, end - from);
		to += end - from;
		from = end;
	}
	if (!to || dots)
		path[to++] = '/';
	path[to] = 0;
	return (long)to;
}

static bool is_below(const char *path, const char *directory, u64 length)
{
	return !strncmp(path, directory, length) && (path[length] == '/' || !path[length]);
}

static bool may_be_virtual(const char *path)
{
	return is_below(path, "/proc", 5) || is_below(path, "/dev", 4) || is_below(path, "/etc/mtab", 9);
}

static bool known_by_a_gap(const char *last)
{
	if (last[0] == '.' && (!last[1] || (last[1] == '.' && !last[2])))
		return true;
#define GAP_LISTED(name)
#define GAP_BUILT(name)                                                           \
	if ((commons()->emulated & (1u << GAP_##name)) && name##_vfs_knows(last)) \
		return true;
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED
	return false;
}

/* NOLINTNEXTLINE(readability-function-cognitive-complexity): one branch for each gap */
bool vfs_find(const char *path, struct vnode *node)
{
	char copy[VFS_PATH_MAX];
	u64 length = strlen(path);
	bool slash = length > 1 && path[length - 1] == '/';

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, path, length + 1);
	if (slash)
		copy[length - 1] = 0;
#define GAP_LISTED(name)
#define GAP_BUILT(name)                                                                \
	memset(node, 0, sizeof(*node));                                                \
	node->gap = GAP_##name;                                                        \
	if ((commons()->emulated & (1u << GAP_##name)) && name##_vfs_find(copy, node)) \
		return !slash || (node->mode & VFS_TYPE) == VFS_DIRECTORY;
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED
	return false;
}

/* --- names ----------------------------------------------------------------------------------------------------------------------- */

const char *vfs_interned(u32 index)
{
	struct vfs_name *names = commons()->vfs.names;

	if (index >= VFS_NAMES_MAX || __atomic_load_n(&names[index].state, __ATOMIC_ACQUIRE) != VFS_NAME_READY)
		return NULL;
	return names[index].path;
}

int vfs_intern(const char *path)
{
	struct vfs_name *names = commons()->vfs.names;
	u64 length = strlen(path);

	if (length >= VFS_NAME_SIZE)
		return -ENAMETOOLONG;
	for (u32 i = 0; i < VFS_NAMES_MAX; i++) {
		u32 state = __atomic_load_n(&names[i].state, __ATOMIC_ACQUIRE);

		if (state == VFS_NAME_READY && !strcmp(names[i].path, path))
			return (int)i;
		if (state == VFS_NAME_FREE && __atomic_compare_exchange_n(&names[i].state, &state, VFS_NAME_WRITING, false,
									  __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			memcpy(names[i].path, path, length + 1);
			__atomic_store_n(&names[i].state, VFS_NAME_READY, __ATOMIC_RELEASE);
			return (int)i;
		}
	}
	return -ENOSPC;
}

/* --- descriptors ----------------------------------------------------------------------------------------------------------------- */

long vfs_fd_link(s32 fd, char *out)
{
	char link[AGENT_FD_LINK_SIZE];
	long size;

	if (fd == AT_FDCWD_) {
		memcpy(link, "/proc/self/cwd", 15);
	} else if (fd < 0) {
		return -EBADF;
	} else {
		agent_fd_link(link, (u32)fd);
	}
	size = sys3(__NR_readlink, link, out, VFS_PATH_MAX - 1);
	if (size < 0)
		return size;
	out[size] = 0;
	return size;
}

/* A directory of ours is /proc/sys at an offset that tells its name. */
static long directory_path(s32 fd, char *out, long length)
{
	long offset;
	const char *path;

	if (fd < 0 || strcmp(out, "/proc/sys"))
		return length;
	offset = sys3(__NR_lseek, fd, 0, 1 /* SEEK_CUR */);
	if (offset < (long)VFS_DIR_OFFSET || offset >= (long)(VFS_DIR_OFFSET + (1u << 24)))
		return length;
	path = vfs_interned(((u32)offset - VFS_DIR_OFFSET) / VFS_DIR_POSITIONS);
	if (!path)
		return length; /* VFS_DIR_OWN */
	length = (long)strlen(path);
	memcpy(out, path, (u64)length + 1);
	return length;
}

/* "/memfd:/proc/sys/kernel/panic (deleted)" as the path in it. */
static long memfd_path(char *link, long length)
{
	static const char gone[] = " (deleted)";

	if (length > (long)sizeof(gone) && !strcmp(link + length + 1 - (long)sizeof(gone), gone))
		length -= (long)sizeof(gone) - 1;
	length -= 7;
	memmove(link, link + 7, (u64)length);
	link[length] = 0;
	return length;
}

long vfs_fd_ours(s32 fd, char *out)
{
	long length = vfs_fd_link(fd, out);

	if (length > 0 && !strncmp(out, "/memfd:/", 8))
		return memfd_path(out, length);
	return length < 0 || !strncmp(out, "pipe:[", 6) ? vfs_pipe_path(fd, out) : 0;
}

long vfs_fd_path(s32 fd, char *out)
{
	long length = vfs_fd_link(fd, out), ours;

	if (length < 0)
		return length;
	if (!strncmp(out, "/memfd:/", 8))
		return memfd_path(out, length);
	ours = strncmp(out, "pipe:[", 6) ? 0 : vfs_pipe_path(fd, out);
	return ours > 0 ? ours : directory_path(fd, out, length);
}

/* Puts the directory `base` in the place of the first `skip` characters. Length or -ESRCH. */
static long put_before(const char *base, long base_length, char *path, long skip)
{
	long rest = (long)strlen(path) - skip;

	if (base_length <= 0 || base[0] != '/' || base_length + 1 + rest >= (long)VFS_PATH_MAX)
		return -ESRCH;
	memmove(path + base_length + 1, path + skip, (u64)rest + 1);
	memcpy(path, base, (u64)base_length);
	path[base_length] = '/';
	return straighten(path);
}

/* What lies behind the links to directories that every process has: /proc/self/root, cwd and fd/N. Length or -ESRCH. */
static long follow_own_links(char *path, long length)
{
	char base[VFS_PATH_MAX];
	long at = !strncmp(path, "/proc/self/", 11) ? 11 : !strncmp(path, "/proc/thread-self/", 18) ? 18 : 0;
	u32 fd = 0;

	if (!at)
		return length;
	if (!strncmp(path + at, "root/", 5))
		return put_before("/", 1, path, at + 5);
	if (!strncmp(path + at, "cwd/", 4))
		return put_before(base, vfs_fd_path(AT_FDCWD_, base), path, at + 4);
	if (strncmp(path + at, "fd/", 3))
		return length;
	for (at += 3; path[at] >= '0' && path[at] <= '9' && fd < 100000000; at++)
		fd = fd * 10 + (u32)(path[at] - '0');
	return path[at] == '/' && path[at + 1] ? put_before(base, vfs_fd_path((s32)fd, base), path, at + 1) : length;
}

/* Processes are named as the host does; those of others are nobody's files. */
static long told_to_host(char *path, long length)
{
	if (pids_on())
		length = pids_host_path(path, VFS_PATH_MAX);
	return length > 0 ? length : -ESRCH;
}

long vfs_path(s32 dirfd, u64 path, char *out)
{
	char base[VFS_PATH_MAX];
	long length = guest_read_string(out, path, VFS_PATH_MAX);
	const char *last = out;

	if (length <= 0)
		return -ESRCH;
	if (out[0] == '/') {
		if (out[1] != 'p' && out[1] != 'd' && out[1] != '/' && out[1] != '.' && strcmp(out, "/etc/mtab"))
			return -ESRCH;
		length = straighten(out);
		if (length > 0)
			length = follow_own_links(out, length);
		return length > 0 && may_be_virtual(out) && (!fs_on() || fs_is_usual(out)) ? told_to_host(out, length) : -ESRCH;
	}
	for (const char *at = out; *at; at++)
		if (*at == '/' && at[1])
			last = at + 1;
	if (LIKELY(!known_by_a_gap(last)))
		return -ESRCH;
	length = put_before(base, vfs_fd_path(dirfd, base), out, 0);
	return length > 0 && may_be_virtual(out) ? told_to_host(out, length) : -ESRCH;
}
