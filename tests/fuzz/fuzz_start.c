/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The marker parser of start.c, and what hides the marker again: input is the text of the last environment string. What is accepted
 * must point into it; all else must end in agent_die().
 */
#include <setjmp.h>

#include "agent/start.c" // NOLINT(bugprone-suspicious-include): its parsers are static
#include "fuzz.h"
#include "no_tree.h"

static jmp_buf died;
const char agent_end[1];

void agent_die(const char *what, long value)
{
	(void)what, (void)value;
	longjmp(died, 1);
}

long fake_sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	(void)nr, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
	return -ENOSYS;
}

void *fake_memset(void *to, int byte, size_t size)
{
	return (memset)(to, byte, size);
}

/* The rest of start.c is not run here. */
int elf_load(int fd, struct elf_image *program, struct elf_image *interpreter, u8 *work, bool *exec_stack)
{
	(void)fd, (void)program, (void)interpreter, (void)work, (void)exec_stack;
	return -ENOSYS;
}

long exec_program(s32 dirfd, u64 path, u64 argv, u64 envp, int flags, u64 mask)
{
	(void)dirfd, (void)path, (void)argv, (void)envp, (void)flags, (void)mask;
	return -ENOSYS;
}

int exec_in_place(const char *path)
{
	(void)path;
	return -EAGAIN;
}

void events(enum agent_event event, long arg)
{
	(void)event, (void)arg;
}

void task_start(enum task_word kind, u32 word)
{
	(void)kind, (void)word;
}

void fs_mount_groups(void)
{
}

void filter_start(u32 word, s32 fd)
{
	(void)word, (void)fd;
}

void view_start(u32 word)
{
	(void)word;
}

void member_start(s32 member)
{
	(void)member;
}

void signal_start(u64 inherited_mask, bool sigsys_blocked)
{
	(void)inherited_mask, (void)sigsys_blocked;
}

void trace_exec(const char *path, char *const *argv)
{
	(void)path, (void)argv;
}

u64 vdso_find(u64 base, const char *name)
{
	(void)base, (void)name;
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = malloc(size + 1), other[] = "A=B";
	u64 stack[] = { 1, (u64)other, 0, (u64)other, (u64)text, 0, AT_PAGESZ, 4096, AT_ENTRY, 1, AT_NULL, 0, 77 };
	struct start_info info;

	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	if (setjmp(died) == 0) {
		const char *end = text + strlen(text);

		read_start(&info, stack);
		MUST(info.argc == 1 && info.envc == 2 && info.marker_text == text && info.auxv == (void *)&stack[6]);
		MUST(info.marker.path > text && info.marker.path <= end && info.marker.name >= info.marker.path &&
		     info.marker.name <= end);
		hide_marker(&info);
		MUST(info.envc == 1 && !info.envp[1] && *aux(&info, AT_ENTRY) == 1 && stack[12] == 77);
		set_aux(&info, AT_PAGESZ, 1);
		MUST(*aux(&info, AT_PAGESZ) == 1);
	}
	free(text);
	return 0;
}
