/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest memory. The copying instructions are a fixed range (entry.S); when one faults, SIGSEGV or SIGBUS reaches a thunk, which finds
 * the interrupted pc inside the range and resumes at the fix-up. They run on the guest's frame stack, so that the fault's own frame
 * nests where a signal of the guest would. A guest that has SIGSEGV blocked would be killed by the fault: unblock it first.
 */
#include "agent/engine.h"

static u64 fault_ready(void)
{
	struct trap *trap = &slot_current()->trap;

	if (UNLIKELY(!trap->fault_ready)) {
		u64 bits = FAULT_BITS;

		if (trap->context->sigmask & FAULT_BITS)
			(void)sys4(__NR_rt_sigprocmask, 1 /* SIG_UNBLOCK */, &bits, 0, 8);
		trap->fault_ready = 1;
	}
	return trap->frame;
}

int guest_read(void *to, u64 from, u64 size)
{
	return (int)agent_copy(to, (const void *)from, size, fault_ready());
}

int guest_write(u64 to, const void *from, u64 size)
{
	return (int)agent_copy((void *)to, from, size, fault_ready());
}

long guest_read_string(char *to, u64 from, u64 size)
{
	return agent_copy_string(to, (const char *)from, size, fault_ready());
}

static bool overlaps(u64 at, u64 size, u64 from, u64 length)
{
	return at < from + length && from < at + size;
}

/* munmap, mprotect, mremap of the agent's memory: EPERM, as for memory sealed by mseal(2). A range that begins below it and reaches
 * over it is not seen by the filter. */
enum verdict engine_protected(struct call *call)
{
	u64 at = call->arg[0], size = call->arg[1];

	if (!overlaps(at, size, LAYOUT_TEXT, ALIGN_UP((u64)agent_end, LAYOUT_PAGE) - LAYOUT_TEXT) &&
	    !overlaps(at, size, LAYOUT_PRIVATE, PRIVATE_SIZE) && !overlaps(at, size, LAYOUT_COMMONS, commons()->mapped) &&
	    !overlaps(at, size, LAYOUT_EXE, LAYOUT_PAGE))
		return CALL_PASS;
	call->ret = -EPERM;
	return CALL_DONE;
}

/* Only a fixed mapping replaces what is there. */
enum verdict engine_protected_mmap(struct call *call)
{
	return (call->arg[3] & 0x10 /* MAP_FIXED */) ? engine_protected(call) : CALL_PASS;
}
