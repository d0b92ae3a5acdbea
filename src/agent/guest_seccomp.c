/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prctl(2) and seccomp(2) of a guest that confines itself (OpenSSH, Chromium, runc): what it installs holds for the calls it makes, all of them.
 *
 *   A call that comes to the agent is judged by the agent, with the guest's own registers, before anybody answers or changes it (guest_filter.c).
 *   All others are judged by the kernel, which gets the program too, with an exemption for what the agent itself does (cbpf_exempt()): its
 *   text, but for one instruction. There it makes calls that only the kernel can do justice (JUDGED_KERNELS).
 *
 * This is the engine's and no gap's: wherever calls are trapped at all, guests need it, and where nothing is filled the kernel does all of it.
 *
 * Strict mode is a filter that brings every call but the four to the agent. no_new_privs is always set for the kernel; what the guest set is remembered,
 * since it decides who may install a filter.
 *
 * Deviations: a filter longer than 4,089 instructions is EINVAL (the kernel's limit is 4,096), and the exemption counts among the 32,768 that a task may
 * have. SECCOMP_RET_LOG is not logged for calls that the agent answers. A tracer is told of SECCOMP_RET_TRACE for calls that the kernel makes, not for
 * those that the agent answers. SECCOMP_RET_USER_NOTIF: guest_notify.c; in a cell without a tree of its own, calls that only the agent can make (processes,
 * execve, signals) are ENOSYS, as without a listener, and what is continued is done by the kernel as it was asked for.
 * Code that jumps into the agent's text is not judged (emulation is no boundary: README).
 */
#include "agent/cbpf.h"
#include "agent/engine.h"

enum {
	PR_GET_SECCOMP_ = 21,
	PR_SET_SECCOMP_ = 22,
	PR_SET_NO_NEW_PRIVS_ = 38,
	PR_GET_NO_NEW_PRIVS_ = 39,
};
enum { SET_MODE_STRICT, SET_MODE_FILTER };
enum { MODE_STRICT = 1, MODE_FILTER = 2 };
#define FLAG_TSYNC UINT64_C(1)
#define FLAG_TSYNC_ESRCH UINT64_C(16)

#define LD_ABS 0x20
#define JEQ 0x15
#define JGE 0x35
#define RET_K 0x06
#define DATA_NR 0

struct program { /* struct sock_fprog */
	u16 len;
	u8 pad[6];
	u64 filter;
};

/* Installs a program of the agent's or the guest's, with the exemption, as the guest asked for it. What the kernel answers. */
static long install(const struct call *call, const struct cbpf_insn *from, u32 length)
{
	struct cbpf_insn *insn = (struct cbpf_insn *)(void *)slot_current()->scratch;
	const struct cbpf_trusted agent = { .text = LAYOUT_TEXT,
					    .size = (u32)((u64)agent_end - LAYOUT_TEXT),
					    .judged = (u32)((u64)agent_pass_judged_done - LAYOUT_TEXT) };
	struct program program = { .len = (u16)cbpf_exempt(insn, from, length, &agent), .filter = (u64)insn };

	if (call->nr == __NR_seccomp)
		return sys3(__NR_seccomp, SET_MODE_FILTER, call->arg[1], &program);
	return sys5(__NR_prctl, PR_SET_SECCOMP_, MODE_FILTER, &program, 0, 0);
}
static_assert(CBPF_INSNS_MAX * sizeof(struct cbpf_insn) <= SLOT_SCRATCH, "fits a slot");

static bool may_install(void)
{
	struct agent_creds creds;

	agent_creds_get(&creds);
	return creds.no_new_privs || creds.cap_sys_admin;
}

/* What the kernel says of flags, before it looks at anything else: 0, -EINVAL. */
static long check_flags(const struct call *call)
{
	return call->nr == __NR_seccomp && sys3(__NR_seccomp, SET_MODE_FILTER, call->arg[1], 0) == -EINVAL ? -EINVAL : 0;
}

static long set_filter(const struct call *call, u64 from)
{
	u64 flags = call->nr == __NR_seccomp ? call->arg[1] : 0;
	struct program program;
	long kept, r = check_flags(call);
	bool failed;

	if (r == 0 && guest_read(&program, from, sizeof(program)) < 0)
		r = -EFAULT;
	if (r < 0)
		return r;
	if (program.len == 0 || program.len > CBPF_EXEMPTED_MAX)
		return -EINVAL;
	if (!may_install())
		return -EACCES;
	if (!program.filter)
		return -EINVAL;
	kept = filter_keep(program.filter, program.len);
	if (kept < 0)
		return kept;
	r = install(call, filter_program(kept), program.len);
	failed = r < 0 || (r > 0 && (flags & FLAG_TSYNC) && !(flags & FLAG_TSYNC_ESRCH));
	if (failed)
		filter_drop(kept);
	else
		filter_use(kept, flags & FLAG_TSYNC);
	return failed && r > 0 ? pids_on() ? pids_to_guest((s32)r) : r : r;
}

static bool has_mode(void)
{
	return filter_count() || commons()->outer.seccomp;
}

/* read, write, exit, rt_sigreturn; all others come to filter_judge(). */
static long set_strict(const struct call *call)
{
	static const struct cbpf_insn strict[] = {
		{ LD_ABS, 0, 0, DATA_NR },
		{ JEQ, 3, 0, __NR_read },
		{ JEQ, 2, 0, __NR_write },
		{ JEQ, 1, 0, __NR_exit },
		{ JEQ, 0, 1, __NR_rt_sigreturn },
		{ RET_K, 0, 0, SECCOMP_RET_ALLOW_ },
		{ RET_K, 0, 0, SECCOMP_RET_TRAP_ | SECCOMP_COOKIE },
	};
	struct call plain = { .nr = call->nr };
	long r;

	if (has_mode())
		return -EINVAL;
	r = install(&plain, strict, ARRAY_SIZE(strict));
	if (r < 0)
		return r;
	__atomic_store_n(&private()->filtered, 1, __ATOMIC_RELEASE);
	task_word_set_own(TASK_SECCOMP, task_word(TASK_SECCOMP) | SECCOMP_STRICT);
	if (identity_on())
		identity_filtered(0, true);
	return 0;
}

static enum verdict done(struct call *call, long ret)
{
	call->ret = ret;
	return CALL_DONE;
}

enum verdict engine_seccomp(struct call *call)
{
	switch ((u32)call->arg[0]) {
	case SET_MODE_STRICT:
		return done(call, (u32)call->arg[1] || call->arg[2] ? -EINVAL : set_strict(call));
	case SET_MODE_FILTER:
		return done(call, set_filter(call, call->arg[2]));
	default:
		return CALL_PASS; /* SECCOMP_GET_ACTION_AVAIL, SECCOMP_GET_NOTIF_SIZES */
	}
}

static long no_new_privs(const u64 *arg)
{
	bool get = (s32)arg[0] == PR_GET_NO_NEW_PRIVS_;
	struct agent_creds creds;

	if (arg[1] != (get ? 0 : 1) || arg[2] || arg[3] || arg[4])
		return -EINVAL;
	if (!get) {
		task_word_set_own(TASK_SECCOMP, task_word(TASK_SECCOMP) | SECCOMP_NO_PRIVS);
		return 0;
	}
	agent_creds_get(&creds);
	return creds.no_new_privs;
}

/* Where gap identity is filled, no_new_privs does not come here. */
enum verdict engine_prctl(struct call *call)
{
	switch ((s32)call->arg[0]) {
	case PR_GET_SECCOMP_:
		return done(call, has_mode() ? MODE_FILTER : 0);
	case PR_SET_SECCOMP_:
		if (call->arg[1] == MODE_STRICT)
			return done(call, set_strict(call));
		return done(call, call->arg[1] == MODE_FILTER ? set_filter(call, call->arg[2]) : -EINVAL);
	default:
		return done(call, no_new_privs(call->arg));
	}
}
