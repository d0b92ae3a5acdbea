/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF programs: checked as fs/binfmt_elf.c checks them, mapped as it maps them.
 *
 * elf_check() gives the errno that execve gives. What the kernel notices only behind its point of no return (segments that cannot be
 * mapped, an entry point outside user space) it lets pass: elf_load() then fails and the process dies of SIGSEGV, as it does natively.
 * One refusal is ours: -ENOMEM for a program linked to where the agent lives.
 *
 *   ET_EXEC at its addresses: the first segment never over something that is there, the others wherever they say, over each other
 *   included; ET_DYN in one reservation wherever mmap likes, aligned to the largest p_align. Where memory exceeds the file part, the
 *   last page of that is zeroed up to its END, since ld.so hands out the rest; the remaining bss is anonymous and writable.
 *
 * Program headers are read through a window, so that the kernel's limit (64 KiB of them) takes no more room than one page.
 */
#include <elf.h>

#include "agent/engine.h"

#define PROT_R 1
#define PROT_W 2
#define PROT_X 4
#define MAP_PRIVATE_ 2
#define MAP_FIXED_ 0x10
#define MAP_ANON_ 0x20
#define MAP_NORESERVE_ 0x4000
#define MAP_NOREPLACE_ 0x100000
#define USER_TOP UINT64_C(0x7ffffffff000)
#define OURS_BEGIN LAYOUT_COMMONS
#define OURS_END (LAYOUT_TEXT + (UINT64_C(64) << 30)) /* the image, and the heap above it */
#define TABLE_MAX 65536u                              /* bytes of program headers */
#define ALIGN_MAX (UINT64_C(1) << 40)                 /* larger ones do not count: nothing could be aligned so */
#define WINDOW_SIZE 4096u
#define NAME_SIZE 4096u /* of an interpreter, NUL included */

/* The program headers of an open file. */
struct table {
	int fd;
	u64 offset;
	u32 count;
	u32 first, loaded; /* which of them the window holds */
	Elf64_Phdr *window;
};

/* What an image's segments span before the bias is added. */
struct span {
	u64 low, high, align;
};

/* Reads exactly size bytes: 0, -EIO when the file is shorter, other negative errno. */
static int read_at(int fd, void *to, u64 size, u64 offset)
{
	long n = sys4(__NR_pread64, fd, to, size, offset);

	if (n < 0)
		return (int)n;
	return (u64)n == size ? 0 : -EIO;
}

static bool is_elf(const Elf64_Ehdr *e)
{
	return memcmp(e->e_ident, ELFMAG, SELFMAG) == 0 && e->e_machine == EM_X86_64;
}

static bool is_program(const Elf64_Ehdr *e)
{
	return is_elf(e) && (e->e_type == ET_EXEC || e->e_type == ET_DYN);
}

/* Header i, valid until the next call; NULL when it cannot be read. */
static const Elf64_Phdr *header(struct table *t, u32 i)
{
	const u32 room = WINDOW_SIZE / sizeof(*t->window);

	if (i < t->first || i >= t->first + t->loaded) {
		u32 count = t->count - i < room ? t->count - i : room;

		t->loaded = 0;
		if (read_at(t->fd, t->window, count * sizeof(*t->window), t->offset + i * sizeof(*t->window)) < 0)
			return NULL;
		t->first = i;
		t->loaded = count;
	}
	return &t->window[i - t->first];
}

/* window: WINDOW_SIZE bytes. False for a table that the kernel would not read. */
static bool table_open(struct table *t, int fd, const Elf64_Ehdr *e, u8 *window)
{
	*t = (struct table){ .fd = fd, .offset = e->e_phoff, .count = e->e_phnum, .window = (Elf64_Phdr *)(void *)window };
	if (e->e_phentsize != sizeof(Elf64_Phdr) || t->count == 0 || t->count * sizeof(Elf64_Phdr) > TABLE_MAX)
		return false;
	for (u32 i = 0; i < t->count; i++)
		if (!header(t, i))
			return false;
	return true;
}

/* 0; -EINVAL when segments are such that the kernel would fail to map them; -ENOMEM when an image at fixed addresses wants ours. */
static int measure(struct table *t, bool fixed, struct span *span)
{
	*span = (struct span){ UINT64_MAX, 0, LAYOUT_PAGE };
	for (u32 i = 0; i < t->count; i++) {
		const Elf64_Phdr *ph = header(t, i);
		u64 low, high;

		if (!ph)
			return -EIO;
		if (ph->p_type != PT_LOAD)
			continue;
		low = ALIGN_DOWN(ph->p_vaddr, LAYOUT_PAGE);
		if (ph->p_filesz > ph->p_memsz || ph->p_memsz > USER_TOP || ph->p_vaddr > USER_TOP - ph->p_memsz)
			return -EINVAL;
		high = ALIGN_UP(ph->p_vaddr + ph->p_memsz, LAYOUT_PAGE);
		if (fixed && low < OURS_END && high > OURS_BEGIN)
			return -ENOMEM;
		if (low < span->low)
			span->low = low;
		if (high > span->high)
			span->high = high;
		if (ph->p_align > span->align && !(ph->p_align & (ph->p_align - 1)) && ph->p_align < ALIGN_MAX)
			span->align = ph->p_align;
	}
	return span->low == UINT64_MAX && !fixed ? -EINVAL : 0;
}

/* Opens the interpreter named by the first PT_INTERP. name: NAME_SIZE bytes. Descriptor, -ESRCH when there is none, other errno. */
static int open_interpreter(struct table *t, u8 *name)
{
	for (u32 i = 0; i < t->count; i++) {
		const Elf64_Phdr *ph = header(t, i);
		int r;

		if (!ph)
			return -EIO;
		if (ph->p_type != PT_INTERP)
			continue;
		if (ph->p_filesz < 2 || ph->p_filesz > NAME_SIZE)
			return -ENOEXEC;
		r = read_at(t->fd, name, ph->p_filesz, ph->p_offset);
		if (r < 0)
			return r;
		if (name[ph->p_filesz - 1])
			return -ENOEXEC;
		r = exec_open(-100, (const char *)name, 0);
		return r == -ESRCH ? -ENOENT : r;
	}
	return -ESRCH;
}

static int check_addresses(struct table *t, const Elf64_Ehdr *e)
{
	struct span span;

	return e->e_type == ET_EXEC && measure(t, true, &span) == -ENOMEM ? -ENOMEM : 0;
}

static int check_interpreter(int fd, u8 *window)
{
	struct table table;
	Elf64_Ehdr e;
	int r = read_at(fd, &e, sizeof(e), 0);

	if (r < 0)
		return r;
	if (!is_elf(&e) || !table_open(&table, fd, &e, window))
		return -ELIBBAD;
	return check_addresses(&table, &e);
}

int elf_check(int fd, const u8 *head, u64 size, u8 *work)
{
	struct table table;
	Elf64_Ehdr e;
	int interpreter, r;

	memset(&e, 0, sizeof(e));
	memcpy(&e, head, size < sizeof(e) ? size : sizeof(e));
	if (!is_program(&e) || !table_open(&table, fd, &e, work))
		return -ENOEXEC;
	interpreter = open_interpreter(&table, work + WINDOW_SIZE);
	if (interpreter < 0 && interpreter != -ESRCH)
		return interpreter;
	r = interpreter < 0 ? 0 : check_interpreter(interpreter, work + WINDOW_SIZE);
	if (interpreter >= 0)
		(void)sys1(__NR_close, interpreter);
	return r < 0 ? r : check_addresses(&table, &e);
}

static long map(u64 at, u64 size, int prot, int flags, int fd, u64 offset)
{
	return sys6(__NR_mmap, at, size, (u64)prot, (u64)flags, (u64)fd, offset);
}

/* As map(), at exactly this address: 0 or negative errno. */
static int map_at(u64 at, u64 size, int prot, int flags, int fd, u64 offset)
{
	long r = map(at, size, prot, flags, fd, offset);

	if (r < 0)
		return (int)r;
	return (u64)r == at ? 0 : -EEXIST; /* a kernel that takes MAP_FIXED_NOREPLACE for a hint */
}

/* Zeros from `at` to the end of its page, which shows the file's page at `offset`: there is none in a file cut short. */
static int zero_tail(int fd, u64 at, u64 offset)
{
	struct kernel_stat st;
	long r = sys2(__NR_fstat, fd, &st);

	if (r < 0)
		return (int)r;
	if (offset >= (u64)st.size)
		return -EFAULT;
	memset((void *)at, 0, ALIGN_UP(at, LAYOUT_PAGE) - at);
	return 0;
}

/* Maps one PT_LOAD, which measure() has seen, at bias. how: MAP_FIXED or MAP_FIXED_NOREPLACE. */
static int map_segment(int fd, const Elf64_Phdr *ph, u64 bias, int how)
{
	u64 start = ALIGN_DOWN(ph->p_vaddr + bias, LAYOUT_PAGE), skew = ph->p_vaddr + bias - start, page_end = start;
	u64 file_end = ph->p_vaddr + bias + ph->p_filesz, mem_end = ALIGN_UP(ph->p_vaddr + bias + ph->p_memsz, LAYOUT_PAGE);
	int exec = (ph->p_flags & PF_X) ? PROT_X : 0, r;
	int prot = exec | ((ph->p_flags & PF_R) ? PROT_R : 0) | ((ph->p_flags & PF_W) ? PROT_W : 0);

	if (ph->p_filesz) {
		page_end = ALIGN_UP(file_end, LAYOUT_PAGE);
		r = map_at(start, page_end - start, prot, MAP_PRIVATE_ | how, fd, ph->p_offset - skew);
		if (r < 0)
			return r;
	}
	if (ph->p_memsz == ph->p_filesz)
		return 0;
	if ((prot & PROT_W) && ph->p_filesz && page_end > file_end) {
		r = zero_tail(fd, file_end, ALIGN_DOWN(ph->p_offset + ph->p_filesz, LAYOUT_PAGE));
		if (r < 0)
			return r;
	}
	if (mem_end == page_end)
		return 0;
	return map_at(page_end, mem_end - page_end, PROT_R | PROT_W | exec, MAP_PRIVATE_ | MAP_ANON_ | MAP_FIXED_, -1, 0);
}

/* Address space for an ET_DYN image: its bias, or negative errno. */
static long reserve(const struct span *span)
{
	u64 size = span->high - span->low, room, base;
	long at;

	if (__builtin_add_overflow(size, span->align - LAYOUT_PAGE, &room))
		return -ENOMEM;
	at = map(0, room, 0, MAP_PRIVATE_ | MAP_ANON_ | MAP_NORESERVE_, -1, 0);
	if (at < 0)
		return at;
	base = ALIGN_UP((u64)at, span->align);
	if (base > (u64)at)
		(void)sys2(__NR_munmap, at, base - (u64)at);
	if (base + size < (u64)at + room)
		(void)sys2(__NR_munmap, base + size, (u64)at + room - base - size);
	return (long)(base - span->low);
}

static int map_image(struct table *t, const Elf64_Ehdr *e, struct elf_image *image)
{
	struct span span;
	bool fixed = e->e_type == ET_EXEC;
	int r = measure(t, fixed, &span), how = fixed ? MAP_NOREPLACE_ : MAP_FIXED_;
	long bias = 0;

	if (r < 0)
		return r;
	if (!fixed)
		bias = reserve(&span);
	if (bias < 0 && bias > -4096)
		return (int)bias;
	*image = (struct elf_image){ .present = true,
				     .base = (u64)bias,
				     .entry = e->e_entry + (u64)bias,
				     .phdr = (u64)bias,
				     .phnum = e->e_phnum,
				     .end = span.high + (u64)bias };
	for (u32 i = 0; i < t->count; i++) {
		const Elf64_Phdr *ph = header(t, i);

		if (!ph)
			return -EIO;
		if (ph->p_type != PT_LOAD)
			continue;
		if (ph->p_offset <= e->e_phoff && e->e_phoff < ph->p_offset + ph->p_filesz)
			image->phdr = e->e_phoff - ph->p_offset + ph->p_vaddr + (u64)bias;
		r = map_segment(t->fd, ph, (u64)bias, how);
		if (r < 0)
			return r;
		how = MAP_FIXED_;
	}
	return image->entry < USER_TOP ? 0 : -EINVAL;
}

static int load_interpreter(int fd, struct elf_image *image, u8 *window)
{
	struct table table;
	Elf64_Ehdr e;
	int r = read_at(fd, &e, sizeof(e), 0);

	if (r < 0)
		return r;
	if (!is_program(&e) || !table_open(&table, fd, &e, window))
		return -ELIBBAD;
	return map_image(&table, &e, image);
}

int elf_load(int fd, struct elf_image *program, struct elf_image *interpreter, u8 *work, bool *exec_stack)
{
	struct table table;
	Elf64_Ehdr e;
	int r = read_at(fd, &e, sizeof(e), 0), other;

	*exec_stack = false;
	*interpreter = (struct elf_image){ 0 };
	if (r < 0)
		return r;
	if (!is_program(&e) || !table_open(&table, fd, &e, work))
		return -ENOEXEC;
	for (u32 i = 0; i < table.count; i++) {
		const Elf64_Phdr *ph = header(&table, i);

		if (ph && ph->p_type == PT_GNU_STACK)
			*exec_stack = ph->p_flags & PF_X;
	}
	other = open_interpreter(&table, work + WINDOW_SIZE);
	if (other < 0 && other != -ESRCH)
		return other;
	r = map_image(&table, &e, program);
	if (other >= 0) {
		if (r == 0)
			r = load_interpreter(other, interpreter, work + WINDOW_SIZE);
		(void)sys1(__NR_close, other);
	}
	return r;
}
