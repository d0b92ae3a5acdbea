/* SPDX-License-Identifier: Apache-2.0 */
/* Filters that a process adds to the one of its cell, for calls that only come to the agent once the process has done something that makes them its affair. */
#include "agent/engine.h"

#define LD_ABS 0x20
#define JEQ 0x15
#define JGE 0x35
#define RET_K 0x06
#define RET_ALLOW 0x7fff0000u
#define RET_TRAP 0x00030000u
#define ARCH_X86_64 0xc000003eu
#define SET_MODE_FILTER 1
#define FILTER_TSYNC 1
#define NUMBERS_MAX 24u

struct insn { /* struct sock_filter */
	u16 code;
	u8 jt, jf;
	u32 k;
};

long agent_add_filter(const struct added_filter *added)
{
	struct insn code[NUMBERS_MAX + 13];
	struct {
		u64 length;
		const struct insn *code;
	} program = { 0, code };
	u32 count = added->always_count + added->of_fd_count, n = 0;
	long r;

	if (count > NUMBERS_MAX)
		return -EINVAL;
	code[n++] = (struct insn){ LD_ABS, 0, 0, 4 }; /* arch */
	code[n++] = (struct insn){ JEQ, 0, (u8)(count + 9), ARCH_X86_64 };
	code[n++] = (struct insn){ LD_ABS, 0, 0, 0 };
	for (u32 i = 0; i < added->always_count; i++, n++)
		code[n] = (struct insn){ JEQ, (u8)(count - i + 2), 0, added->always[i] };
	for (u32 i = 0; i < added->of_fd_count; i++, n++)
		code[n] = (struct insn){ JEQ, (u8)(added->of_fd_count - i), 0, added->of_fd[i] };
	code[n++] = (struct insn){ RET_K, 0, 0, RET_ALLOW };
	code[n++] = (struct insn){ LD_ABS, 0, 0, 16 }; /* argument 0, low half */
	code[n++] = (struct insn){ JEQ, 0, 5, added->fd };
	code[n++] = (struct insn){ LD_ABS, 0, 0, 12 }; /* instruction pointer, high half */
	code[n++] = (struct insn){ JEQ, 0, 2, (u32)(LAYOUT_TEXT >> 32) };
	code[n++] = (struct insn){ LD_ABS, 0, 0, 8 };
	code[n++] = (struct insn){ JGE, 0, 1, commons()->text_size };
	code[n++] = (struct insn){ RET_K, 0, 0, RET_TRAP | SECCOMP_COOKIE };
	code[n++] = (struct insn){ RET_K, 0, 0, RET_ALLOW };
	program.length = n;
	r = sys3(__NR_seccomp, SET_MODE_FILTER, FILTER_TSYNC, &program);
	return r > 0 ? sys3(__NR_seccomp, SET_MODE_FILTER, 0, &program) : r; /* threads with filters of their own: this one alone */
}
