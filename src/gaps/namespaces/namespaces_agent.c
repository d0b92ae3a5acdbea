/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gap namespaces, agent half: namespaces(7) as views that the members of a cell have, where the host gives none.
 *
 *   uts_agent.c, uts_files.c   the names that uname(2) and /proc/sys/kernel tell
 *   namespaces_new.c           what unshare(2) and clone(2) make
 *   ns_files.c, ns_enter.c     /proc/PID/ns, setns(2)
 *   pid_*.c                    pid namespaces, the cell's own among them: see pid_view.c
 *
 * Limits: docs/limits.md.
 */
#include "gaps/namespaces/ns_int.h"

void namespaces_event(enum agent_event event, long arg)
{
	if (event == EVENT_EXEC && pids_on())
		pids_exec();
	if (event == EVENT_EXEC_PREPARE)
		ns_net_exec((struct exec_prepare *)arg); /* NOLINT(performance-no-int-to-ptr) */
}

void namespaces_member_reap(int member)
{
	(void)member; /* nothing is kept by member */
}

/* --- virtual files ------------------------------------------------------------------------------------------------------------------ */

bool namespaces_vfs_find(const char *path, struct vnode *node)
{
	return uts_file_find(path, node) || ns_file_find(path, node) || (pids_on() && pids_file_find(path, node));
}

bool namespaces_vfs_knows(const char *last)
{
	return !strcmp(last, "hostname") || !strcmp(last, "domainname") || !strcmp(last, "uts") || !strcmp(last, "ipc") ||
	       !strcmp(last, "mnt") || !strcmp(last, "pid") || !strcmp(last, "pid_for_children") || !strcmp(last, "cgroup") ||
	       (pids_on() && (!strcmp(last, "stat") || !strcmp(last, "status")));
}

long namespaces_vfs_read(const struct vnode *node, const char *path, char *buffer, u64 size)
{
	(void)node;
	return uts_file_read(path, buffer, size);
}

long namespaces_vfs_open(const struct vnode *node, const char *path, int flags)
{
	if (node->id == NS_FILE)
		return ns_file_open(path, flags);
	return node->id == PIDS_STAT || node->id == PIDS_STATUS ? pids_file_open(node, path, flags) : -EOPNOTSUPP;
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
