/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap namespaces, agent half: namespaces(7) as views that the members of a cell have, where the host gives none.
 *
 *   uts_agent.c, uts_files.c   the names that uname(2) and /proc/sys/kernel tell
 *
 * Limits:
 *   - The names are the cell's own from its start; the machine's are never changed.
 */
#include "gaps/namespaces/namespaces_int.h"

GAP_NO_EVENTS(namespaces)

/* --- virtual files ------------------------------------------------------------------------------------------------------------------ */

bool namespaces_vfs_find(const char *path, struct vnode *node)
{
	return uts_file_find(path, node);
}

bool namespaces_vfs_knows(const char *last)
{
	return !strcmp(last, "hostname") || !strcmp(last, "domainname");
}

long namespaces_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	(void)node;
	return uts_file_read(path, buffer, size);
}

long namespaces_vfs_open(const struct vnode *node, const char *path, int flags)
{
	(void)node, (void)path, (void)flags;
	return -EOPNOTSUPP;
}

long namespaces_vfs_written(const struct vnode *node, const char *path, const char *bytes, u64 size)
{
	return uts_file_written(node, path, bytes, size);
}

/* What gap sysctl would list, where it is not there. */
bool namespaces_vfs_entry(const char *path, u32 n, struct ventry *entry)
{
	if (n > 1 || (commons()->emulated & (1u << GAP_sysctl)) || strcmp(path, "/proc/sys/kernel"))
		return false;
	memcpy(entry->name, n ? "domainname" : "hostname", n ? 11 : 9);
	entry->mode = VFS_REGULAR;
	return true;
}
