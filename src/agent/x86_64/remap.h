/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maps a file through a descriptor that this process never has. Closing any descriptor of the commons file would drop the POSIX
 * lock by which the process is known to live (abi/commons.h). So a child that shares our memory, but has its own copy of the
 * descriptor table, opens the file, maps it into our address space, and ends. We sleep meanwhile, as after vfork.
 */
#ifndef LICHEN_AGENT_X86_64_REMAP_H
#define LICHEN_AGENT_X86_64_REMAP_H

#include <assert.h>
#include <stddef.h>

#include "agent/x86_64/sys.h"

struct remap {
	long result; /* mmap's address, or negative errno of open or mmap */
	const char *path;
	u64 open_flags;
	u64 address, size, prot, flags, offset; /* mmap's */
};
static_assert(offsetof(struct remap, open_flags) == 16 && offsetof(struct remap, offset) == 56, "the assembly below");

/* Does what *remap says. Returns 0 when result is set, or the negative errno of clone. All signals must be blocked. */
static inline long sys_remap(struct remap *remap)
{
	long pid;
	__asm__ volatile("mov $0x804100, %%edi\n\t" /* CLONE_VM | CLONE_VFORK | CLONE_UNTRACED, no signal at its end */
			 "xor %%esi, %%esi\n\t"     /* on our stack, which it does not touch */
			 "xor %%edx, %%edx\n\t"
			 "xor %%r10d, %%r10d\n\t"
			 "xor %%r8d, %%r8d\n\t"
			 "mov $56, %%eax\n\t" /* clone */
			 "syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 2f\n\t"
			 "mov 8(%%rbx), %%rdi\n\t"
			 "mov 16(%%rbx), %%rsi\n\t"
			 "mov $2, %%eax\n\t" /* open */
			 "syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "js 1f\n\t"
			 "mov %%rax, %%r8\n\t"
			 "mov 24(%%rbx), %%rdi\n\t"
			 "mov 32(%%rbx), %%rsi\n\t"
			 "mov 40(%%rbx), %%rdx\n\t"
			 "mov 48(%%rbx), %%r10\n\t"
			 "mov 56(%%rbx), %%r9\n\t"
			 "mov $9, %%eax\n\t" /* mmap */
			 "syscall\n"
			 "1:\n\t"
			 "mov %%rax, (%%rbx)\n\t"
			 "xor %%edi, %%edi\n\t"
			 "mov $60, %%eax\n\t" /* exit */
			 "syscall\n\t"
			 "ud2\n"
			 "2:"
			 : "=a"(pid)
			 : "b"(remap)
			 : "rdi", "rsi", "rdx", "r8", "r9", "r10", "rcx", "r11", "memory");
	if (pid < 0)
		return pid;
	(void)sys4(61 /* wait4 */, pid, 0, 0x40000000 /* __WALL */, 0);
	return 0;
}

#endif
