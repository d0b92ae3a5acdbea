/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What several layers together list. Every call reads the directory in all layers anew and keeps no state but the position, which is the offset of
 * the guest's own descriptor: so listing goes on over fork, dup and execve, while names come and go and when the directory comes to be in another layer.
 *
 *   position   0 ".", 1 "..", then (hash of the name, 40 bits) << 2 | rank among names of the same hash, at last LIST_END
 *
 * Names come in the order of their positions, so a position says the same to everybody, and seekdir(3) works.
 *
 * Limits: more than four names of one hash in a directory are not listed (a directory of a million names: one chance in 10^17). A position is
 * a number below 2^43, which every file system of Linux takes for an offset.
 */
#include "agent/fs_layers.h"

#define LIST_END (UINT64_C(1) << 42)
#define HASH_BITS 40
#define NAME_AT 19u
#define READ_SIZE 32768u
#define READ_LITTLE 4096u /* where the slot's scratch is enough */
#define MAP_FIRST (UINT64_C(1) << 18)
#define MAP_MOST (UINT64_C(1) << 32)
#define DT_UNKNOWN_ 0
#define DT_CHR_ 2
#define DT_REG_ 8

struct dirent64 { /* struct linux_dirent64 without the name */
	u64 ino;
	s64 offset;
	u16 length;
	u8 type;
};
static_assert(NAME_AT == offsetof(struct dirent64, type) + 1, "kernel ABI");

struct entry {
	u64 position, ino;
	u16 length; /* of the name */
	u8 type, layer;
	bool whiteout;
	char name[]; /* NUL-terminated */
};

/* What was collected: entries grow from `data` up, offsets of them from `index` down, which ends where the read buffer begins. */
struct list {
	char *map;
	u64 size;  /* of the mapping */
	u64 read;  /* bytes of the read buffer */
	u64 used;  /* bytes of entries */
	u32 count; /* of offsets */
	u64 from;  /* entries before this position are not wanted */
	u64 self;  /* number of the directory itself, in the topmost layer */
};

static u32 *list_index(const struct list *list)
{
	return (u32 *)(void *)(list->map + list->size - list->read) - list->count;
}

static struct entry *list_entry(const struct list *list, u32 n)
{
	return (struct entry *)(void *)(list->map + list_index(list)[n]);
}

static long list_map(struct list *list, u64 size)
{
	long at = sys6(__NR_mmap, 0, size, 3, 0x4022 /* private, anonymous, noreserve */, (u64)-1, 0);

	if (at < 0)
		return at;
	*list = (struct list){
		.map = (char *)at, .size = size, .read = READ_SIZE, .from = list->from
	}; /* NOLINT(performance-no-int-to-ptr) */
	return 0;
}

/* What the slot's scratch has besides the work: enough for most directories. */
static bool list_little(struct list *list, struct fs_work *work)
{
	static_assert(SLOT_SCRATCH - sizeof(struct fs_work) > 2 * READ_LITTLE, "room for entries");

	*list = (struct list){ .map = (char *)(work + 1),
			       .size = ALIGN_DOWN(SLOT_SCRATCH - sizeof(*work), 8),
			       .read = READ_LITTLE,
			       .from = list->from };
	return (void *)work == slot_current()->scratch;
}

static void list_unmap(struct list *list)
{
	if (list->read == READ_SIZE)
		(void)sys2(__NR_munmap, list->map, list->size);
	list->read = 0;
}

/* Whether there is no further layer to be listed: what the host does not let us read counts as if it were not there. Any other error is one, also behind layers
 * that were listed: somebody mounts, or there are no descriptors. */
static bool is_end(long next)
{
	return next == -ENOENT || next == -EACCES;
}

static bool is_dots(const char *name)
{
	return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* A directory of a layer that is being read. */
struct source {
	const struct fs_work *work; /* whose guest path it is; NULL: it is somewhere else */
	s32 fd;
	u32 layer;
	bool xattr; /* files may be whiteouts */
};

/* Whether a name that a layer lists is a whiteout. */
static bool lists_whiteout(const struct source *s, const struct dirent64 *d, const char *name)
{
	struct kernel_stat st;
	s32 fd = s->fd;

	if (d->type != DT_CHR_ && d->type != DT_UNKNOWN_ && !(s->xattr && d->type == DT_REG_))
		return false;
	if (s->work && !fs_may_be_whiteout(s->work, s->layer, name))
		return false;
	return sys4(__NR_newfstatat, fd, name, &st, AT_SYMLINK_NOFOLLOW_) == 0 && fs_is_whiteout(fd, name, &st);
}

/* -E2BIG: no room. */
static long add(struct list *list, const struct source *s, const struct dirent64 *d, const char *name)
{
	u64 length = strlen(name), size = ALIGN_UP(sizeof(struct entry) + length + 1, 8), hash;
	struct entry *e = (struct entry *)(void *)(list->map + list->used);

	if (is_dots(name) && !name[1] && !list->self)
		list->self = d->ino;
	if (is_dots(name))
		return 0;
	hash = fs_seen_hash(FS_SEEN_START, name, length);
	hash = (hash ^ hash >> 29) * UINT64_C(0xd6e8feb86659fd93);
	hash = hash >> (64 - HASH_BITS) | 1u; /* positions 0 to 3 are other things */
	if (hash << 2 < (list->from & ~UINT64_C(3)))
		return 0;
	if (list->used + size + (list->count + 1) * sizeof(u32) > list->size - list->read)
		return -E2BIG;
	*e = (struct entry){ .position = hash << 2,
			     .ino = d->ino,
			     .length = (u16)length,
			     .type = d->type,
			     .layer = (u8)s->layer,
			     .whiteout = lists_whiteout(s, d, name) };
	memcpy(e->name, name, length + 1);
	list->count++;
	list_index(list)[0] = (u32)list->used;
	list->used += size;
	return 0;
}

/* Adds what the directory lists in one layer. work: whose guest path it is, or NULL. Takes fd. */
static long collect_layer(struct list *list, const struct fs_work *work, s32 fd, u32 layer)
{
	char *buffer = list->map + list->size - list->read;
	bool xattr = (commons()->fs.features & FS_WHITEOUT_XATTR) && (!work || !layer || fs_marks_whiteouts(fd));
	const struct source source = { .work = work, .fd = fd, .layer = layer, .xattr = xattr };
	long n = 0, r = 0;

	while (r == 0 && (n = sys3(__NR_getdents64, fd, buffer, list->read)) > 0)
		for (long at = 0; at < n && r == 0;) {
			const struct dirent64 *d = (const struct dirent64 *)(void *)(buffer + at);

			r = add(list, &source, d, (const char *)d + NAME_AT);
			at += d->length;
		}
	(void)sys1(__NR_close, fd);
	return n < 0 ? n : r;
}

static bool comes_before(const struct entry *a, const struct entry *b)
{
	int order;

	if (a->position != b->position)
		return a->position < b->position;
	order = strcmp(a->name, b->name);
	return order ? order < 0 : a->layer < b->layer;
}

/* Heap sort: no recursion, no memory. */
static void sift(struct list *list, u32 root, u32 count)
{
	u32 *index = list_index(list);

	for (;;) {
		u32 child = 2 * root + 1, swap;

		if (child >= count)
			return;
		if (child + 1 < count && comes_before(list_entry(list, child), list_entry(list, child + 1)))
			child++;
		if (!comes_before(list_entry(list, root), list_entry(list, child)))
			return;
		swap = index[root];
		index[root] = index[child];
		index[child] = swap;
		root = child;
	}
}

static void sort(struct list *list)
{
	u32 *index = list_index(list);

	for (u32 i = list->count / 2; i-- > 0;)
		sift(list, i, list->count);
	for (u32 i = list->count; i-- > 1;) {
		u32 swap = index[0];

		index[0] = index[i];
		index[i] = swap;
		sift(list, 0, i);
	}
}

/* Only the topmost of each name stays, and no whiteouts; positions get their ranks. */
static void settle(struct list *list)
{
	u32 *index = list_index(list), kept = 0;
	const struct entry *last = NULL;
	u64 hash = 0, rank = 0;

	for (u32 i = 0; i < list->count; i++) {
		struct entry *e = list_entry(list, i);

		if (last && !strcmp(last->name, e->name))
			continue;
		last = e;
		if (e->whiteout)
			continue;
		rank = e->position == hash ? rank + 1 : 0;
		hash = e->position;
		if (rank > 3)
			continue;
		e->position |= rank;
		if (e->position >= list->from)
			index[kept++] = index[i];
	}
	memmove(index + list->count - kept, index, kept * sizeof(*index)); /* it is found from its end */
	list->count = kept;
}

/* Everything that the directory at the guest path has from list->from on, in order. list is mapped on success. opened: where the caller has it open. */
static long collect(struct fs_work *work, const struct fs_opened *opened, struct list *list)
{
	for (u64 size = 0; size <= MAP_MOST; size = size ? size * 4 : MAP_FIRST) {
		u32 layer = 0;
		long r = size ? list_map(list, size) : 0, k = 0;
		s32 fd;

		if (r < 0)
			return r;
		if (!size && !list_little(list, work))
			continue;
		for (; r == 0 && (k = fs_layers_next(work, layer, opened, &fd)) >= 0; layer = (u32)k + 1)
			r = collect_layer(list, work, fd, (u32)k);
		if (r == 0 && (layer == 0 || !is_end(k)))
			r = k; /* not there at all, or not known */
		if (r == 0) {
			sort(list);
			settle(list);
			return 0;
		}
		list_unmap(list);
		if (r != -E2BIG)
			return r;
	}
	return -ENOMEM;
}

long fs_merge_is_empty(struct fs_work *work)
{
	struct list list = { .from = 0 };
	long r = collect(work, NULL, &list);

	if (r < 0)
		return r == -ELOOP ? -ESTALE : r; /* somebody renames it */
	r = list.count ? -ENOTEMPTY : 0;
	list_unmap(&list);
	return r;
}

long fs_merge_hide(struct fs_work *work, const struct fs_work_dir *dir, s32 directory)
{
	struct fs_work_dir other = *dir;
	struct list list = { .from = 0 };
	u32 layer = 1;
	s32 fd;
	long r = 0, k = 0;

	for (u64 size = MAP_FIRST; size <= MAP_MOST; size *= 4) {
		r = list_map(&list, size);
		for (layer = 1; r == 0 && (k = fs_layers_next(work, layer, NULL, &fd)) >= 0; layer = (u32)k + 1)
			r = collect_layer(&list, work, fd, (u32)k);
		if (r == 0 && !is_end(k))
			r = k;
		if (r == 0)
			break;
		list_unmap(&list);
		if (r != -E2BIG)
			return r;
	}
	if (r < 0)
		return r;
	sort(&list);
	settle(&list);
	other.name[0] = 'w';
	for (u32 i = 0; r == 0 && i < list.count; i++) {
		r = fs_whiteout_make(&other, directory);
		if (r == 0)
			r = sys4(__NR_renameat, dir->fd, other.name, directory, list_entry(&list, i)->name);
	}
	list_unmap(&list);
	return r;
}

static bool has_others(const struct list *list)
{
	for (u32 i = 0; i < list->count; i++)
		if (!list_entry(list, i)->whiteout)
			return true;
	return false;
}

/* What a directory of the upper layer lists. fd: O_PATH. */
static long collect_again(struct list *list, s32 fd)
{
	long dir = sys4(__NR_openat, fd, ".", O_DIRECTORY_ | O_CLOEXEC_, 0);

	return dir < 0 ? dir : collect_layer(list, NULL, (s32)dir, 0);
}

long fs_merge_clear(s32 directory, const char *name)
{
	struct list list = { .from = 0 };
	long fd = sys4(__NR_openat, directory, name, O_PATH_ | O_DIRECTORY_ | O_NOFOLLOW_ | O_CLOEXEC_, 0);
	bool others = false;

	if (fd >= 0 && list_map(&list, MAP_FIRST) == 0) {
		while (!others && (collect_again(&list, (s32)fd) == -E2BIG || list.count)) {
			bool stuck = true;

			others = has_others(&list);
			for (u32 i = 0; !others && i < list.count; i++) {
				const struct entry *e = list_entry(&list, i);

				if (sys3(__NR_unlinkat, fd, e->name, 0) == 0)
					stuck = false;
			}
			list.count = 0;
			list.used = 0;
			if (stuck)
				break;
		}
		list_unmap(&list);
	}
	if (fd >= 0)
		(void)sys1(__NR_close, fd);
	return others ? -ENOTEMPTY : sys3(__NR_unlinkat, directory, name, AT_REMOVEDIR_);
}

/* --- getdents64 ------------------------------------------------------------------------------------------------------------------------- */

/* Writes one entry; its size, 0 when there is no room, or negative errno. */
static long put(u64 to, u64 room, const struct entry *e, const char *name, u64 next)
{
	struct {
		struct dirent64 head;
		char rest[264];
	} out;
	u64 length = strlen(name), size = ALIGN_UP(NAME_AT + length + 1, 8);

	if (size > room)
		return 0;
	memset(&out, 0, size);
	out.head = (struct dirent64){ .ino = e->ino, .offset = (s64)next, .length = (u16)size, .type = e->type };
	memcpy((char *)&out + NAME_AT, name, length + 1);
	return guest_write(to, &out, size) < 0 ? -EFAULT : (long)size;
}

/* Fills the guest's buffer. *position: from there; afterwards, where to go on. Bytes, or negative errno. */
static long fill(const struct list *list, u64 to, u64 room, u64 *position)
{
	u64 used = 0;
	long n = 1;

	while (n > 0 &&
	       *position < 2) { /* the number of ".." is not known here; nobody may rely on it where something is mounted */
		struct entry dot = { .ino = list->self, .type = 4 /* DT_DIR */ };

		n = put(to + used, room - used, &dot, *position ? ".." : ".", *position + 1);
		if (n > 0) {
			used += (u64)n;
			*position += 1;
		}
	}
	for (u32 i = 0; n > 0 && i < list->count; i++) {
		const struct entry *e = list_entry(list, i);

		n = put(to + used, room - used, e, e->name, e->position + 1);
		if (n > 0) {
			used += (u64)n;
			*position = e->position + 1;
		}
	}
	if (n > 0)
		*position = LIST_END;
	return n < 0 ? n : n == 0 && !used ? -EINVAL : (long)used;
}

/* The guest path of what lies in an overlay and a descriptor stands for. */
static bool is_layered(struct fs_work *work, s32 fd)
{
	static const char gone[] = " (deleted)";
	char link[AGENT_FD_LINK_SIZE];
	long n;

	if (fd < 0 || agent_reserved_fd((u32)fd))
		return false;
	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, work->check, FS_HOST_MAX - 1);
	if (n <= 0 || work->check[0] != '/' || (n > 10 && !memcmp(work->check + n - 10, gone, 10)))
		return false;
	work->check[n] = 0;
	return fs_place_hinted(work, work->check, fs_hint(fd)) >= 0 && fs_layered(work);
}

/* Else the kernel says what is wrong. */
static bool is_directory(s32 fd)
{
	struct kernel_stat st;

	return sys4(__NR_newfstatat, fd, "", &st, AT_EMPTY_PATH_) == 0 && (st.mode & VFS_TYPE) == VFS_DIRECTORY;
}

/* Collects what is listed from a position of the descriptor's own on. 1: of a directory in an overlay; 0: it is none; or negative errno. */
static long collect_opened(struct fs_work *work, struct fs_opened *opened, struct list *list)
{
	u32 mounted = 0, renamed = 0;
	long r;

	do {
		if (!is_layered(work, opened->fd))
			return 0;
		opened->layer = work->layer;
		r = collect(work, opened, list);
	} while (r == -ELOOP && (fs_is_current(&work->root) ? ++renamed < FS_ATTEMPTS : fs_once_more(&mounted))); /* meanwhile */
	return r < 0 ? r : 1;
}

bool fs_merge_getdents(struct call *call)
{
	struct fs_work *work = (struct fs_work *)(void *)slot_current()->scratch;
	struct fs_opened opened = { .fd = (s32)call->arg[0] };
	s32 fd = opened.fd;
	struct list list;
	long at, r;
	u64 position;

	if (!is_layered(work, fd))
		return false;
	at = sys3(__NR_lseek, fd, 0, 1 /* SEEK_CUR */);
	if (at < 0)
		return false; /* an O_PATH one */
	call->ret = 0;
	if ((u64)at >= LIST_END)
		return is_directory(fd);
	list = (struct list){ .from = (u64)at };
	r = collect_opened(work, &opened, &list);
	if (r <= 0) {
		call->ret = r;
		return r && is_directory(fd);
	}
	position = (u64)at;
	call->ret = fill(&list, call->arg[1], (u32)call->arg[2], &position);
	list_unmap(&list);
	if (call->ret >= 0 && position != (u64)at) {
		r = sys3(__NR_lseek, fd, position, 0);
		if (r < 0)
			call->ret = r;
	}
	return true;
}
