/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap sysctl, agent half: files below /proc/sys that the kernel lacks or does not let be written, as virtual files (agent/vfs.h).
 *
 *   find      path → row of the table (sysctl_table.c), interface, and whether the kernel still answers: it does until the cell has written
 *   read      what the cell wrote (sysctl_store.c), else the computed or the table's initial value (sysctl_truth.c)
 *   written   parsed and validated as the kernel's handler of the kind (sysctl_value.c), with what follows for other files
 *             (sysctl_rules.c), stored for the cell under the area's lock
 *
 * What must never happen: a write that reaches the machine in a cell that was told to emulate (own_writes), by a path that vfs_path.c knows
 * (docs/limits.md: links elsewhere, another procfs); and a torn or half valid value.
 *
 * Limits:
 *   - A value that is written is kept and told, and changes nothing else: the kernel goes on with its own. docs/sysctls.md says which files
 *     are only recorded.
 *   - Values belong to the cell, not to its network or IPC namespaces: unshare(2) does not begin with fresh ones.
 *   - Files that are not in the table are the kernel's, or absent. CAP_NET_ADMIN without uid 0 does not open files of net for writing.
 *   - Files of one quantity in two units (base_reachable_time and base_reachable_time_ms) do not follow each other.
 *   - fs/file-nr does not know how many files are open on the machine: it says 0 of them.
 *   - At most SYSCTL_VALUES_MAX different values are written in a cell, further ones say ENOMEM.
 */
#include "gaps/sysctl/sysctl_int.h"

#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "gaps/sysctl/sysctl.def"
#undef GAP_CALL

GAP_NO_EVENTS(sysctl)

/* The part behind "/proc/sys", without its slash; NULL for other paths. */
static const char *below_sys(const char *path)
{
	if (strncmp(path, "/proc/sys", 9) || (path[9] && path[9] != '/'))
		return NULL;
	return path[9] ? path + 10 : path + 9;
}

static bool is_everywhere(const char *instance)
{
	return !instance[0] || !strcmp(instance, "all") || !strcmp(instance, "default") || !strcmp(instance, "lo");
}

static bool writes_are_ours(u32 row)
{
	return (commons()->forced & (1u << GAP_sysctl)) || sysctl_area()->deaf[row / 64] >> row % 64 & 1;
}

bool sysctl_vfs_find(const char *path, struct vnode *node)
{
	const char *name = below_sys(path);
	struct sysctl_found found;
	struct sysctl_key key;

	if (!name || !sysctl_lookup(name, &found) || (!is_everywhere(found.instance) && !sysctl_link_exists(found.instance)))
		return false;
	node->id = found.row;
	node->real = true;
	if (found.directory) {
		node->mode = VFS_DIRECTORY | 0555;
		return true;
	}
	sysctl_key_of(&found, &key);
	node->mode = VFS_REGULAR | sysctl_row_at(found.row)->mode;
	node->real = sysctl_written(&key, NULL) < 0;
	node->own_writes = writes_are_ours(found.row);
	return true;
}

bool sysctl_vfs_knows(const char *last)
{
	u32 bit = sysctl_bloom(last);

	return sysctl_area()->bloom[bit / 64] >> bit % 64 & 1;
}

static bool key_at(const char *path, struct sysctl_key *key)
{
	const char *name = below_sys(path);
	struct sysctl_found found;

	if (!name || !sysctl_lookup(name, &found) || found.directory)
		return false;
	sysctl_key_of(&found, key);
	return true;
}

long sysctl_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	struct sysctl_key key;
	long length;

	(void)node;
	if (size < SYSCTL_WIDE_SIZE + 1)
		return SYSCTL_WIDE_SIZE + 1;
	if (!key_at(path, &key))
		return -ENOENT;
	length = sysctl_written(&key, buffer);
	if (length < 0)
		length = (long)sysctl_truth(&key, buffer);
	buffer[length++] = '\n';
	return length;
}

long sysctl_vfs_open(const struct vnode *node, const char *path, int flags)
{
	(void)node, (void)path, (void)flags;
	return -EOPNOTSUPP;
}

static long write_locked(const struct sysctl_key *key, struct sysctl_write *write, char *text, u64 room)
{
	struct lock *lock = (struct lock *)&sysctl_area()->lock;
	long taken;
	int died;

	if (member_self() < 0)
		return -ENOMEM;
	died = lock_take(lock);
	(void)died; /* a dead writer's value was not published: nothing to repair */
	taken = sysctl_apply(key, write, text, room);
	lock_release(lock);
	return taken;
}

/* A BITMAP's text and bits do not fit on the agent's stack. */
static long write_wide(const struct sysctl_key *key, struct sysctl_write *write)
{
	u64 size = SYSCTL_WIDE_SIZE + ALIGN_UP((u64)sysctl_row_at(key->row)->max / 8, 64);
	long at = sys6(__NR_mmap, 0, size, 3, 0x22 /* PRIVATE|ANONYMOUS */, ~UINT64_C(0), 0), taken;

	if (at < 0 && at > -4096)
		return at;
	write->bits = (u64 *)(at + (long)SYSCTL_WIDE_SIZE);             /* NOLINT(performance-no-int-to-ptr) */
	taken = write_locked(key, write, (char *)at, SYSCTL_WIDE_SIZE); /* NOLINT(performance-no-int-to-ptr) */
	(void)sys2(__NR_munmap, at, size);
	return taken;
}

/* Asked again at each write, for a descriptor may have changed hands. */
static bool may_write(u32 mode)
{
	struct agent_creds creds;

	agent_creds_get(&creds);
	if (creds.euid == 0)
		mode >>= 6;
	else if (agent_in_group(0))
		mode >>= 3;
	return mode & 2;
}

long sysctl_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	struct sysctl_write write = { .bytes = bytes, .size = size, .offset = node->position };
	char text[SYSCTL_TEXT_SIZE];
	struct sysctl_key key;

	if (!key_at(path, &key))
		return -ENOENT;
	if (!may_write(node->mode))
		return -EPERM;
	if (sysctl_row_at(key.row)->kind == SYSCTL_BITMAP)
		return write_wide(&key, &write);
	return write_locked(&key, &write, text, sizeof(text));
}

/* --- listing -------------------------------------------------------------------------------------------------------------------------- */

/* The directory as it stands in the table: an interface becomes "*". */
static bool table_path(const char *name, char out[64])
{
	struct sysctl_found found;
	u64 length = strlen(name), at, end;

	if (!sysctl_lookup(name, &found) || !found.directory || length + 2 > 64)
		return false;
	memcpy(out, name, length + 1);
	if (!found.instance[0])
		return true;
	at = name[9] == 'c' ? 14 : 15; /* net/ipvN/conf/, net/ipvN/neigh/ */
	end = at + strlen(found.instance);
	out[at] = '*';
	memcpy(out + at + 1, name + end, length - end + 1);
	return true;
}

/* The n-th interface directory: "all" (conf only), "default", then the interfaces there are. */
static bool nth_interface(const char *directory, u32 n, char *name)
{
	bool conf = directory[9] == 'c';

	if (n == 0 && conf)
		memcpy(name, "all", 4);
	else if (n == (u32)conf)
		memcpy(name, "default", 8);
	else
		return sysctl_link_at(n - conf - 1, name);
	return true;
}

bool sysctl_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	const char *name = below_sys(path);
	char table[64], first[64];
	bool directory;
	u32 own = 0;

	if (!name || !table_path(name, table) || !sysctl_child(table, 0, first, &directory))
		return false;
	entry->mode = VFS_DIRECTORY;
	if (!strcmp(first, "*"))
		return nth_interface(name, n, entry->name);
	if (!sysctl_child(table, n, entry->name, &directory)) {
		/* neigh/default has files of its own besides */
		if (strncmp(name + 8, "/neigh/default", 15))
			return false;
		while (sysctl_child(table, own, first, &directory))
			own++;
		if (!sysctl_child(name, n - own, entry->name, &directory))
			return false;
	}
	entry->mode = directory ? VFS_DIRECTORY : VFS_REGULAR;
	return true;
}
