/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signal frame that the kernel builds on x86-64 (arch/x86/include/uapi/asm/{ucontext,sigcontext}.h), by the offsets that
 * entry.S uses too. The uapi headers themselves define struct names that clash with each other when freestanding.
 */
#ifndef LICHEN_AGENT_X86_64_CONTEXT_H
#define LICHEN_AGENT_X86_64_CONTEXT_H

#include <assert.h>

#include "base/types.h"

struct altstack { /* stack_t */
	u64 sp;
	s32 flags;
	u32 pad;
	u64 size;
};

struct registers { /* struct sigcontext_64 */
	u64 r8, r9, r10, r11, r12, r13, r14, r15;
	u64 di, si, bp, bx, dx, ax, cx, sp, ip, flags;
	u16 cs, gs, fs, ss;
	u64 err, trapno, oldmask, cr2;
	u64 fpstate; /* address of the FXSAVE/XSAVE image, 64-byte aligned; 0 when there is none */
	u64 reserved[8];
};

struct context { /* struct ucontext */
	u64 flags;
	u64 link;
	struct altstack stack;
	struct registers regs;
	u64 sigmask;
};
static_assert(offsetof(struct context, regs.ip) == 168, "entry.S reads the interrupted pc");
static_assert(offsetof(struct context, sigmask) == 296, "kernel ABI");

struct siginfo { /* siginfo_t: what the agent looks at; 128 bytes in all */
	s32 signo;
	s32 error;
	s32 code;
	s32 pad;
	u64 call_addr; /* SIGSYS: address after the instruction */
	s32 syscall;
	u32 arch;
	u8 rest[128 - 32];
};
static_assert(sizeof(struct siginfo) == 128, "kernel ABI");

/* FXSAVE image: the kernel's software bytes say how large the whole XSAVE image is (struct _fpx_sw_bytes). */
#define FXSAVE_SIZE 512u
#define FXSAVE_SW_BYTES 464u
#define FP_XSTATE_MAGIC1 0x46505853u

#endif
