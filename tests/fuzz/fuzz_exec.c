/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec_program() in a file system made from the input: a few files with names, modes and contents, found by name or by descriptor.
 *
 * Must hold: the result is an errno; no descriptor stays open; what reaches execveat is the agent with at most the scratch's worth of
 * pointers, and a marker whose name and path are those that were executed; every script on the way begins with '#!'.
 *
 * Input: flags (1 byte), descriptor (1), path (a line), number of files (1); per file its name (a line), mode (2), size (2), contents.
 */
#include "agent/engine.h"
#include "fuzz.h"

#define FILES 8
#define FD_FIRST 100 /* what the agent opens; below: the guest's own, one per file */

struct file {
	char name[300];
	u32 mode;
	struct input text;
};

static struct file files[FILES];
static u32 file_count, open_count;
static s32 fd_file[64];
static int executed;
static struct slot *the_slot;
static struct private *fake_private;
static struct commons *fake_commons;

static struct slot *fake_slot(void)
{
	return the_slot;
}
#define slot_current() fake_slot()
#define private() fake_private
#define commons() fake_commons
#include "agent/exec.c" // NOLINT(bugprone-suspicious-include): on a slot, private memory and commons of our own
#include "no_tree.h"

void events(enum agent_event event, long arg)
{
	const struct exec_prepare *prepare = (const struct exec_prepare *)arg;

	MUST(event == EVENT_EXEC_PREPARE && prepare->program >= FD_FIRST);
}

u32 task_word(enum task_word kind)
{
	return kind;
}

u32 agent_task_word(void)
{
	return 0xabcdef;
}

static s32 find(const char *path)
{
	for (u32 i = 0; i < file_count; i++)
		if (files[i].name[0] && !strcmp(files[i].name, path))
			return (s32)i;
	return -ENOENT;
}

static s32 resolve(s32 dirfd, const char *path)
{
	if (path[0])
		return find(path);
	if (dirfd >= 0 && dirfd < (s32)file_count)
		return dirfd;
	return dirfd == -100 ? -EACCES : -EBADF;
}

static long new_fd(s32 file)
{
	for (s32 i = 0; file >= 0 && i < (s32)ARRAY_SIZE(fd_file); i++)
		if (fd_file[i] < 0) {
			fd_file[i] = file;
			open_count++;
			return FD_FIRST + i;
		}
	return file < 0 ? file : -EMFILE;
}

static s32 file_of(u64 fd)
{
	if (fd < file_count)
		return (s32)fd;
	MUST(fd >= FD_FIRST && fd < FD_FIRST + ARRAY_SIZE(fd_file) && fd_file[fd - FD_FIRST] >= 0);
	return fd_file[fd - FD_FIRST];
}

static long check_execve(s32 fd, u64 *argv, u64 *envp, u64 flags)
{
	u64 *last = envp;
	const char *marker;

	MUST(fd == 1023 && flags == AT_EMPTY_PATH_ && argv < envp);
	while (last[1])
		last++;
	marker = (const char *)*last;
	MUST(!strncmp(marker, "LICHEN_EXEC=", 12) && strchr(marker, ':') && strlen(marker) < 192 + 256 + 4096);
	MUST(!strcmp(marker + strlen(marker) - strlen(((struct scratch *)the_slot->scratch)->path),
		     ((struct scratch *)the_slot->scratch)->path));
	for (u64 *a = argv; *a; a++)
		MUST(strlen((const char *)*a) < 5000);
	executed++;
	return -E2BIG;
}

long fake_sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct kernel_stat *st = (struct kernel_stat *)c;
	struct input *text;
	s32 file;
	u64 n;

	(void)f;
	switch (nr) {
	case __NR_newfstatat:
		file = resolve((s32)a, (const char *)b);
		if (file >= 0)
			st->mode = files[file].mode;
		return file < 0 ? file : 0;
	case __NR_faccessat2:
	case __NR_faccessat:
		file = resolve((s32)a, (const char *)b);
		return file < 0 ? file : (files[file].mode & 0111) ? 0 : -EACCES;
	case __NR_openat:
		MUST((b == 0 || ((const char *)b)[0]) && (c & 02000000));
		return new_fd(find((const char *)b));
	case __NR_open:
		return new_fd(file_of(strtoul((const char *)a + 14, NULL, 10)));
	case __NR_fcntl:
		if (b == 1 /* F_GETFD */)
			return a < file_count ? (long)(a & 1) : -EBADF;
		if (b == 3 /* F_GETFL */)
			return files[file_of(a)].mode & 0200 ? 010000000 : 0;
		return a >= FD_FIRST || a < file_count ? new_fd(file_of(a)) : -EBADF;
	case __NR_close:
		(void)file_of(a);
		MUST(a >= FD_FIRST);
		fd_file[a - FD_FIRST] = -1;
		open_count--;
		return 0;
	case __NR_pread64:
		text = &files[file_of(a)].text;
		n = d < text->left ? text->left - d : 0;
		n = n < c ? n : c;
		if (n)
			memcpy((void *)b, text->at + d, n);
		return (long)n;
	case __NR_execveat:
		return check_execve((s32)a, (u64 *)c, (u64 *)d, e);
	case __NR_mmap:
		return (long)malloc(b);
	case __NR_munmap:
		free((void *)a);
		return 0;
	default:
		return 0;
	}
}

void *fake_memset(void *to, int byte, size_t size)
{
	return (memset)(to, byte, size);
}

/* The ELF checker has a target of its own: here ELF is what begins as ELF does. */
int elf_check(int fd, const u8 *head, u64 size, u8 *work)
{
	(void)file_of((u64)fd);
	(memset)(work, 0x55, ELF_WORK_SIZE);
	return size >= 4 && !memcmp(head, "\177ELF", 4) ? 0 : -ENOEXEC;
}

/* The guest's memory ends behind its argv: counting must not fail where only a chunk does not fit. */
static u64 guest_memory[48];

int guest_read(void *to, u64 from, u64 size)
{
	if (from < (u64)guest_memory || from + size > (u64)guest_memory + sizeof(guest_memory))
		return -EFAULT;
	memcpy(to, (const void *)from, size);
	return 0;
}

long guest_read_string(char *to, u64 from, u64 size)
{
	size_t n = strlen((const char *)from);

	if (n >= size)
		return -ENAMETOOLONG;
	memcpy(to, (const char *)from, n + 1);
	return (long)n;
}

long exe_link_target(const char *path, char *out, char *work, u64 work_size)
{
	(void)out;
	(memset)(work, 0x55, work_size);
	return strcmp(path, "/proc/self/exe") ? -ESRCH : -ENOENT;
}

long filter_hand_over(s32 *ret_fd)
{
	(void)ret_fd;
	return 0;
}

bool signal_shadow(void)
{
	return false;
}

void signal_before_exec(void)
{
}

void signal_after_failed_exec(void)
{
}

void member_exec(s32 member, enum member_state state)
{
	(void)member, (void)state;
}

int member_peek(void)
{
	return -ESRCH;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 *argv = &guest_memory[45], *envp = &guest_memory[0];
	struct input in = { data, size };
	u64 flags = input_number(&in, 1);
	s32 dirfd = (s32)input_number(&in, 1);
	char path[5000];
	long r;

	if (!the_slot) {
		the_slot = aligned_alloc(SLOT_SIZE, SLOT_SIZE);
		fake_private = aligned_alloc(4096, ALIGN_UP(sizeof(*fake_private), 4096));
		fake_commons = calloc(1, sizeof(*fake_commons));
		(memset)(fake_private, 0, sizeof(*fake_private));
		fake_private->reserved_fds[RESERVED_AGENT] = 1023;
		fake_private->reserved_fds[RESERVED_COMMONS] = 1022;
		fake_private->reserved_fds[RESERVED_BROKER] = 1021;
	}
	the_slot->trap.slot = 0;
	argv[0] = (u64) "zero";
	argv[1] = (u64) "one";
	input_line(&in, path, sizeof(path));
	file_count = (u32)input_number(&in, 1) % (FILES + 1);
	for (u32 i = 0; i < file_count; i++) {
		input_line(&in, files[i].name, sizeof(files[i].name));
		files[i].mode = (u32)input_number(&in, 2);
		files[i].text = input_take(&in, input_number(&in, 2));
	}
	open_count = 0;
	executed = 0;
	(memset)(fd_file, 0xff, sizeof(fd_file));
	r = exec_program((flags & 1) ? -100 : dirfd, (u64)path, (flags & 2) ? 0 : (u64)argv, (u64)envp,
			 (int)((flags & 4 ? 0x1000 : 0) | (flags & 8 ? 0x100 : 0) | (flags & 16 ? 1 : 0)), 0);
	MUST(r < 0 && r > -4096 && open_count == 0 && (executed == 1) == (r == -E2BIG));
	return 0;
}
