/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf_check() and elf_load() on two files out of the input (program, interpreter), with mmap in pretence: a list of ranges.
 *
 * Must hold: nothing is mapped over the agent's place, whatever elf_check() said; nothing is unmapped or zeroed that was not mapped;
 * a program that elf_check() refuses for its addresses elf_load() cannot map either; what is loaded has its entry in user space.
 *
 * Input: flags, size of the program (2 bytes), program, interpreter. Flag 1: MAP_FIXED_NOREPLACE is taken for a hint.
 */
#include "agent/engine.h"
#include "fuzz.h"

#define PROGRAM 3
#define INTERPRETER 4
#define USER_TOP UINT64_C(0x7ffffffff000)
#define RANGES 4096

struct range {
	u64 begin, end;
	int prot, fd;
	u64 offset;
};

static struct input files[2];
static struct range ranges[RANGES];
static u32 range_count;
static u64 next_free;
static bool hint_only;
static int interpreter_fds;

const char agent_end[1];

static struct range *find(u64 begin, u64 end)
{
	for (u32 i = range_count; i > 0; i--) /* the latest is on top */
		if (ranges[i - 1].begin < end && begin < ranges[i - 1].end)
			return &ranges[i - 1];
	return NULL;
}

static long fake_mmap(u64 at, u64 size, u64 prot, u64 flags, int fd, u64 offset)
{
	u64 end;

	if (size == 0 || (offset & 4095))
		return -EINVAL;
	size = ALIGN_UP(size, LAYOUT_PAGE);
	if (size == 0 || __builtin_add_overflow(at, size, &end) || end > USER_TOP || size > (UINT64_C(1) << 46))
		return -ENOMEM;
	if (fd >= 0 && (offset + size < offset || offset >> 63))
		return -EOVERFLOW;
	MUST(range_count < RANGES);
	if (!(flags & 0x100010)) {
		if (size + LAYOUT_PAGE > next_free - LAYOUT_TEXT - (UINT64_C(64) << 30))
			return -ENOMEM; /* the kernel finds a place that is free */
		next_free = at = next_free - size - LAYOUT_PAGE;
	} else {
		MUST(!(at & 4095));
		if ((flags & 0x100000) && find(at, end)) {
			if (!hint_only)
				return -EEXIST;
			return (long)(next_free -= size);
		}
		MUST(end <= LAYOUT_COMMONS || at >= LAYOUT_TEXT + (UINT64_C(64) << 30));
		MUST(at >= LAYOUT_PAGE || at == 0);
	}
	ranges[range_count++] = (struct range){ at, at + size, (int)prot, fd, offset };
	return (long)at;
}

long fake_sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct input *file = a == INTERPRETER ? &files[1] : &files[0];
	u64 n;

	switch (nr) {
	case __NR_pread64:
		MUST(a == PROGRAM || a == INTERPRETER);
		if (d >> 63)
			return -EINVAL;
		n = d < file->left ? file->left - d : 0;
		n = n < c ? n : c;
		if (n)
			memcpy((void *)b, file->at + d, n);
		return (long)n;
	case __NR_fstat:
		((struct kernel_stat *)b)->size = file->left;
		return 0;
	case __NR_close:
		MUST(a == INTERPRETER && interpreter_fds > 0);
		interpreter_fds--;
		return 0;
	case __NR_mmap:
		return fake_mmap(a, b, c, d, (int)e, f);
	case __NR_munmap:
		MUST(!(a & 4095) && b && find(a, a + b));
		return 0;
	default:
		MUST(!"a system call that elf.c has no business with");
		return 0;
	}
}

/* Zeroing a mapping must stay within a page that the file has, of a writable range. */
void *fake_memset(void *to, int byte, size_t size)
{
	u64 at = (u64)to;
	struct range *range = find(at, at + size);

	if (!range)
		return (memset)(to, byte,
				size); /* elf.c's own variables: they lie above USER_TOP's stack or are seen by the sanitizer */
	MUST(byte == 0 && (range->prot & 2) && range->fd >= 0 && at >= range->begin && at + size <= range->end &&
	     size < LAYOUT_PAGE);
	MUST(range->offset + (ALIGN_DOWN(at, LAYOUT_PAGE) - range->begin) < files[range->fd - PROGRAM].left);
	return to;
}

/* exec.c's part: the interpreter is there when its name begins with a letter below 'q'. */
int exec_open(s32 dirfd, const char *path, int flags)
{
	MUST(dirfd == -100 && flags == 0 && strlen(path) < 4096);
	if (path[0] >= 'q')
		return -ENOENT;
	interpreter_fds++;
	return INTERPRETER;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	struct elf_image program, interpreter;
	u64 flags = input_number(&in, 1), first = input_number(&in, 2);
	u8 *work = malloc(ELF_WORK_SIZE), *head = calloc(1, EXEC_HEAD_SIZE);
	bool exec_stack;
	int checked, loaded;

	files[0] = input_take(&in, first);
	files[1] = in;
	hint_only = flags & 1;
	range_count = 0;
	next_free = UINT64_C(0x7f0000000000);
	if (files[0].left)
		memcpy(head, files[0].at, files[0].left < EXEC_HEAD_SIZE ? files[0].left : EXEC_HEAD_SIZE);

	checked = elf_check(PROGRAM, head, files[0].left < EXEC_HEAD_SIZE ? files[0].left : EXEC_HEAD_SIZE, work);
	MUST(checked <= 0 && checked > -4096 && range_count == 0 && interpreter_fds == 0);
	loaded = elf_load(PROGRAM, &program, &interpreter, work, &exec_stack);
	MUST(loaded <= 0 && loaded > -4096 && interpreter_fds == 0);
	if (loaded == 0)
		MUST(checked == 0 && program.present && program.entry < USER_TOP && interpreter.entry < USER_TOP);
	free(work);
	free(head);
	return 0;
}
