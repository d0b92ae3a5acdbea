/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/ns/uts, ipc and mnt, and setns(2): a link tells the namespace of a process by a number of its own; what is opened there is a memfd with that
 * text as its name, which setns knows again. Of the namespaces in which the cell began the numbers are the kernel's for the first ones of a machine; those
 * of mount namespaces come from the tree (agent/fs_mounts.h), and are never given twice.
 *
 * Limits: docs/limits.md.
 */
#include "gaps/namespaces/namespaces_int.h"

#define AT_FDCWD_ (-100)
#define O_ACCMODE_ 3
#define O_CLOEXEC_ 02000000
#define O_PATH_ 010000000
#define CLONE_NEWNS_ 0x00020000u
#define CLONE_NEWUTS_ 0x04000000u
#define CLONE_NEWIPC_ 0x08000000u
#define FIRST_UTS 4026531838u /* include/linux/proc_ns.h: PROC_UTS_INIT_INO */
#define FIRST_IPC 4026531839u
#define OTHERS 4026600000u /* + 2 * number + kind */
#define MEMFD "/memfd:"

enum ns_kind { NS_UTS, NS_IPC, NS_MNT };

/* Whether it is /proc/{self,thread-self,PID}[/task/TID]/ns/{uts,ipc,mnt}: whose, 0 = the caller's. */
static bool parse(const char *path, s32 *ret_task, enum ns_kind *ret_kind)
{
	s32 task = 0;

	if (strncmp(path, "/proc/", 6))
		return false;
	path += 6;
	if (!strncmp(path, "self/", 5))
		path += 4;
	else if (!strncmp(path, "thread-self/", 12))
		path += 11;
	else
		task = pids_number(&path);
	if (!strncmp(path, "/task/", 6)) {
		path += 6;
		task = pids_number(&path);
	}
	*ret_task = task;
	*ret_kind = !strcmp(path, "/ns/ipc") ? NS_IPC : !strcmp(path, "/ns/mnt") ? NS_MNT : NS_UTS;
	if (*ret_kind == NS_IPC)
		return commons()->emulated & (1u << GAP_sysvipc);
	return *ret_kind == NS_MNT ? commons()->fs.table.count != 0 : !strcmp(path, "/ns/uts");
}

bool ns_file_find(const char *path, struct vnode *node)
{
	enum ns_kind kind;
	s32 task;

	if (!parse(path, &task, &kind))
		return false;
	node->id = NS_FILE;
	node->mode = VFS_REGULAR | 0444;
	node->contents = true;
	return true;
}

/* "uts:[4026531838]". Its length. */
static u64 put_name(char out[NS_NAME_SIZE], enum ns_kind kind, const struct agent_spaces *spaces)
{
	u32 space = kind == NS_IPC ? spaces->ipc : spaces->uts;
	u32 number = space ? OTHERS + 2 * space + (kind == NS_IPC) : kind == NS_IPC ? FIRST_IPC : FIRST_UTS;

	if (kind == NS_MNT)
		number = spaces->mnt;
	memcpy(out, kind == NS_IPC ? "ipc:[" : kind == NS_MNT ? "mnt:[" : "uts:[", 5);
	for (u32 i = 0; i < 10; i++, number /= 10)
		out[14 - i] = (char)('0' + number % 10);
	memcpy(out + 15, "]", 2);
	return 16;
}

long ns_link(const char *path, char *out)
{
	struct agent_spaces spaces;
	enum ns_kind kind;
	s32 task;

	if (!parse(path, &task, &kind) || agent_spaces_of(task, &spaces) < 0)
		return 0;
	return (long)put_name(out, kind, &spaces);
}

long ns_file_open(const char *path, int flags)
{
	char name[NS_NAME_SIZE];

	if ((flags & (O_ACCMODE_ | O_PATH_)) || ns_link(path, name) <= 0)
		return sys4(__NR_openat, AT_FDCWD_, path, flags, 0);
	return vfile_open(name, "", 0, flags & O_CLOEXEC_);
}

/* Which namespace a descriptor stands for: its number in struct agent_spaces; false: the kernel's affair. */
static bool known(s32 fd, enum ns_kind *ret_kind, u32 *ret_space)
{
	char link[AGENT_FD_LINK_SIZE], name[NS_NAME_SIZE + 32];
	const char *digits = name + sizeof(MEMFD) - 1 + 5;
	u32 number = 0;
	long n;

	if (fd < 0)
		return false;
	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, name, sizeof(name) - 1);
	if (n < 23 || memcmp(name, MEMFD, 7) ||
	    (memcmp(name + 7, "uts:[", 5) && memcmp(name + 7, "ipc:[", 5) && memcmp(name + 7, "mnt:[", 5)))
		return false;
	for (u32 i = 0; i < 10; i++)
		number = number * 10 + (u32)(digits[i] - '0');
	*ret_kind = name[7] == 'i' ? NS_IPC : name[7] == 'm' ? NS_MNT : NS_UTS;
	*ret_space = *ret_kind == NS_MNT ? number : number < OTHERS ? 0 : (number - OTHERS) / 2;
	return true;
}

enum verdict namespaces_setns(struct call *call)
{
	u32 type = (u32)call->arg[1], space;
	struct agent_spaces spaces;
	struct agent_creds creds;
	enum ns_kind kind;

	if (!known((s32)call->arg[0], &kind, &space))
		return CALL_PASS;
	if (type && type != (kind == NS_IPC ? CLONE_NEWIPC_ : kind == NS_MNT ? CLONE_NEWNS_ : CLONE_NEWUTS_))
		return namespaces_done(call, -EINVAL);
	agent_creds_get(&creds);
	if (!creds.cap_sys_admin || (kind == NS_MNT && !creds.cap_sys_chroot))
		return namespaces_done(call, -EPERM);
	if (agent_spaces_of(0, &spaces) < 0)
		return namespaces_done(call, -EINVAL);
	if (kind == NS_IPC)
		spaces.ipc = space;
	else if (kind == NS_MNT)
		spaces.mnt = space;
	else
		spaces.uts = space;
	return namespaces_done(call, agent_spaces_enter(&spaces));
}
