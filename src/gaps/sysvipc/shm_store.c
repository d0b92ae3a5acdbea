/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Segments, attachments and file space of shared memory.
 *
 * Truth: a segment exists while its slot in ids is not 0; an attachment exists while its owner is not 0. Lists, counts and
 * the free list follow from that and are rebuilt when a lock owner died (shm_lock). So nothing here needs a journal.
 *
 * Who uses a segment is derived, not counted: attachments belong to members, and only those of living members count. What
 * a killed process leaves is dropped by the next who asks for the number, or by the next owner of its member slot.
 *
 * File space. A segment's pages are a range of the commons file behind commons()->mapped. No table says what is free: free is what no
 * segment covers. The search starts behind the range given out last, so that it nearly always succeeds at once. A destroyed segment's
 * range is punched out of the file, which frees the memory and makes it zero. Where the host cannot punch (gVisor), ranges are
 * used again from the lowest, zeroed as they are given out (shm_area.dirty_end).
 */
#include "gaps/sysvipc/shm_int.h"

#include <linux/mman.h>

#define FALLOC_KEEP_SIZE 1
#define FALLOC_PUNCH_HOLE 2
#define SEEK_DATA 3
#define SEEK_HOLE 4
#define RESIDENT_RUNS_MAX 4096 /* of pages of one segment; what lies behind is not counted */
#define ZERO_CHUNK (UINT64_C(16) << 20)

static void link_attach(struct shm_area *shm, u32 at)
{
	struct shm_attach *attach = &shm->attach[at];
	attach->next_own = shm->own[attach->owner - 1];
	shm->own[attach->owner - 1] = at + 1;
	attach->next_segment = shm->segment[attach->segment].attaches;
	shm->segment[attach->segment].attaches = at + 1;
}

static void rebuild(struct shm_area *shm)
{
	ipc_ids_rebuild(&shm->ids);
	u64 pages = 0;
	u32 doomed = 0;
	for (u32 i = 0; i < shm->ids.high; i++) {
		if (!ipc_ids_used(&shm->ids, i))
			continue;
		struct shm_segment *segment = &shm->segment[i];
		segment->attaches = 0;
		pages += shm_pages(segment->size);
		if (segment->perm.mode & SHM_DEST) {
			doomed++;
			ipc_ids_hide_key(&shm->ids, (int)i);
		}
	}
	shm->pages = pages;
	shm->doomed = doomed;
	memset(shm->own, 0, sizeof(shm->own));
	shm->attach_free = 0;
	for (u32 i = 0; i < shm->attach_high; i++) {
		if (shm->attach[i].owner) {
			link_attach(shm, i);
		} else {
			shm->attach[i].next_own = shm->attach_free;
			shm->attach_free = i + 1;
		}
	}
}

void shm_lock(void)
{
	struct shm_area *shm = shm_area();
	if (lock_take(ipc_ids_lock(&shm->ids)))
		rebuild(shm);
}

void shm_unlock(void)
{
	lock_release(ipc_ids_lock(&shm_area()->ids));
}

int shm_enter(struct ipc_creds *creds)
{
	int self = member_self();
	if (self < 0)
		return -ENOMEM;
	ipc_creds_get(creds);
	shm_lock();
	return self;
}

/* --- file space ----------------------------------------------------------------------------------------------------------------- */

/* The first range of `size` bytes (whole pages) at or behind `at`, before `end`, that no segment covers, or -ENOMEM. */
static s64 find_space(const struct shm_area *shm, u64 at, u64 end, u64 size)
{
	for (bool moved = true; moved;) {
		moved = false;
		if (size > end || at > end - size)
			return -ENOMEM;
		for (u32 i = 0; i < shm->ids.high; i++) {
			const struct shm_segment *segment = &shm->segment[i];
			u64 covered = segment->offset + shm_pages(segment->size) * LAYOUT_PAGE;
			if (ipc_ids_used(&shm->ids, i) && segment->offset < at + size && at < covered) {
				at = covered;
				moved = true;
			}
		}
	}
	return (s64)at;
}

static int zero_space(u64 offset, u64 size)
{
	for (u64 done = 0, bytes; done < size; done += bytes) {
		bytes = size - done < ZERO_CHUNK ? size - done : ZERO_CHUNK;
		long at = sys6(__NR_mmap, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, (u64)commons_fd(), offset + done);
		if (at < 0 && at > -4096)
			return (int)at;
		memset((void *)at, 0, bytes); /* NOLINT(performance-no-int-to-ptr) */
		(void)sys2(__NR_munmap, at, bytes);
	}
	return 0;
}

/* Bytes of the file that each area has for its segments. */
static u64 file_room(void)
{
	u64 base = ALIGN_UP(commons()->mapped, LAYOUT_PAGE), end = commons()->file_size;

	return end > base ? ALIGN_DOWN((end - base) / sysvipc_spaces(), LAYOUT_PAGE) : 0;
}

/* A range of zeros, or -ENOMEM. */
static s64 take_space(struct shm_area *shm, u64 size)
{
	u64 room = file_room(), base = ALIGN_UP(commons()->mapped, LAYOUT_PAGE) + sysvipc_space() * room, end = base + room;
	u64 start = !shm->dirty_end && shm->next_offset > base ? shm->next_offset : base;
	s64 at = find_space(shm, start, end, size);
	if (at < 0 && start > base)
		at = find_space(shm, base, end, size);
	if (at < 0)
		return at;
	if ((u64)at < shm->dirty_end) {
		u64 dirty = shm->dirty_end - (u64)at;
		if (zero_space((u64)at, dirty < size ? dirty : size) < 0)
			return -ENOMEM;
	}
	shm->next_offset = (u64)at + size;
	return at;
}

static void give_space(struct shm_area *shm, u64 offset, u64 size)
{
	long ret = sys4(__NR_fallocate, commons_fd(), FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, offset, size);
	if (ret < 0 && shm->dirty_end < offset + size)
		shm->dirty_end = offset + size;
}

u64 shm_segment_resident(const struct shm_segment *segment)
{
	u64 at = segment->offset;
	u64 end = at + shm_pages(segment->size) * LAYOUT_PAGE;
	u64 resident = 0;
	for (int runs = 0; runs < RESIDENT_RUNS_MAX && at < end; runs++) {
		long data = sys3(__NR_lseek, commons_fd(), at, SEEK_DATA);
		if (data < 0 || (u64)data >= end)
			break;
		long hole = sys3(__NR_lseek, commons_fd(), data, SEEK_HOLE);
		if (hole <= data)
			break;
		at = (u64)hole < end ? (u64)hole : end;
		resident += at - (u64)data;
	}
	return resident;
}

/* --- segments -------------------------------------------------------------------------------------------------------------------- */

/* Nobody uses it. The slot is cleared last: until then, whoever finds us dead finds a doomed segment and destroys it again. */
static void destroy(struct shm_area *shm, int index)
{
	struct shm_segment *segment = &shm->segment[index];
	u64 pages = shm_pages(segment->size);
	shm->doomed += !(segment->perm.mode & SHM_DEST);
	segment->perm.mode |= SHM_DEST;
	ipc_ids_hide_key(&shm->ids, index);
	give_space(shm, segment->offset, pages * LAYOUT_PAGE);
	ipc_ids_remove(&shm->ids, index);
	shm->pages -= pages;
	shm->doomed--;
}

/* Destroys a doomed segment that nobody uses. Returns whether the segment is gone. */
static bool destroy_if_unused(struct shm_area *shm, int index)
{
	if (!(shm->segment[index].perm.mode & SHM_DEST) || shm_segment_users(index))
		return false;
	/* Dropping the last dead user has already destroyed it. */
	if (ipc_ids_used(&shm->ids, (u32)index))
		destroy(shm, index);
	return true;
}

void shm_sweep(void)
{
	struct shm_area *shm = shm_area();
	for (u32 i = 0; shm->doomed && i < shm->ids.high; i++) {
		if (ipc_ids_used(&shm->ids, i))
			(void)destroy_if_unused(shm, (int)i);
	}
}

s32 shm_segment_create(s32 key, u64 size, int flags, const struct ipc_creds *creds)
{
	struct shm_area *shm = shm_area();
	s64 offset = take_space(shm, shm_pages(size) * LAYOUT_PAGE);
	if (offset < 0)
		return -ENOMEM;
	int index = ipc_ids_reserve(&shm->ids, sysvipc_area()->limits.shmmni);
	if (index < 0)
		return index;
	struct shm_segment *segment = &shm->segment[index];
	memset(segment, 0, sizeof(*segment));
	ipc_perm_init(&segment->perm, creds, flags);
	segment->cpid = agent_pid();
	segment->size = size;
	segment->offset = (u64)offset;
	segment->ctime = agent_now();
	s32 id = ipc_ids_publish(&shm->ids, index, key);
	shm->pages += shm_pages(size);
	return id;
}

int shm_segment_find(s32 id)
{
	struct shm_area *shm = shm_area();
	int index = ipc_ids_find(&shm->ids, id);
	return index >= 0 && destroy_if_unused(shm, index) ? -EINVAL : index;
}

int shm_segment_find_index(s32 id)
{
	struct shm_area *shm = shm_area();
	int index = ipc_ids_find_index(&shm->ids, id);
	return index >= 0 && destroy_if_unused(shm, index) ? -EINVAL : index;
}

u32 shm_segment_users(int index)
{
	struct shm_area *shm = shm_area();
	u32 users = 0;
	u32 known = 0; /* the last owner seen to live */
	for (u32 next, at = shm->segment[index].attaches; at; at = next) {
		struct shm_attach *attach = &shm->attach[at - 1];
		u32 owner = attach->owner;
		next = attach->next_segment;
		if (owner == known || member_alive((int)owner - 1)) {
			known = owner;
			users++;
		} else {
			shm_attach_drop(at - 1, commons()->members[owner - 1].pid);
		}
	}
	return users;
}

void shm_segment_remove(int index)
{
	struct shm_area *shm = shm_area();
	struct shm_segment *segment = &shm->segment[index];
	if (!shm_segment_users(index)) {
		if (ipc_ids_used(&shm->ids, (u32)index))
			destroy(shm, index);
		return;
	}
	shm->doomed += !(segment->perm.mode & SHM_DEST);
	segment->perm.mode |= SHM_DEST;
	ipc_ids_hide_key(&shm->ids, index);
}

/* --- attachments ----------------------------------------------------------------------------------------------------------------- */

int shm_attach_add(int member, int segment)
{
	struct shm_area *shm = shm_area();
	u32 at;
	if (shm->attach_free) {
		at = shm->attach_free - 1;
		shm->attach_free = shm->attach[at].next_own;
	} else if (shm->attach_high < SHM_ATTACHES_MAX) {
		at = shm->attach_high++;
	} else {
		return -ENOMEM;
	}
	struct shm_attach *attach = &shm->attach[at];
	attach->segment = (u32)segment;
	attach->address = 0;
	attach->size = shm_pages(shm->segment[segment].size) * LAYOUT_PAGE;
	__atomic_store_n(&attach->owner, (u32)member + 1, __ATOMIC_RELEASE);
	link_attach(shm, at);
	return (int)at;
}

/* The lists first: who finds us dead in between links it again, and drops it as a dead owner's. */
static void end_attach(struct shm_area *shm, u32 at)
{
	struct shm_attach *attach = &shm->attach[at];
	u32 *link = &shm->own[attach->owner - 1];
	while (*link != at + 1)
		link = &shm->attach[*link - 1].next_own;
	*link = attach->next_own;
	link = &shm->segment[attach->segment].attaches;
	while (*link != at + 1)
		link = &shm->attach[*link - 1].next_segment;
	*link = attach->next_segment;
	__atomic_store_n(&attach->owner, 0, __ATOMIC_RELEASE);
	attach->next_own = shm->attach_free;
	shm->attach_free = at + 1;
	const struct shm_segment *segment = &shm->segment[attach->segment];
	if (!segment->attaches && segment->perm.mode & SHM_DEST)
		destroy(shm, (int)attach->segment);
}

void shm_attach_cancel(u32 at)
{
	end_attach(shm_area(), at);
}

void shm_attach_drop(u32 at, s32 pid)
{
	struct shm_area *shm = shm_area();
	struct shm_segment *segment = &shm->segment[shm->attach[at].segment];
	segment->lpid = pid;
	segment->dtime = agent_now();
	end_attach(shm, at);
}

void shm_attach_drop_all(int member, s32 pid)
{
	struct shm_area *shm = shm_area();
	while (shm->own[member])
		shm_attach_drop(shm->own[member] - 1, pid);
}

int shm_attach_find(int member, u64 address)
{
	const struct shm_area *shm = shm_area();
	for (u32 at = shm->own[member]; at; at = shm->attach[at - 1].next_own) {
		if (address && shm->attach[at - 1].address == address)
			return (int)at - 1;
	}
	return -ENOENT;
}
