/* SPDX-License-Identifier: Apache-2.0 */
/* sigaltstack: the frame of a trap, which no guest asked for, must fit on what the guest registers. */
#include "agent/engine.h"

#define SS_DISABLE_ 2
#define SUBSTITUTE_SIZE 65536u

/* Ours for a guest's stack that is too small to hold the frame of a trap: the same one each time. NULL when there is none. */
static struct altstack *substitute_for(const struct altstack *theirs, bool make)
{
	struct private *p = private();

	for (u32 i = 0; i < SMALL_STACKS_MAX; i++) {
		struct altstack *pair = p->small_stacks[i];
		long at;

		if (pair[0].size == theirs->size && pair[0].sp == theirs->sp)
			return &pair[1];
		if (pair[0].size || !make)
			continue;
		at = sys6(__NR_mmap, 0, SUBSTITUTE_SIZE, 3, 0x22 /* PRIVATE|ANONYMOUS */, (u64)-1, 0);
		if (at < 0)
			return NULL;
		pair[1] = (struct altstack){ .sp = (u64)at, .size = SUBSTITUTE_SIZE };
		pair[0] = *theirs;
		return &pair[1];
	}
	return NULL;
}

/* What the guest believes of an alternate stack that the kernel has. */
static void guest_altstack(struct altstack *stack)
{
	for (u32 i = 0; i < SMALL_STACKS_MAX; i++) {
		const struct altstack *pair = private()->small_stacks[i];

		if (pair[1].size && pair[1].sp == stack->sp) {
			stack->sp = pair[0].sp;
			stack->size = pair[0].size;
		}
	}
}

static bool on_stack(const struct altstack *stack, u64 sp)
{
	return stack->size && sp > stack->sp && sp - stack->sp <= stack->size;
}

/* Whether a trap's frame could be written to the stack. */
static bool usable(const struct altstack *stack)
{
	u8 byte;

	return guest_read(&byte, stack->sp + stack->size - 1, 1) == 0 && guest_write(stack->sp + stack->size - 1, &byte, 1) == 0;
}

/* The guest executes it itself, but for one case: a stack that the kernel takes and a trap, which the guest never asked for, could not
 * use (too small, or no memory) is replaced by one of ours. The guest reads back its own. */
enum verdict engine_sigaltstack(struct call *call)
{
	struct context *context = call->trap->context;
	struct altstack new = { 0 }, old = context->stack, *ours = NULL;
	u64 apart = context->regs.sp - call->trap->frame; /* gVisor does not say how large its FP state is: measure */
	u64 size = frame_size(call->trap), needed = 2 * (apart < 16384 && apart > size ? apart : size) + 1024;

	if (call->arg[0] && guest_read(&new, call->arg[0], sizeof(new)) < 0)
		return CALL_PASS;
	if (call->arg[0] && !(new.flags &SS_DISABLE_) && (new.size < needed || !usable(&new)))
		ours = substitute_for(&new, true);
	if (!ours && !private()->small_stacks[0][0].size)
		return CALL_PASS;
	call->ret = 0;
	old.flags = on_stack(&old, context->regs.sp) ? 1 : old.size ? 0 : SS_DISABLE_;
	if (call->arg[0] && old.flags == 1) {
		call->ret = -EPERM;
	} else if (call->arg[0]) {
		call->ret = sys2(__NR_sigaltstack, &new, 0); /* the host says whether it is one */
		if (call->ret == 0 && ours) {
			ours->flags = new.flags;
			new = *ours;
			call->ret = sys2(__NR_sigaltstack, &new, 0);
		}
		if (call->ret == 0) /* rt_sigreturn sets what the frame says */
			context->stack = (new.flags &SS_DISABLE_) ? (struct altstack){ .flags = SS_DISABLE_ } : new;
	}
	guest_altstack(&old);
	if (call->ret == 0 && call->arg[1] && guest_write(call->arg[1], &old, sizeof(old)) < 0)
		call->ret = -EFAULT;
	return CALL_DONE;
}
