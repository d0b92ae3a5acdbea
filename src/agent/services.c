/* SPDX-License-Identifier: Apache-2.0 */
/* Small services of agent.h: the caller's identity, virtual files, the last words. */
#include "agent/engine.h"
#include "agent/fs.h"
#include "agent/view.h"
#include "base/decimal.h"

#define CAP_IPC_LOCK_ 14
#define CAP_IPC_OWNER_ 15
#define CAP_SYS_CHROOT_ 18
#define CAP_SYS_ADMIN_ 21
#define CAP_SYS_RESOURCE_ 24
#define CAP_SETFCAP_ 31
#define CAP_NET_ADMIN_ 12
#define CAP_AUDIT_CONTROL_ 30
#define MFD_CLOEXEC_ 1u
#define MFD_NOEXEC_SEAL_ 8u
#define O_ACCMODE_ 3
#define RLIMIT_FSIZE_ 1
#define O_CLOEXEC_ 02000000

void agent_creds_get(struct agent_creds *creds)
{
	struct {
		u32 version;
		s32 pid;
	} header = { 0x20080522, 0 };
	struct {
		u32 effective, permitted, inheritable;
	} caps[2] = { { 0 } };
	u32 ids[3];

	if (commons()->emulated & (1u << GAP_identity)) {
		identity_creds(creds);
		return;
	}
	memset(creds, 0, sizeof(*creds));
	(void)sys3(__NR_getresuid, &ids[0], &ids[1], &ids[2]);
	creds->ruid = ids[0];
	creds->euid = ids[1];
	(void)sys3(__NR_getresgid, &ids[0], &ids[1], &ids[2]);
	creds->rgid = ids[0];
	creds->egid = ids[1];
	(void)sys2(__NR_capget, &header, caps);
	creds->cap_ipc_lock = caps[0].effective >> CAP_IPC_LOCK_ & 1;
	creds->cap_ipc_owner = caps[0].effective >> CAP_IPC_OWNER_ & 1;
	creds->cap_sys_admin = caps[0].effective >> CAP_SYS_ADMIN_ & 1;
	creds->cap_sys_chroot = caps[0].effective >> CAP_SYS_CHROOT_ & 1;
	creds->cap_net_admin = caps[0].effective >> CAP_NET_ADMIN_ & 1;
	creds->cap_audit_control = caps[0].effective >> CAP_AUDIT_CONTROL_ & 1;
	creds->cap_setfcap = caps[0].effective >> CAP_SETFCAP_ & 1;
	creds->cap_sys_resource = caps[0].effective >> CAP_SYS_RESOURCE_ & 1;
	creds->groups = (int)sys2(__NR_getgroups, 0, 0);
	creds->no_new_privs = (task_word(TASK_SECCOMP) & SECCOMP_NO_PRIVS) || commons()->outer.no_new_privs;
}

/* More than GROUPS_SEEN supplementary groups: the further ones do not count. */
#define GROUPS_SEEN 4096u
bool agent_in_group(u32 gid)
{
	u32 *groups = (u32 *)(void *)slot_current()->scratch;
	long n;

	if (commons()->emulated & (1u << GAP_identity))
		return identity_holds_group(gid);
	n = sys2(__NR_getgroups, GROUPS_SEEN, groups);

	if ((u32)sys0(__NR_getegid) == gid)
		return true;
	for (long i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

u32 agent_uts_space(void)
{
	return view_self()->uts;
}

u32 agent_ipc_space(void)
{
	u32 forced = slot_current()->trap.ipc_space;

	return forced ? forced - 1 : view_self()->ipc;
}

u32 agent_ipc_space_force(u32 one_more)
{
	u32 before = slot_current()->trap.ipc_space;

	slot_current()->trap.ipc_space = one_more;
	return before;
}

/* The view of a thread of a process. */
static long view_of_thread(s32 process, s32 task)
{
	long word = task && task != process ? view_of_task(task) : 0;

	if (task == (s32)sys0(__NR_gettid) || (!process && !task))
		return view_word();
	return word > 0 ? word : !process || process == agent_pid() ? (long)view_word() : view_of_task(process);
}

long agent_spaces_of(s32 process, s32 task, struct agent_spaces *ret)
{
	long word = view_of_thread(process, task);
	const struct view *view = view_of(word < 0 ? 0 : (u32)word);

	*ret = (struct agent_spaces){ view->uts, view->ipc,          fs_on() ? fs_space_of(view->space)->inode : 0,
				      view->pid, view->pid_children, view->cgroup,
				      view->net };
	return word < 0 ? word : 0;
}

long agent_spaces_enter(const struct agent_spaces *spaces)
{
	struct view_spec spec = view_spec_of(view_word());

	if (spec.ipc != spaces->ipc)
		sysvipc_leave_space();
	spec.uts = spaces->uts;
	spec.ipc = spaces->ipc;
	spec.pid_children = spaces->pid_children;
	spec.cgroup = spaces->cgroup;
	spec.net = spaces->net;
	if (fs_on() && spaces->mnt != fs_space_of(spec.space)->inode)
		return fs_join_space(&spec, spaces->mnt);
	return view_set(&spec, VIEW_OWN);
}

static bool has_ipc(const struct view *view, u32 space)
{
	return view->ipc == space;
}

bool agent_ipc_space_held(u32 space)
{
	return view_holds(has_ipc, space) ||
	       ((commons()->emulated & (1u << GAP_namespaces)) && ns_is_pinned(0x08000000 /* CLONE_NEWIPC */, space));
}

static_assert(AGENT_SCRATCH <= SLOT_SCRATCH, "a slot has it");
void *agent_scratch(void)
{
	return slot_current()->scratch;
}

static long write_whole(long fd, const u8 *bytes, u64 size)
{
	for (u64 done = 0; done < size;) {
		long n = sys4(__NR_pwrite64, fd, bytes + done, size - done, done);

		if (n <= 0)
			return n ? n : -EIO;
		done += (u64)n;
	}
	return 0;
}

long vfile_fill(long fd, const void *bytes, u64 size)
{
	u64 limit[2] = { 0, 0 }, lifted[2]; /* RLIMIT_FSIZE, soft and hard: not meant for what the guest only reads */
	bool lift = sys4(__NR_prlimit64, 0, RLIMIT_FSIZE_, NULL, limit) == 0 && limit[0] < size;
	long r;

	lifted[0] = lifted[1] = limit[1];
	if (lift)
		(void)sys4(__NR_prlimit64, 0, RLIMIT_FSIZE_, lifted, NULL);
	r = lift && limit[1] < size ? -EFBIG : write_whole(fd, bytes, size);
	if (lift)
		(void)sys4(__NR_prlimit64, 0, RLIMIT_FSIZE_, limit, NULL);
	return r;
}

/* A memfd is born open for writing: opens it again, for reading, at the same number. */
static long make_read_only(long fd, int flags)
{
	char link[AGENT_FD_LINK_SIZE];
	long again, r;

	agent_fd_link(link, (u32)fd);
	again = sys3(__NR_open, link, flags | O_CLOEXEC_, 0);
	if (again < 0)
		return again;
	r = sys3(__NR_dup3, again, fd, flags & O_CLOEXEC_);
	(void)sys1(__NR_close, again);
	return r;
}

long agent_memfd(const char *name, u32 flags)
{
	long fd = sys2(__NR_memfd_create, name, flags);

	return fd == -EACCES ? sys2(__NR_memfd_create, name, flags | MFD_NOEXEC_SEAL_) : fd;
}

int vfile_open(const char *name, const void *bytes, u64 size, int flags)
{
	long fd, r;

	if ((flags & O_ACCMODE_) != 0)
		return -EACCES;
	fd = agent_memfd(name, MFD_CLOEXEC_);
	if (fd < 0)
		return (int)fd;
	r = vfile_fill(fd, bytes, size);
	if (r >= 0)
		r = make_read_only(fd, flags);
	if (r < 0)
		(void)sys1(__NR_close, fd);
	return r < 0 ? (int)r : (int)fd;
}

NORETURN void agent_die(const char *what, long value)
{
	char line[192];
	u64 at = 0, n = value < 0 ? 0 - (u64)value : (u64)value, length = strlen(what);
	const char *prefix = "lichen: agent: ";

	memcpy(line, prefix, strlen(prefix));
	at = strlen(prefix);
	if (length > 140)
		length = 140;
	memcpy(line + at, what, length);
	at += length;
	if (value) {
		line[at++] = ' ';
		line[at++] = '(';
		if (value < 0)
			line[at++] = '-';
		at += decimal_put(line + at, n);
		line[at++] = ')';
	}
	line[at++] = '\n';
	(void)sys3(__NR_write, 2, line, at);
	for (;;)
		(void)sys1(__NR_exit_group, 125);
}

void agent_fd_link(char out[AGENT_FD_LINK_SIZE], u32 fd)
{
	if ((s32)fd == -100 /* AT_FDCWD */) {
		memcpy(out, "/proc/thread-self/cwd", 22); /* a thread may have one of its own */
		return;
	}
	memcpy(out, "/proc/self/fd/", 14);
	out[14 + decimal_put(out + 14, fd)] = 0;
}

bool agent_fd_name(char out[AGENT_FD_NAME_SIZE], s32 directory, const char *name)
{
	u64 at, length = strlen(name);

	if (length > 255)
		return false;
	agent_fd_link(out, (u32)directory);
	at = strlen(out);
	out[at] = '/';
	memcpy(out + at + 1, name, length + 1);
	return true;
}
