/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a trapped system call.
 *
 *   guest: syscall ─ filter says TRAP ─ SIGSYS frame on the guest's (alternate) stack ─ agent_sigsys takes a slot ─ trap_main()
 *   trap_main: filters of the guest's own judge it (guest_filter.c); then virtual files (vfs.h), the cell's own tree (fs.h), the gaps in the order of
 *   gaps.def, the engine: the first that answers CALL_DONE ends it
 *     CALL_DONE → the result goes into the frame's rax, rt_sigreturn
 *     all PASS  → the frame is pointed at agent_pass, rt_sigreturn: the guest itself executes the call, from trusted text
 *
 * While trap_main runs, every signal is blocked but SIGSEGV and SIGBUS, which guest_*() need. Nothing here outlives the trap but
 * what it wrote into struct private, the commons and the frame.
 */
#include "agent/engine.h"
#include "agent/fs.h"
#include "agent/fs_quota.h"
#include "agent/vfs.h"

#define SYS_SECCOMP 1
#define AUDIT_ARCH_X86_64 0xc000003eu

#define GAP_LISTED(name)

void events(enum agent_event event, long arg)
{
#define GAP_BUILT(name)                               \
	if (commons()->emulated & (1u << GAP_##name)) \
		name##_event(event, arg);
#include "gaps/gaps.def"
#undef GAP_BUILT
}

void member_reap_all(int member)
{
#define GAP_BUILT(name)                               \
	if (commons()->emulated & (1u << GAP_##name)) \
		name##_member_reap(member);
#include "gaps/gaps.def"
#undef GAP_BUILT
}

/* Numbers of processes; then virtual files, whatever gap they are of; then, in a cell with a tree of its own, every other path. */
static enum verdict dispatch(struct call *call)
{
	if (pids_on() && pids_dispatch(call) == CALL_DONE)
		return CALL_DONE;
	if (commons()->paths && vfs_dispatch(call) == CALL_DONE)
		return CALL_DONE;
	if (fs_on() && (fs_dispatch(call) == CALL_DONE || call->edited)) /* edited: the guest makes what is left of it */
		return call->edited ? CALL_PASS : CALL_DONE;
	if (UNLIKELY(fs_quota_on()) && quota_dispatch(call) == CALL_DONE)
		return CALL_DONE;
#define GAP_BUILT(name)                                                                       \
	if ((commons()->emulated & (1u << GAP_##name)) && name##_dispatch(call) == CALL_DONE) \
		return CALL_DONE;
#include "gaps/gaps.def"
#undef GAP_BUILT
	return engine_dispatch(call);
}

u64 trap_free_stack(const struct trap *trap)
{
	u64 sp = trap->context->regs.sp;

	if (trap->frame < sp && sp - trap->frame < 0x10000)
		return ALIGN_DOWN(trap->frame, 16);
	return ALIGN_DOWN(sp - 128, 16);
}

/* Where the guest makes the call. */
static const char *pass_entry(const struct call *call, bool edited)
{
	if (UNLIKELY(call->judged) && !edited)
		return agent_pass_judged;
	if (!commons()->trace && !call->reported)
		return edited ? agent_pass_edited : agent_pass;
	if (call->reported || trace_wants_result(call))
		return edited ? agent_pass_reported_edited : agent_pass_reported;
	return edited ? agent_pass_traced_edited : agent_pass_traced;
}

/* Whether the call takes away the memory at `at`: a thread that ends itself without libc's help (musl's detached threads). */
static bool unmaps(const struct call *call, u64 at)
{
	return call->nr == __NR_munmap && at >= call->arg[0] && at - call->arg[0] < call->arg[1];
}

/* A slot of its own for a call that leaves no stack to come back to: its stack pointer, with room for a signal below; 0 = none free. */
static u64 offstack(struct left *left)
{
	struct private *p = private();

	for (u32 i = 0; i < SLOTS_MAX; i++) {
		struct left *at = (struct left *)(PRIVATE_POOL + (i + 1) * SLOT_SIZE) - 1;

		if (p->slot_busy[i] || __atomic_exchange_n(&p->slot_busy[i], 1, __ATOMIC_ACQUIRE))
			continue;
		left->args[0] = (u64)&p->slot_busy[i];
		*at = *left;
		return (u64)at;
	}
	return 0;
}

/* Writes what a passed-on call finds behind it; a light one writes it itself, over the frame (entry.S): then whether it can. */
static bool leave(const struct trap *trap, const struct left *left, u64 at, u64 size, bool light)
{
	if (!light)
		return guest_write(at, left, size) == 0;
	return (at >= trap->frame && at - trap->frame < 0x10000) || guest_write(at, left, size) == 0;
}

/* Points the frame at agent_pass, so that the guest executes the call itself. Arguments that a handler edited are put back behind it. */
static void trap_pass(struct trap *trap, struct call *call)
{
	struct registers *regs = &trap->context->regs;
	struct left left = { .sp = regs->sp,
			     .ip = regs->ip,
			     .nr = (u64)(u32)trap->info->syscall,
			     .args = { regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9 } };
	bool edited = call->edited || memcmp(left.args, call->arg, sizeof(left.args)) != 0;
	bool reported = commons()->trace || call->reported || call->judged, light = reported && !edited && !call->judged;
	const char *entry = pass_entry(call, edited);
	u64 size = edited ? sizeof(left) : reported ? offsetof(struct left, args) : offsetof(struct left, nr);
	u64 at = (light ? regs->sp - 128 : trap_free_stack(trap)) - ALIGN_UP(size, 16);

	if (call->edited) {
		memcpy(left.extra, call->extra, sizeof(left.extra));
		call->arg[call->edited - 1] = at + offsetof(struct left, extra);
		if (call->nr == __NR_pselect6)
			left.extra[0] = at + offsetof(struct left, extra[2]);
	}
	if (unmaps(call, at)) {
		u64 elsewhere = offstack(&left);

		if (elsewhere) {
			at = elsewhere;
			entry = agent_pass_offstack;
			light = false;
		}
	} else if (!leave(trap, &left, at, size, light)) { /* no stack left: the one call that the guest cannot be asked to make */
		regs->ax = (u64)agent_reissue(call->nr, call->arg);
		if (commons()->trace)
			trace_result((long)left.nr, left.args, (long)regs->ax);
		return;
	}
	if (light) {
		regs->cx = left.ip;
		regs->r11 = left.nr;
	} else {
		regs->sp = at;
	}
	regs->ip = (u64)entry;
	regs->ax = (u64)call->nr;
	regs->di = call->arg[0];
	regs->si = call->arg[1];
	regs->dx = call->arg[2];
	regs->r10 = call->arg[3];
	regs->r8 = call->arg[4];
	regs->r9 = call->arg[5];
}

/*
 * gVisor may deliver an asynchronous signal before the SIGSYS of the call that it interrupted: our frame then lies on the first
 * instruction of that signal's thunk, and the call's own registers in the thunk's frame (several such frames nest). The call
 * has not begun: let it be made, and trap, once the handlers have returned. True when that is so and arranged.
 */
#define NESTED_MAX 64
static bool call_later(const struct trap *trap)
{
	struct registers regs = trap->context->regs;
	u64 ip_at = 0;

	for (int i = 0; i < NESTED_MAX && regs.ip != trap->info->call_addr; i++) {
		u64 inner = regs.sp + 8; /* a thunk's stack pointer is its frame: return address, context */

		if (!text_holds(regs.ip, agent_thunks, agent_thunk_slow) ||
		    guest_read(&regs, inner + offsetof(struct context, regs), sizeof(regs)) < 0)
			return false;
		ip_at = inner + offsetof(struct context, regs.ip);
	}
	regs.ip -= SYSCALL_SIZE;
	return ip_at && guest_write(ip_at, &regs.ip, sizeof(regs.ip)) == 0;
}

/* A call that a listener lets continue: back to the guest's own instruction, and answered as if there were no filter. */
static void continue_call(struct trap *trap, struct call *call, const struct left *left)
{
	struct registers *regs = &trap->context->regs;

	regs->cx = regs->ip = left->ip;
	regs->sp = left->sp;
	trap->info->syscall = (s32)left->nr;
	call->nr = (long)left->nr;
	if (dispatch(call) == CALL_DONE)
		regs->ax = (u64)call->ret;
	else
		trap_pass(trap, call);
}

/* A passed-on call has shown its result: notes it, and lets the guest go on as behind its own instruction. */
static void report(struct trap *trap, struct call *call)
{
	struct registers *regs = &trap->context->regs;
	struct left left;

	if (regs->ip != (u64)agent_report_trapped || guest_read(&left, regs->sp, offsetof(struct left, args)) < 0) {
		regs->ax = (u64)-ENOSYS; /* the guest's own: there is no such call */
		return;
	}
	if ((long)left.result == NOTIF_CONTINUED) {
		continue_call(trap, call, &left);
		return;
	}
	if (fs_on())
		fs_reported((long)left.nr, call->arg, (long)left.result);
	if (commons()->trace)
		trace_result((long)left.nr, call->arg, (long)left.result);
	regs->ax = left.result;
	regs->cx = regs->ip = left.ip;
	regs->sp = left.sp;
}

/* The guest goes on behind its call, or makes it again. */
static void done(struct trap *trap, const struct call *call)
{
	struct registers *regs = &trap->context->regs;

	if (LIKELY(!call->again)) {
		regs->ax = (u64)call->ret;
		return;
	}
	regs->ax = (u64)(u32)trap->info->syscall;
	regs->ip -= SYSCALL_SIZE;
}

/* The way of a call whose result is to be noted. */
static void observe(struct trap *trap, struct call *call, enum judgement judged)
{
	const struct registers *regs = &trap->context->regs;
	u64 args[6] = { regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9 };

	if (call->nr == TRACE_REPORT_NR) {
		report(trap, call);
		return;
	}
	trace_before(call);
	if (judged == JUDGED_KERNELS) {
		trap_pass(trap, call);
	} else if (judged == JUDGED_ANSWERED || dispatch(call) == CALL_DONE) {
		done(trap, call);
		if (!call->again)
			trace_result(trap->info->syscall, args, call->ret);
	} else {
		trap_pass(trap, call);
	}
}

NORETURN void agent_overwritten(void)
{
	agent_die("the guest has overwritten the agent's memory", 0);
}

u64 trap_main(int sig, struct siginfo *info, struct context *context, u64 slot, u64 frame)
{
	struct trap *trap = &slot_current()->trap;
	struct registers *regs = &context->regs;
	enum judgement judged = JUDGED_ALLOWED;
	struct call call;

	*trap = (struct trap){ .context = context, .info = info, .frame = frame, .slot = slot };
	if (private()->magic != PRIVATE_MAGIC || commons()->magic != COMMONS_MAGIC)
		agent_overwritten();
	if (UNLIKELY(sig == SIGPIPE_))
		return signal_sigpipe(trap);
	if (info->code != SYS_SECCOMP || info->error != SECCOMP_COOKIE || info->arch != AUDIT_ARCH_X86_64)
		return signal_sigsys(trap);
	if (UNLIKELY(info->call_addr != regs->ip) && call_later(trap))
		return 0;

	call = (struct call){ .nr = info->syscall,
			      .arg = { regs->di, regs->si, regs->dx, regs->r10, regs->r8, regs->r9 },
			      .trap = trap };
	if (UNLIKELY(__atomic_load_n(&private()->filtered, __ATOMIC_ACQUIRE)))
		judged = filter_judge(&call);
	call.judged |= judged == JUDGED_KERNELS;
	if (judged == JUDGED_TRAPPED)
		return signal_sigsys(trap);
	if (commons()->trace)
		observe(trap, &call, judged);
	else if (call.nr == TRACE_REPORT_NR)
		report(trap, &call);
	else if (judged == JUDGED_ANSWERED || (judged == JUDGED_ALLOWED && dispatch(&call) == CALL_DONE))
		done(trap, &call);
	else
		trap_pass(trap, &call);
	context->sigmask &= ~SIGSYS_BIT;
	return 0;
}
