/* SPDX-License-Identifier: Apache-2.0 */
/* Raw host system calls from the agent's text (syscall(2), x86-64 calling convention). Results are the kernel's: negative errno. */
#ifndef LICHEN_AGENT_X86_64_SYS_H
#define LICHEN_AGENT_X86_64_SYS_H

#include "base/types.h"

static inline long sys6(long nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	long ret;
	register u64 r10 __asm__("r10") = d;
	register u64 r8 __asm__("r8") = e;
	register u64 r9 __asm__("r9") = f;
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

/* Pads with zeros, so that a call is written with the arguments it has. Pointers and integers alike. */
#define SYS_ARG(x) ((u64)(x))
#define sys0(nr) sys6((nr), 0, 0, 0, 0, 0, 0)
#define sys1(nr, a) sys6((nr), SYS_ARG(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b) sys6((nr), SYS_ARG(a), SYS_ARG(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) sys6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), 0, 0, 0)
#define sys4(nr, a, b, c, d) sys6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), 0, 0)
#define sys5(nr, a, b, c, d, e) sys6((nr), SYS_ARG(a), SYS_ARG(b), SYS_ARG(c), SYS_ARG(d), SYS_ARG(e), 0)

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
