/* SPDX-License-Identifier: Apache-2.0 */
/* Stand-ins for the engine: see fake_agent.h. */
#include "fake_agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "agent/engine.h"
#include "gaps/gap.h"
#include "gaps/sysvipc/sysvipc_int.h"

s64 fake_now = 1000;
static struct agent_creds fake_creds = { .cap_ipc_owner = true, .cap_ipc_lock = true, .cap_sys_admin = true };
static u32 fake_group;

/* As src/agent/dispatch.c, for the one gap that is linked. */
static enum verdict dispatch(struct call *call)
{
	switch (call->nr) {
#define GAP_CALL(name, test, handler) \
	case __NR_##name:             \
		return handler(call);
#include "gaps/sysvipc/sysvipc.def"
#undef GAP_CALL
	default:
		return CALL_PASS;
	}
}

void fake_identity(u32 euid, u32 egid, u32 group, u32 caps)
{
	struct call call = { .nr = __NR_setuid };

	fake_creds = (struct agent_creds){
		.euid = euid,
		.egid = egid,
		.ruid = euid,
		.rgid = egid,
		.cap_ipc_owner = caps & IPC_CAP_OWNER,
		.cap_ipc_lock = caps & IPC_CAP_LOCK,
		.cap_sys_admin = caps & IPC_CAP_SYS_ADMIN,
		.cap_sys_resource = caps & IPC_CAP_RESOURCE,
	};
	fake_group = group;
	(void)dispatch(&call);
}

void agent_creds_get(struct agent_creds *creds)
{
	*creds = fake_creds;
}

bool agent_in_group(u32 gid)
{
	return gid == fake_creds.egid || gid == fake_group;
}

s64 agent_now(void)
{
	return fake_now;
}

static int copy(long nr, void *mine, u64 guest, u64 size)
{
	struct iovec local = { mine, size }, remote = { (void *)guest, size };

	return size == 0 || syscall(nr, getpid(), &local, 1, &remote, 1, 0) == (long)size ? 0 : -EFAULT;
}

int guest_read(void *to, u64 from, u64 size)
{
	return copy(SYS_process_vm_readv, to, from, size);
}

int guest_write(u64 to, const void *from, u64 size)
{
	return copy(SYS_process_vm_writev, (void *)(uintptr_t)from, to, size);
}

long guest_read_string(char *to, u64 from, u64 size)
{
	for (u64 i = 0; i < size; i++) {
		if (guest_read(to + i, from + i, 1) < 0)
			return -EFAULT;
		if (!to[i])
			return (long)i;
	}
	return -ENAMETOOLONG;
}

int vfile_open(const char *name, const void *bytes, u64 size, int flags)
{
	int fd = flags & 3 ? -EACCES : memfd_create(name, 0);

	if (fd >= 0 && pwrite(fd, bytes, size, 0) != (ssize_t)size)
		abort();
	return fd;
}

void agent_die(const char *what, long value)
{
	fprintf(stderr, "agent_die: %s (%ld)\n", what, value);
	abort();
}

int agent_wait(struct call *call, u32 *word, u32 expected, const struct agent_time *timeout)
{
	(void)call;
	if (syscall(SYS_futex, word, 0, expected, timeout, NULL, 0) == 0 || errno == EAGAIN)
		return 0;
	return errno == ETIMEDOUT ? -ETIMEDOUT : -EINTR;
}

void agent_wake(u32 *word, int count)
{
	syscall(SYS_futex, word, 1, count, NULL, NULL, 0);
}

bool pids_on(void)
{
	return false;
}

s32 pids_to_host(s32 pid)
{
	return pid;
}

u32 agent_ipc_space(void)
{
	return 0;
}

u32 agent_ipc_space_force(u32 one_more)
{
	(void)one_more;
	return 0;
}

bool agent_ipc_space_held(u32 space)
{
	(void)space;
	return true;
}

void member_reap_all(int member)
{
	sysvipc_member_reap(member);
}

void fake_cell_new(void)
{
	u64 offset = ALIGN_UP(sizeof(struct commons), LAYOUT_PAGE);
	u64 mapped = offset + gap_sysvipc.area_size;
	int fd = memfd_create("commons", 0);
	void *private_at = mmap((void *)LAYOUT_PRIVATE, sizeof(struct private), PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (fd < 0 || private_at != private() || ftruncate(fd, 1L << 40) ||
	    mmap((void *)LAYOUT_COMMONS, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE, fd, 0) != commons())
		abort();
	commons()->mapped = mapped;
	commons()->file_size = UINT64_C(1) << 40;
	commons()->emulated = 1u << GAP_sysvipc;
	commons()->areas[GAP_sysvipc] = (struct commons_area){ offset, gap_sysvipc.area_size };
	if (gap_sysvipc.install(sysvipc_area(), commons()))
		abort();
	private()->reserved_fds[RESERVED_COMMONS] = fd;
	private()->pid = getpid();
	member_start(-1);
}

int fake_commons_fd(int fd)
{
	int old = private()->reserved_fds[RESERVED_COMMONS];

	private()->reserved_fds[RESERVED_COMMONS] = fd;
	return old;
}

long fake_call(long nr, u64 a, u64 b, u64 c, u64 d)
{
	struct call call = { .nr = nr, .arg = { a, b, c, d } };

	return dispatch(&call) == CALL_DONE ? call.ret : -ENOSYS;
}

pid_t fake_fork(void)
{
	pid_t child;

	sysvipc_event(EVENT_FORK_PREPARE, 0);
	child = fork();
	if (child == 0) {
		private()->pid = getpid();
		member_forked_child();
		sysvipc_event(EVENT_FORK_CHILD, 0);
	} else {
		member_forked_parent(child < 0 ? -errno : child);
		sysvipc_event(EVENT_FORK_PARENT, child < 0 ? -errno : child);
	}
	return child;
}
