/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters that a guest installs (OpenSSH, Chromium, runc). The kernel evaluates them, with one change: a prelude lets through what the
 * agent itself does (its text outside the pass range). Calls that the agent makes on the guest's behalf come from the pass range
 * and are judged by the guest's filter as its own, errno, kill and trap included.
 *
 * Deviations: execve is made as execveat by the agent, and calls that a gap emulates are not made at all: the guest's filter does not
 * see those. A filter longer than 4,090 instructions is EINVAL (the kernel's limit is 4,096).
 */
#include "agent/engine.h"

#define SECCOMP_SET_MODE_FILTER_ 1
#define SECCOMP_MODE_FILTER_ 2
#define PRELUDE 6u
#define FILTER_MAX 4090u
#define LD_ABS 0x20
#define JEQ 0x15
#define JGE 0x35
#define RET_K 0x06
#define RET_ALLOW 0x7fff0000u

struct insn { /* struct sock_filter */
	u16 code;
	u8 jt, jf;
	u32 k;
};

struct program { /* struct sock_fprog */
	u16 len;
	u8 pad[6];
	u64 filter;
};

/* Copies the guest's program behind the prelude into the slot's scratch. 0 or negative errno. */
static int with_prelude(u64 from, struct program *program)
{
	struct insn *insn = (struct insn *)(void *)slot_current()->scratch;
	u32 first = (u32)((u64)agent_pass_end - LAYOUT_TEXT), end = (u32)((u64)agent_end - LAYOUT_TEXT);

	if (guest_read(program, from, sizeof(*program)) < 0)
		return -EFAULT;
	if (program->len == 0 || program->len > FILTER_MAX)
		return -EINVAL;
	insn[0] = (struct insn){ LD_ABS, 0, 0, 12 }; /* instruction pointer, high half */
	insn[1] = (struct insn){ JEQ, 0, 4, (u32)(LAYOUT_TEXT >> 32) };
	insn[2] = (struct insn){ LD_ABS, 0, 0, 8 };
	insn[3] = (struct insn){ JGE, 2, 0, end };
	insn[4] = (struct insn){ JGE, 0, 1, first };
	insn[5] = (struct insn){ RET_K, 0, 0, RET_ALLOW };
	if (guest_read(insn + PRELUDE, program->filter, program->len * sizeof(*insn)) < 0)
		return -EFAULT;
	program->len = (u16)(program->len + PRELUDE);
	program->filter = (u64)insn;
	return 0;
}
static_assert((PRELUDE + FILTER_MAX) * sizeof(struct insn) <= SLOT_SCRATCH, "fits a slot");

static enum verdict install(struct call *call, u32 arg)
{
	struct program program;

	call->ret = with_prelude(call->arg[arg], &program);
	if (call->ret == 0) {
		call->arg[arg] = (u64)&program;
		call->ret = agent_reissue(call->nr, call->arg);
	}
	return CALL_DONE;
}

enum verdict engine_seccomp(struct call *call)
{
	return (u32)call->arg[0] == SECCOMP_SET_MODE_FILTER_ ? install(call, 2) : CALL_PASS;
}

enum verdict engine_prctl_seccomp(struct call *call)
{
	return call->arg[1] == SECCOMP_MODE_FILTER_ ? install(call, 2) : CALL_PASS;
}
