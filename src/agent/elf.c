/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF programs: checked as fs/binfmt_elf.c checks them, mapped as it maps them.
 *
 *   ET_EXEC at its addresses (never over something that is there), ET_DYN as one reservation wherever mmap likes, aligned to the largest
 *   p_align; the file part of the last page zeroed up to its END, since ld.so hands out the rest; the remaining bss anonymous.
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

/* Reads exactly size bytes: 0, -EIO when the file is shorter, other negative errno. */
static int read_at(int fd, void *to, u64 size, u64 offset)
{
	long n = sys4(__NR_pread64, fd, to, size, offset);

	if (n < 0)
		return (int)n;
	return (u64)n == size ? 0 : -EIO;
}

static bool header_fits(const Elf64_Ehdr *e)
{
	return memcmp(e->e_ident, ELFMAG, SELFMAG) == 0 && (e->e_type == ET_EXEC || e->e_type == ET_DYN) && e->e_machine == EM_X86_64;
}

/* Program headers into work: their number, or negative errno (-ENOEXEC for a table that the kernel would not read). */
static int read_headers(int fd, const Elf64_Ehdr *e, u8 *work, u64 work_size)
{
	u64 size = (u64)e->e_phnum * sizeof(Elf64_Phdr);
	int r;

	if (e->e_phentsize != sizeof(Elf64_Phdr) || e->e_phnum < 1 || size > work_size)
		return -ENOEXEC;
	r = read_at(fd, work, size, e->e_phoff);
	if (r < 0)
		return r == -EIO ? -ENOEXEC : r;
	return e->e_phnum;
}

/* Address span of the loadable segments. 0 or -EINVAL: the kernel finds out while mapping, we before. */
static int span(const Elf64_Phdr *ph, int count, u64 *low, u64 *high, u64 *align)
{
	u64 previous = 0;

	*low = UINT64_MAX;
	*high = 0;
	*align = LAYOUT_PAGE;
	for (int i = 0; i < count; i++) {
		u64 end;

		if (ph[i].p_type != PT_LOAD)
			continue;
		if (ph[i].p_filesz > ph[i].p_memsz || ph[i].p_memsz > USER_TOP || ph[i].p_vaddr > USER_TOP ||
		    __builtin_add_overflow(ph[i].p_vaddr, ph[i].p_memsz, &end) || end > USER_TOP)
			return -EINVAL;
		if (((ph[i].p_vaddr ^ ph[i].p_offset) & (LAYOUT_PAGE - 1)) && ph[i].p_filesz)
			return -EINVAL;
		if (ph[i].p_vaddr < previous)
			return -EINVAL; /* the specification wants ascending order */
		previous = ph[i].p_vaddr;
		if (ALIGN_DOWN(ph[i].p_vaddr, LAYOUT_PAGE) < *low)
			*low = ALIGN_DOWN(ph[i].p_vaddr, LAYOUT_PAGE);
		if (end > *high)
			*high = end;
		if (ph[i].p_align > *align && !(ph[i].p_align & (ph[i].p_align - 1)) && ph[i].p_align < (UINT64_C(1) << 40))
			*align = ph[i].p_align;
	}
	return *high > *low ? 0 : -EINVAL;
}

/* Opens the interpreter named by PT_INTERP: descriptor, -ENOENT … of its open, -ENOEXEC for a bad name, -ESRCH when there is none. */
static int open_interpreter(int fd, const Elf64_Phdr *ph, int count, u8 *name, u64 name_size)
{
	long r, access;

	for (int i = 0; i < count; i++) {
		u64 size = ph[i].p_filesz, offset = ph[i].p_offset;

		if (ph[i].p_type != PT_INTERP)
			continue;
		if (size < 2 || size > name_size)
			return -ENOEXEC;
		r = read_at(fd, name, size, offset);
		if (r < 0)
			return (int)r;
		if (name[size - 1])
			return -ENOEXEC;
		r = sys4(__NR_openat, -100, name, 02000000 /* O_CLOEXEC */, 0);
		if (r < 0)
			return (int)r;
		access = sys3(__NR_faccessat, -100, name, 1 /* X_OK */);
		if (access < 0) {
			(void)sys1(__NR_close, r);
			return (int)access;
		}
		return (int)r;
	}
	return -ESRCH;
}

static int check_image(int fd, const Elf64_Ehdr *e, u8 *work, u64 work_size)
{
	u64 low, high, align;
	int count = read_headers(fd, e, work, work_size);

	return count < 0 ? count : span((const Elf64_Phdr *)(const void *)work, count, &low, &high, &align);
}

int elf_check(int fd, const u8 *head, u64 size, u8 *work, u64 work_size)
{
	Elf64_Ehdr e;
	int count, interpreter, r;

	memset(&e, 0, sizeof(e));
	memcpy(&e, head, size < sizeof(e) ? size : sizeof(e));
	if (!header_fits(&e))
		return -ENOEXEC;
	count = read_headers(fd, &e, work, work_size / 2);
	if (count < 0)
		return count;
	interpreter = open_interpreter(fd, (const Elf64_Phdr *)(const void *)work, count, work + work_size / 2, work_size / 2);
	if (interpreter == -ESRCH)
		return check_image(fd, &e, work, work_size);
	if (interpreter < 0)
		return interpreter;
	r = read_at(interpreter, &e, sizeof(e), 0);
	if (r == 0 && !header_fits(&e))
		r = -ELIBBAD;
	if (r == 0)
		r = check_image(interpreter, &e, work, work_size);
	if (r == -ENOEXEC)
		r = -ELIBBAD;
	(void)sys1(__NR_close, interpreter);
	if (r == 0) {
		memcpy(&e, head, sizeof(e));
		r = check_image(fd, &e, work, work_size);
	}
	return r;
}

static long map(u64 at, u64 size, int prot, int flags, int fd, u64 offset)
{
	return sys6(__NR_mmap, at, size, (u64)prot, (u64)flags, (u64)fd, offset);
}

/* Maps one PT_LOAD at bias. */
static int map_segment(int fd, const Elf64_Phdr *ph, u64 bias, int extra)
{
	u64 start = ALIGN_DOWN(ph->p_vaddr + bias, LAYOUT_PAGE), file_end = ph->p_vaddr + bias + ph->p_filesz;
	u64 page_end = ALIGN_UP(file_end, LAYOUT_PAGE), mem_end = ALIGN_UP(ph->p_vaddr + bias + ph->p_memsz, LAYOUT_PAGE);
	int prot = ((ph->p_flags & PF_R) ? PROT_R : 0) | ((ph->p_flags & PF_W) ? PROT_W : 0) | ((ph->p_flags & PF_X) ? PROT_X : 0);
	long r;

	if (ph->p_filesz) {
		r = map(start, page_end - start, prot, MAP_PRIVATE_ | extra, fd, ph->p_offset - (ph->p_vaddr + bias - start));
		if (r < 0)
			return (int)r;
		if ((u64)r != start)
			return -EEXIST; /* a kernel that takes MAP_FIXED_NOREPLACE for a hint */
	} else {
		page_end = start;
	}
	if (mem_end > page_end) {
		r = map(page_end, mem_end - page_end, prot, MAP_PRIVATE_ | MAP_ANON_ | extra, -1, 0);
		if (r < 0)
			return (int)r;
		if ((u64)r != page_end)
			return -EEXIST;
	}
	if (ph->p_memsz > ph->p_filesz && ph->p_filesz && (prot & PROT_W) && page_end > file_end)
		memset((void *)file_end, 0, page_end - file_end); /* a file shorter than it says: SIGBUS, as natively */
	return 0;
}

static int map_image(int fd, const Elf64_Ehdr *e, const Elf64_Phdr *ph, int count, struct elf_image *image)
{
	u64 low, high, align, bias = 0;
	int r = span(ph, count, &low, &high, &align), extra = MAP_NOREPLACE_ | MAP_FIXED_;

	if (r < 0)
		return r;
	if (e->e_type == ET_EXEC)
		extra = MAP_NOREPLACE_;
	if (e->e_type == ET_DYN) {
		u64 size = ALIGN_UP(high, LAYOUT_PAGE) - low, room = size + align - LAYOUT_PAGE;
		long at = map(0, room, 0, MAP_PRIVATE_ | MAP_ANON_ | MAP_NORESERVE_, -1, 0);
		u64 base;

		if (at < 0)
			return (int)at;
		base = ALIGN_UP((u64)at, align);
		if (base > (u64)at)
			(void)sys2(__NR_munmap, at, base - (u64)at);
		if (base + size < (u64)at + room)
			(void)sys2(__NR_munmap, base + size, (u64)at + room - base - size);
		bias = base - low;
		extra = MAP_FIXED_;
	}
	*image = (struct elf_image){ .base = bias, .entry = e->e_entry + bias, .phnum = e->e_phnum, .end = high + bias };
	for (int i = 0; i < count; i++) {
		if (ph[i].p_type == PT_PHDR)
			image->phdr = ph[i].p_vaddr + bias;
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (!image->phdr && ph[i].p_offset <= e->e_phoff && e->e_phoff < ph[i].p_offset + ph[i].p_filesz)
			image->phdr = e->e_phoff - ph[i].p_offset + ph[i].p_vaddr + bias;
		r = map_segment(fd, &ph[i], bias, extra);
		if (r < 0)
			return r;
	}
	return 0;
}

int elf_load(int fd, struct elf_image *program, struct elf_image *interpreter, u8 *work, u64 work_size, bool *exec_stack)
{
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(const void *)work;
	Elf64_Ehdr e;
	int r = read_at(fd, &e, sizeof(e), 0), count, other;

	if (r < 0)
		return r;
	count = read_headers(fd, &e, work, work_size / 2);
	if (count < 0)
		return count;
	*exec_stack = false;
	for (int i = 0; i < count; i++)
		if (ph[i].p_type == PT_GNU_STACK)
			*exec_stack = ph[i].p_flags & PF_X;
	other = open_interpreter(fd, ph, count, work + work_size / 2, work_size / 2);
	if (other < 0 && other != -ESRCH)
		return other;
	r = map_image(fd, &e, ph, count, program);
	*interpreter = (struct elf_image){ 0 };
	if (r < 0 || other < 0)
		return r;
	r = read_at(other, &e, sizeof(e), 0);
	if (r == 0)
		r = count = read_headers(other, &e, work, work_size);
	if (r >= 0)
		r = map_image(other, &e, ph, count, interpreter);
	(void)sys1(__NR_close, other);
	return r;
}
