/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V shared memory: shmget, shmat, shmdt, shmctl as Linux answers them (ipc/shm.c), errors in the same order.
 *
 * A segment is a range of the commons file (shm_store.c); shmat is mmap of that range, shmdt munmap. The attachment is recorded before
 * the mapping is made and dropped after it is gone, so no segment is ever destroyed under a mapping.
 * fork copies the parent's attachments to the child's member slot before the child exists; exit and execve drop them.
 */
#include "gaps/sysvipc/shm_int.h"

#include <asm/shmbuf.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#define SHM_RDONLY 010000 /* shmat */
#define SHM_RND 020000
#define SHM_REMAP 040000
#define SHM_EXEC 0100000
#define SHM_HUGETLB 04000 /* shmget */
#define SHM_NORESERVE 010000
#define SHM_HUGE_SHIFT 26
#define SHM_LOCK 11 /* shmctl */
#define SHM_UNLOCK 12
#define SHM_STAT 13
#define SHM_INFO 14
#define SHM_STAT_ANY 15

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define RLIMIT_MEMLOCK 8
#define ADDRESS_END (UINT64_C(0x800000000000) - LAYOUT_PAGE) /* the kernel's TASK_SIZE */

struct shm_info { /* linux/shm.h */
	int used_ids;
	unsigned long shm_tot, shm_rss, shm_swp, swap_attempts, swap_successes;
};

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

/* --- shmget ---------------------------------------------------------------------------------------------------------------------- */

/* A kernel that has huge pages, none of them set aside, as Debian's is: sizes 2 MiB, 1 GiB and the default exist. */
static int hugetlb_error(int flags, const struct ipc_creds *creds)
{
	u32 size_log = (u32)flags >> SHM_HUGE_SHIFT;
	if (size_log != 0 && size_log != 21 && size_log != 30)
		return -EINVAL;
	if (!(creds->caps & IPC_CAP_LOCK) && creds->egid != 0 && !agent_in_group(0))
		return -EPERM; /* vm.hugetlb_shm_group is 0 */
	return -ENOMEM;
}

/* The heuristic overcommit rule: more than all memory and swap is refused. */
static bool overcommits(u64 size)
{
	struct { /* struct sysinfo */
		s64 uptime;
		u64 loads[3], total, free, shared, buffers, swap_total, swap_free;
		u16 procs, pad;
		u64 high_total, high_free;
		u32 unit;
		u32 reserved[7];
	} info;
	if (size < UINT64_C(1) << 30 || sys1(__NR_sysinfo, &info) < 0)
		return false;
	u64 unit = info.unit ? info.unit : 1;
	return shm_pages(size) > (info.total + info.swap_total) * unit / LAYOUT_PAGE;
}

static long create_segment(s32 key, u64 size, int flags, const struct ipc_creds *creds)
{
	struct shm_area *shm = shm_area();
	const struct ipc_limits *limits = &sysvipc_area()->limits;
	u64 pages = shm_pages(size);
	if (size < 1 || size > limits->shmmax)
		return -EINVAL;
	if (shm->pages + pages > limits->shmall || shm->ids.in_use >= limits->shmmni)
		shm_sweep();
	if (shm->pages + pages < pages || shm->pages + pages > limits->shmall)
		return -ENOSPC;
	if (flags & SHM_HUGETLB)
		return hugetlb_error(flags, creds);
	if (size > INT64_MAX)
		return -EINVAL;
	if (!(flags & SHM_NORESERVE) && overcommits(size))
		return -ENOMEM;
	return shm_segment_create(key, size, flags, creds);
}

enum verdict sysvipc_shmget(struct call *call)
{
	s32 key = (s32)call->arg[0];
	u64 size = call->arg[1];
	int flags = (int)call->arg[2];
	struct ipc_creds creds;
	long ret = shm_enter(&creds);
	if (ret < 0)
		return done(call, ret);
	struct shm_area *shm = shm_area();
	int index = ipc_ids_find_key(&shm->ids, key);
	if (index < 0)
		ret = key == IPC_PRIVATE || flags & IPC_CREAT ? create_segment(key, size, flags, &creds) : -ENOENT;
	else if (flags & IPC_CREAT && flags & IPC_EXCL)
		ret = -EEXIST;
	else if (shm->segment[index].size < size)
		ret = -EINVAL;
	else
		ret = ipc_perm_check(&shm->segment[index].perm, &creds, flags);
	if (index >= 0 && !ret)
		ret = ipc_ids_id(&shm->ids, index);
	shm_unlock();
	return done(call, ret);
}

/* --- shmat, shmdt ------------------------------------------------------------------------------------------------------------------ */

static bool is_error(long ret)
{
	return ret < 0 && ret > -4096;
}

/* Maps the range read-only, so that mprotect cannot make it writable: through a descriptor that is itself read-only. */
static long map_readonly(u64 address, u64 size, u64 prot, u64 how, u64 offset)
{
	char path[32] = "/proc/self/fd/";
	struct ipc_text name = { .to = path, .size = sizeof(path) - 1, .used = strlen(path) };
	ipc_text_unsigned(&name, (u64)commons_fd(), 0);
	struct remap remap = {
		.result = -EAGAIN, /* should the child be killed */
		.path = path,
		.open_flags = O_RDONLY | O_CLOEXEC,
		.address = address,
		.size = size,
		.prot = prot,
		.flags = how,
		.offset = offset,
	};
	long ret = sys_remap(&remap);
	return ret < 0 ? ret : remap.result;
}

static long map_range(u64 address, u64 size, u64 prot, u64 how, u64 offset)
{
	long at = -EACCES;
	if (!(prot & PROT_WRITE))
		at = map_readonly(address, size, prot, how, offset);
	/* No /proc, no more processes allowed: better a mapping that mprotect can open than none. */
	if (at == -ENOENT || at == -EACCES || at == -EPERM || at == -EAGAIN || at == -EMFILE || at == -ENFILE)
		at = sys6(__NR_mmap, address, size, prot, how, (u64)commons_fd(), offset);
	return at;
}

/* Maps the segment; address 0 lets the kernel choose. Returns the address or negative errno. */
static long map_segment(u64 address, u64 size, u64 offset, int flags)
{
	u64 prot = flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
	u64 how = MAP_SHARED;
	if (flags & SHM_EXEC)
		prot |= PROT_EXEC;
	if (address && flags & SHM_REMAP)
		how |= MAP_FIXED;
	else if (address && address + size < address)
		return -EINVAL;
	else if (address)
		how |= MAP_FIXED_NOREPLACE;
	long at = map_range(address, ALIGN_UP(size, LAYOUT_PAGE), prot, how, offset);
	if (!(how & MAP_FIXED_NOREPLACE))
		return at;
	if (at == -EEXIST)
		return -EINVAL;
	if (!is_error(at) && (u64)at != address) { /* a host that takes the address as a hint only: something is there */
		(void)sys2(__NR_munmap, at, ALIGN_UP(size, LAYOUT_PAGE));
		return address + size > ADDRESS_END ? -ENOMEM : -EINVAL;
	}
	return at;
}

/* Records where attachment `at` was mapped. What it covers of earlier ones was unmapped, by SHM_REMAP or by hand. */
static void place_attach(int self, u32 at, u64 address)
{
	struct shm_area *shm = shm_area();
	struct shm_attach *mine = &shm->attach[at];
	for (u32 next, other = shm->own[self]; other; other = next) {
		struct shm_attach *attach = &shm->attach[other - 1];
		next = attach->next_own;
		if (attach != mine && attach->address >= address && attach->address + attach->size <= address + mine->size)
			shm_attach_drop(other - 1, agent_pid());
	}
	mine->address = address;
	struct shm_segment *segment = &shm->segment[mine->segment];
	segment->atime = agent_now();
	segment->lpid = agent_pid();
}

/* The address asked for, rounded as SHM_RND wants it, in *address. 0 or -EINVAL. */
static int check_address(u64 *address, int flags)
{
	if (*address % LAYOUT_PAGE) {
		if (!(flags & SHM_RND))
			return -EINVAL;
		*address = ALIGN_DOWN(*address, LAYOUT_PAGE);
	}
	return !*address && flags & SHM_REMAP ? -EINVAL : 0;
}

enum verdict sysvipc_shmat(struct call *call)
{
	s32 id = (s32)call->arg[0];
	u64 address = call->arg[1];
	int flags = (int)call->arg[2];
	int wanted = (flags & SHM_RDONLY ? IPC_READ : IPC_READ | IPC_WRITE) | (flags & SHM_EXEC ? 0111 : 0);
	struct ipc_creds creds;
	if (id < 0 || check_address(&address, flags) < 0)
		return done(call, -EINVAL);
	int self = shm_enter(&creds);
	if (self < 0)
		return done(call, self);
	struct shm_area *shm = shm_area();
	int index = shm_segment_find(id);
	long ret = index < 0 ? index : ipc_perm_check(&shm->segment[index].perm, &creds, wanted);
	if (!ret)
		ret = shm_attach_add(self, index);
	if (ret < 0) {
		shm_unlock();
		return done(call, ret);
	}
	u32 at = (u32)ret;
	u64 size = shm->segment[index].size;
	u64 offset = shm->segment[index].offset;
	shm_unlock();
	ret = map_segment(address, size, offset, flags);
	shm_lock();
	if (is_error(ret))
		shm_attach_cancel(at);
	else
		place_attach(self, at, (u64)ret);
	shm_unlock();
	return done(call, ret);
}

/* In the space that is looked after. */
static bool detach(int self, u64 address)
{
	shm_lock();
	int at = shm_attach_find(self, address);
	if (at >= 0) {
		shm_attach_refresh(self, (int)shm_area()->attach[at].segment);
		at = shm_attach_find(self, address);
	}
	if (at >= 0) {
		(void)sys2(__NR_munmap, address, shm_area()->attach[at].size);
		shm_attach_drop((u32)at, agent_pid());
	}
	shm_unlock();
	return at >= 0;
}

/* What was attached in an IPC namespace that the caller has left is detached as well. */
enum verdict sysvipc_shmdt(struct call *call)
{
	u64 address = call->arg[0];
	int self = member_peek();
	bool found;
	if (address % LAYOUT_PAGE || self < 0)
		return done(call, -EINVAL);
	found = detach(self, address);
	for (u32 i = 0; i < ipc_spaces_used() && !found && ipc_spaces_used() > 1; i++) {
		u32 before = agent_ipc_space_force(i + 1);
		found = detach(self, address);
		(void)agent_ipc_space_force(before);
	}
	return done(call, found ? 0 : -EINVAL);
}

/* --- shmctl ------------------------------------------------------------------------------------------------------------------------ */

static long ipc_info(u64 to)
{
	const struct ipc_limits *limits = &sysvipc_area()->limits;
	struct shminfo64 info;
	memset(&info, 0, sizeof(info));
	info.shmmni = limits->shmmni;
	info.shmseg = limits->shmmni;
	info.shmmax = limits->shmmax;
	info.shmall = limits->shmall;
	info.shmmin = 1;
	shm_lock();
	shm_sweep();
	int highest = ipc_ids_highest(&shm_area()->ids);
	shm_unlock();
	return guest_write(to, &info, sizeof(info)) < 0 ? -EFAULT : highest;
}

static long shm_info(u64 to)
{
	struct shm_area *shm = shm_area();
	struct shm_info info;
	memset(&info, 0, sizeof(info));
	shm_lock();
	shm_sweep();
	info.used_ids = (int)shm->ids.in_use;
	info.shm_tot = shm->pages;
	for (u32 i = 0; i < shm->ids.high; i++) {
		if (ipc_ids_used(&shm->ids, i))
			info.shm_rss += shm_segment_resident(&shm->segment[i]) / LAYOUT_PAGE;
	}
	int highest = ipc_ids_highest(&shm->ids);
	shm_unlock();
	return guest_write(to, &info, sizeof(info)) < 0 ? -EFAULT : highest;
}

/* The segment of a shmctl command, its number of users put right. Index or -EINVAL. */
static int find_segment(s32 id, int cmd)
{
	struct shm_area *shm = shm_area();
	bool by_index = cmd == SHM_STAT || cmd == SHM_STAT_ANY;
	int index = by_index ? ipc_ids_find_index(&shm->ids, id) : ipc_ids_find(&shm->ids, id);
	int self = member_peek();
	if (index >= 0 && self >= 0 && shm->own[self])
		shm_attach_refresh(self, index);
	return by_index ? shm_segment_find_index(id) : shm_segment_find(id);
}

static long stat_segment(s32 id, int cmd, u64 to, const struct ipc_creds *creds)
{
	struct shm_area *shm = shm_area();
	struct shmid64_ds out;
	memset(&out, 0, sizeof(out));
	shm_lock();
	int index = find_segment(id, cmd);
	long ret = index;
	if (index >= 0) {
		const struct shm_segment *segment = &shm->segment[index];
		ipc_perm_export(&segment->perm, &shm->ids, index, &out.shm_perm);
		out.shm_nattch = shm_segment_users(index);
		out.shm_segsz = segment->size;
		out.shm_atime = segment->atime;
		out.shm_dtime = segment->dtime;
		out.shm_ctime = segment->ctime;
		out.shm_cpid = pids_shown(segment->cpid);
		out.shm_lpid = pids_shown(segment->lpid);
		ret = cmd == SHM_STAT_ANY ? 0 : ipc_perm_check(&segment->perm, creds, IPC_READ);
		if (!ret && cmd != IPC_STAT)
			ret = ipc_ids_id(&shm->ids, index);
	}
	shm_unlock();
	if (ret >= 0 && guest_write(to, &out, sizeof(out)) < 0)
		return -EFAULT;
	return ret;
}

static long set_segment(s32 id, const struct ipc64_perm *perm, const struct ipc_creds *creds)
{
	struct shm_area *shm = shm_area();
	shm_lock();
	int index = find_segment(id, IPC_SET);
	long ret = index < 0 ? index : ipc_perm_check_owner(&shm->segment[index].perm, creds);
	if (!ret)
		ret = ipc_perm_update(&shm->segment[index].perm, perm);
	if (!ret)
		shm->segment[index].ctime = agent_now();
	shm_unlock();
	return ret;
}

static long remove_segment(s32 id, const struct ipc_creds *creds)
{
	shm_lock();
	int index = find_segment(id, IPC_RMID);
	long ret = index < 0 ? index : ipc_perm_check_owner(&shm_area()->segment[index].perm, creds);
	if (!ret)
		shm_segment_remove(index);
	shm_unlock();
	return ret;
}

/* Pages that SHM_LOCK holds for a user. */
static u64 locked_pages(u32 uid)
{
	const struct shm_area *shm = shm_area();
	u64 pages = 0;
	for (u32 i = 0; i < shm->ids.high; i++) {
		const struct shm_segment *segment = &shm->segment[i];
		if (ipc_ids_used(&shm->ids, i) && segment->perm.mode & SHM_LOCKED && segment->lock_uid == uid)
			pages += shm_pages(segment->size);
	}
	return pages;
}

/* May the caller lock (or unlock) this segment? The kernel's rules; the pages themselves are not pinned. */
static long check_mlock(const struct shm_segment *segment, int cmd, const struct ipc_creds *creds)
{
	u64 limit[2];
	if (creds->caps & IPC_CAP_LOCK)
		return 0;
	if (creds->euid != segment->perm.uid && creds->euid != segment->perm.cuid)
		return -EPERM;
	if (cmd == SHM_UNLOCK || sys2(__NR_getrlimit, RLIMIT_MEMLOCK, limit) < 0)
		return 0;
	if (!limit[0])
		return -EPERM;
	if (segment->perm.mode & SHM_LOCKED || limit[0] == UINT64_MAX)
		return 0;
	return locked_pages(creds->euid) + shm_pages(segment->size) > limit[0] / LAYOUT_PAGE ? -ENOMEM : 0;
}

static long lock_segment(s32 id, int cmd, const struct ipc_creds *creds)
{
	shm_lock();
	int index = find_segment(id, cmd);
	struct shm_segment *segment = &shm_area()->segment[index < 0 ? 0 : index];
	long ret = index < 0 ? index : check_mlock(segment, cmd, creds);
	if (!ret && cmd == SHM_UNLOCK) {
		segment->perm.mode &= ~SHM_LOCKED;
	} else if (!ret && !(segment->perm.mode & SHM_LOCKED)) {
		segment->lock_uid = creds->euid;
		segment->perm.mode |= SHM_LOCKED;
	}
	shm_unlock();
	return ret;
}

enum verdict sysvipc_shmctl(struct call *call)
{
	s32 id = (s32)call->arg[0];
	int cmd = (int)call->arg[1];
	u64 buffer = call->arg[2];
	struct ipc_creds creds;
	struct shmid64_ds set;
	if (cmd < 0 || id < 0)
		return done(call, -EINVAL);
	if (cmd == IPC_SET && guest_read(&set, buffer, sizeof(set)) < 0)
		return done(call, -EFAULT);
	if (member_self() < 0)
		return done(call, -ENOMEM);
	ipc_creds_get(&creds);
	switch (cmd) {
	case IPC_INFO:
		return done(call, ipc_info(buffer));
	case SHM_INFO:
		return done(call, shm_info(buffer));
	case IPC_STAT:
	case SHM_STAT:
	case SHM_STAT_ANY:
		return done(call, stat_segment(id, cmd, buffer, &creds));
	case IPC_SET:
		return done(call, set_segment(id, &set.shm_perm, &creds));
	case IPC_RMID:
		return done(call, remove_segment(id, &creds));
	case SHM_LOCK:
	case SHM_UNLOCK:
		return done(call, lock_segment(id, cmd, &creds));
	default:
		return done(call, -EINVAL);
	}
}
