/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/ns/uts and ipc, and setns(2): a link tells the namespace of a process by a number of its own; what is opened there is a memfd with that
 * text as its name, which setns knows again. Of the namespaces in which the cell began the numbers are the kernel's for the first ones of a machine.
 *
 * Limits: docs/limits.md.
 */
#include "gaps/namespaces/namespaces_int.h"

#define AT_FDCWD_ (-100)
#define O_ACCMODE_ 3
#define O_CLOEXEC_ 02000000
#define O_PATH_ 010000000
#define CLONE_NEWUTS_ 0x04000000u
#define CLONE_NEWIPC_ 0x08000000u
#define FIRST_UTS 4026531838u /* include/linux/proc_ns.h: PROC_UTS_INIT_INO */
#define FIRST_IPC 4026531839u
#define OTHERS 4026600000u /* + 2 * number + kind */
#define MEMFD "/memfd:"

/* Whether it is /proc/{self,thread-self,PID}[/task/TID]/ns/{uts,ipc}: whose, 0 = the caller's. */
static bool parse(const char *path, s32 *ret_task, bool *ret_ipc)
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
	*ret_ipc = !strcmp(path, "/ns/ipc");
	return *ret_ipc ? commons()->emulated & (1u << GAP_sysvipc) : !strcmp(path, "/ns/uts");
}

bool ns_file_find(const char *path, struct vnode *node)
{
	s32 task;
	bool ipc;

	if (!parse(path, &task, &ipc))
		return false;
	node->id = NS_FILE;
	node->mode = VFS_REGULAR | 0444;
	node->contents = true;
	return true;
}

/* "uts:[4026531838]". Its length. */
static u64 put_name(char out[NS_NAME_SIZE], bool ipc, u32 space)
{
	u32 number = space ? OTHERS + 2 * space + ipc : ipc ? FIRST_IPC : FIRST_UTS;

	memcpy(out, ipc ? "ipc:[" : "uts:[", 5);
	for (u32 i = 0; i < 10; i++, number /= 10)
		out[14 - i] = (char)('0' + number % 10);
	memcpy(out + 15, "]", 2);
	return 16;
}

long ns_link(const char *path, char *out)
{
	struct agent_spaces spaces;
	s32 task;
	bool ipc;

	if (!parse(path, &task, &ipc) || agent_spaces_of(task, &spaces) < 0)
		return 0;
	return (long)put_name(out, ipc, ipc ? spaces.ipc : spaces.uts);
}

long ns_file_open(const char *path, int flags)
{
	char name[NS_NAME_SIZE];

	if ((flags & (O_ACCMODE_ | O_PATH_)) || ns_link(path, name) <= 0)
		return sys4(__NR_openat, AT_FDCWD_, path, flags, 0);
	return vfile_open(name, "", 0, flags & O_CLOEXEC_);
}

/* Which namespace a descriptor stands for; false: the kernel's affair. */
static bool known(s32 fd, bool *ret_ipc, u32 *ret_space)
{
	char link[AGENT_FD_LINK_SIZE], name[NS_NAME_SIZE + 32];
	const char *digits = name + sizeof(MEMFD) - 1 + 5;
	u32 number = 0;
	long n;

	if (fd < 0)
		return false;
	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, name, sizeof(name) - 1);
	if (n < 23 || memcmp(name, MEMFD, 7) || (memcmp(name + 7, "uts:[", 5) && memcmp(name + 7, "ipc:[", 5)))
		return false;
	for (u32 i = 0; i < 10; i++)
		number = number * 10 + (u32)(digits[i] - '0');
	*ret_ipc = name[7] == 'i';
	*ret_space = number < OTHERS ? 0 : (number - OTHERS) / 2;
	return true;
}

enum verdict namespaces_setns(struct call *call)
{
	u32 type = (u32)call->arg[1], space;
	struct agent_spaces spaces;
	struct agent_creds creds;
	bool ipc;

	if (!known((s32)call->arg[0], &ipc, &space))
		return CALL_PASS;
	if (type && type != (ipc ? CLONE_NEWIPC_ : CLONE_NEWUTS_))
		return namespaces_done(call, -EINVAL);
	agent_creds_get(&creds);
	if (!creds.cap_sys_admin)
		return namespaces_done(call, -EPERM);
	if (agent_spaces_of(0, &spaces) < 0)
		return namespaces_done(call, -EINVAL);
	if (ipc)
		spaces.ipc = space;
	else
		spaces.uts = space;
	return namespaces_done(call, agent_spaces_enter(&spaces));
}
