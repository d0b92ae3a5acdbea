/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trapping filter, generated from engine.def and the .def files of the emulated gaps.
 *
 *   load arch; not x86-64 → allow         load number; binary search → the number's block, or allow
 *                          in a tree: ENOSYS, as are the numbers of x32: nobody would resolve their paths
 *   block: pc in the agent's text → allow; any row's argument test holds → trap with our cookie; else allow
 *
 * Where all calls are recorded, all are planned, see install_tracing(). Numbers that always trap share one block.
 *
 * Calls that are not planned leave by number alone, which kernel and gVisor then cache. Jumps of classic BPF reach 255 instructions,
 * so the search tree ends in unconditional jumps to the blocks, which follow it.
 */
#include "host/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/filter_test.h"
#include "abi/layout.h"
#include "abi/trace.h"
#include "base/types.h"
#include "gaps/registry.h"

#define FILTER_COOKIE 0x4c43u /* SECCOMP_COOKIE of agent/engine.h */
#define ROWS_MAX 1024u
#define CODE_MAX 4096u /* BPF_MAXINSNS */

struct row {
	int nr;
	struct filter_test test;
};

struct leaf { /* of the tree of numbers */
	int nr;
	u32 first, count; /* its rows */
	u32 jump;
};

/* In memory of its own: the stack has no room for it (ulimit -s 64), and free(3) may call brk(2), which the filter may trap. */
struct code {
	struct sock_filter insn[CODE_MAX];
	u32 length;
	bool overflow;
	struct row rows[ROWS_MAX];
	struct leaf leaves[ROWS_MAX];
};

static struct code *code_new(void)
{
	void *code = mmap(NULL, sizeof(struct code), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return code == MAP_FAILED ? NULL : code;
}

static void code_free(struct code *code)
{
	(void)munmap(code, sizeof(*code));
}

static void emit(struct code *code, u16 op, u32 k, u8 jt, u8 jf)
{
	if (code->length == CODE_MAX) {
		code->overflow = true;
		return;
	}
	code->insn[code->length++] = (struct sock_filter){ op, jt, jf, k };
}

static void load(struct code *code, u32 offset)
{
	emit(code, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void ret(struct code *code, u32 action)
{
	emit(code, BPF_RET | BPF_K, action, 0, 0);
}

u32 filter_paths(u32 emulate)
{
	u32 paths = 0;

	for (u32 id = 0; id < GAP_COUNT; id++)
		if (emulate & GAP_BIT(id))
			paths |= gap_by_id(id)->paths;
	return paths;
}

static bool is_planned(int nr, const struct row *rows, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (rows[i].nr == nr)
			return true;
	return false;
}

/* What is recorded of a caged guest, behind the `n` rows that there are: see `unobserved` for what must not trap. Returns their number. */
static u32 collect_refusable(const struct filter_spec *spec, struct row *rows, u32 n)
{
	static const struct {
		int nr;
		struct filter_test test;
		char kinds[8];
	} calls[] = {
#define TRACE_REFUSABLE(name, test_, kinds_) { __NR_##name, test_, kinds_ },
#include "agent/trace_refusable.def"
#undef TRACE_REFUSABLE
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if ((spec->trace_mode & TRACE_HIDDEN) || !strchr(calls[i].kinds, 'L'))
			rows[n++] = (struct row){ calls[i].nr, calls[i].test };
	for (int nr = 0; spec->trace_numbers && nr < 64 * (int)TRACE_NUMBERS_SIZE; nr++)
		if (TRACE_NUMBERS_HAS(spec->trace_numbers, nr) && nr != SYS_exit && nr != SYS_restart_syscall &&
		    !is_planned(nr, rows, n))
			rows[n++] = (struct row){ nr, ALWAYS };
	return n;
}

/* Every row of the engine, of the gaps that are emulated, of pids that are the cell's own, and of a tree of its own. Returns their number. */
static u32 collect(const struct filter_spec *spec, struct row *rows)
{
	u32 emulate = spec->emulate, n = 0;

	(void)emulate;
#define GAP_CALL(name, test_, handler) rows[n++] = (struct row){ __NR_##name, test_ };
#include "agent/engine.def"
#define WHEN(gap) if (emulate & GAP_BIT(GAP_##gap))
	WHEN(namespaces){
#include "gaps/namespaces/namespaces.def"
	} WHEN(processes){
#include "gaps/processes/processes.def"
	} WHEN(sysvipc){
#include "gaps/sysvipc/sysvipc.def"
	} WHEN(sysctl){
#include "gaps/sysctl/sysctl.def"
	} WHEN(devices){
#include "gaps/devices/devices.def"
	} WHEN(cgroup){
#include "gaps/cgroup/cgroup.def"
	} WHEN(newcalls){
#include "gaps/newcalls/newcalls.def"
	} WHEN(fstype){
#include "gaps/fstype/fstype.def"
	} WHEN(identity){
#include "gaps/identity/identity.def"
	} WHEN(keyring){
#include "gaps/keyring/keyring.def"
	} WHEN(xattr)
	{
#include "gaps/xattr/xattr.def"
	}
#undef WHEN
	if (filter_paths(emulate) & GAP_PATHS_OPEN) {
#include "agent/vfs_open.def"
	}
	if (filter_paths(emulate) & GAP_PATHS_STAT) {
#include "agent/vfs_stat.def"
	}
	if (spec->pids) {
#include "gaps/namespaces/pids.def"
	}
	if (spec->tree) {
#include "agent/fs.def"
	}
#undef GAP_CALL
	if (spec->trace && spec->trace_mode != TRACE_EVERYTHING)
		n = collect_refusable(spec, rows, n);
	return n;
}

static int by_number(const void *a, const void *b)
{
	return ((const struct row *)a)->nr - ((const struct row *)b)->nr;
}

static void trap_if_equal(struct code *code, u32 value)
{
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	ret(code, SECCOMP_RET_TRAP | FILTER_COOKIE);
}

#define ARG_LOW(n) ((u32)(offsetof(struct seccomp_data, args) + 8u * (n)))
#define ARG_HIGH(n) (ARG_LOW(n) + 4u)

static void trap_if_reserved(struct code *code, u32 arg, const struct filter_spec *spec)
{
	load(code, ARG_LOW(arg));
	for (u32 i = 0; i < RESERVED_COUNT; i++)
		if (spec->reserved_fds[i] >= 0)
			trap_if_equal(code, (u32)spec->reserved_fds[i]);
}

static u32 reserved_count(const struct filter_spec *spec)
{
	u32 count = 0;

	for (u32 i = 0; i < RESERVED_COUNT; i++)
		count += spec->reserved_fds[i] >= 0;
	return count;
}

static u32 lowest_reserved(const struct filter_spec *spec)
{
	u32 low = UINT32_MAX;

	for (u32 i = 0; i < RESERVED_COUNT; i++)
		if ((u32)spec->reserved_fds[i] < low) /* none is the highest number */
			low = (u32)spec->reserved_fds[i];
	return low;
}

/* Code that traps when the test holds and falls through when not. */
static void emit_test(struct code *code, const struct filter_test *test, const struct filter_spec *spec)
{
	switch (test->kind) {
	case FILTER_ALWAYS:
		ret(code, SECCOMP_RET_TRAP | FILTER_COOKIE);
		break;
	case FILTER_NONZERO:
		load(code, ARG_LOW(test->arg));
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2);
		load(code, ARG_HIGH(test->arg));
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0);
		ret(code, SECCOMP_RET_TRAP | FILTER_COOKIE);
		break;
	case FILTER_EQUAL:
		load(code, ARG_LOW(test->arg));
		trap_if_equal(code, test->value);
		break;
	case FILTER_PAIR:
		load(code, ARG_LOW(test->arg));
		trap_if_equal(code, test->value);
		trap_if_equal(code, test->value + 1);
		break;
	case FILTER_PAIRS:
		load(code, ARG_LOW(test->arg));
		for (u32 half = 0; half < 32; half += 16) {
			trap_if_equal(code, test->value >> half & 0xffff);
			trap_if_equal(code, (test->value >> half & 0xffff) + 1);
		}
		break;
	case FILTER_AT_LEAST:
		load(code, ARG_LOW(test->arg));
		emit(code, BPF_JMP | BPF_JGE | BPF_K, test->value, 0, 1);
		ret(code, SECCOMP_RET_TRAP | FILTER_COOKIE);
		break;
	case FILTER_RESERVED_2:
		trap_if_reserved(code, 1, spec);
		trap_if_reserved(code, 0, spec);
		break;
	case FILTER_RESERVED:
		trap_if_reserved(code, test->arg, spec);
		break;
	case FILTER_NOT_RESERVED:
		load(code, ARG_LOW(test->arg));
		for (u32 i = 0, left = reserved_count(spec); i < RESERVED_COUNT; i++)
			if (spec->reserved_fds[i] >= 0) /* one of them: over the rest of the tests and the trap */
				emit(code, BPF_JMP | BPF_JEQ | BPF_K, (u32)spec->reserved_fds[i], (u8)left--, 0);
		ret(code, SECCOMP_RET_TRAP | FILTER_COOKIE);
		break;
	case FILTER_AGENT_MEMORY:
		load(code, ARG_HIGH(test->arg));
		emit(code, BPF_JMP | BPF_JGE | BPF_K, (u32)(LAYOUT_COMMONS >> 32), 0, 2);
		emit(code, BPF_JMP | BPF_JGT | BPF_K, (u32)(LAYOUT_TEXT >> 32), 1, 0);
		ret(code, SECCOMP_RET_TRAP | FILTER_COOKIE);
		break;
	case FILTER_ADDED_LATER:
		break;
	case FILTER_REACHES_RESERVED:
		load(code, ARG_LOW(test->arg));
		emit(code, BPF_JMP | BPF_JGE | BPF_K, lowest_reserved(spec), 0, 1);
		ret(code, SECCOMP_RET_TRAP | FILTER_COOKIE);
		break;
	}
}

static bool always_traps(const struct row *rows, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (rows[i].test.kind == FILTER_ALWAYS)
			return true;
	return false;
}

/* The block of one number: rows[0..count) all have it. */
static void emit_block(struct code *code, const struct row *rows, u32 count, const struct filter_spec *spec)
{
	load(code, offsetof(struct seccomp_data, instruction_pointer) + 4);
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, (u32)(LAYOUT_TEXT >> 32), 0, 3);
	load(code, offsetof(struct seccomp_data, instruction_pointer));
	emit(code, BPF_JMP | BPF_JGE | BPF_K, spec->text_size, 1, 0);
	ret(code, SECCOMP_RET_ALLOW);
	if (always_traps(rows, count)) {
		emit_test(code, &ALWAYS, spec);
		return;
	}
	for (u32 i = 0; i < count; i++)
		emit_test(code, &rows[i].test, spec);
	ret(code, SECCOMP_RET_ALLOW);
}

/* One leaf per number in the tree; `jump` is the index of its unconditional jump, patched once the block's place is known. */
static void emit_tree(struct code *code, struct leaf *leaves, u32 count)
{
	u32 half = count / 2, branch;

	if (count == 1) {
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, (u32)leaves[0].nr, 1, 0);
		ret(code, SECCOMP_RET_ALLOW);
		leaves[0].jump = code->length;
		emit(code, BPF_JMP | BPF_JA, 0, 0, 0);
		return;
	}
	emit(code, BPF_JMP | BPF_JGE | BPF_K, (u32)leaves[half].nr, 0, 1);
	branch = code->length;
	emit(code, BPF_JMP | BPF_JA, 0, 0, 0);
	emit_tree(code, leaves, half);
	code->insn[branch].k = code->length - branch - 1;
	emit_tree(code, leaves + half, count - half);
}

static int install(struct code *code)
{
	struct sock_fprog program = { .len = (unsigned short)code->length, .filter = code->insn };

	if (code->overflow)
		return -E2BIG;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
}

#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT */

/* foreign: what becomes of calls of other ABIs. */
static void emit_arch_check(struct code *code, u32 foreign)
{
	load(code, offsetof(struct seccomp_data, arch));
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	ret(code, foreign);
	load(code, offsetof(struct seccomp_data, nr));
	if (foreign == SECCOMP_RET_ALLOW)
		return;
	emit(code, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	ret(code, foreign);
}

static u32 foreign_action(const struct filter_spec *spec)
{
	return spec->tree ? SECCOMP_RET_ERRNO | ENOSYS : SECCOMP_RET_ALLOW;
}

/*
 * What a recording does not see: calls that cannot be refused and tell nothing of a run, and
 *   exit             the thread's stack may be gone: nothing may trap
 *   restart_syscall  the kernel's, for a call that was passed on
 * futex is let go for plain waiting and waking (low bits of the operation 0, 1, 9, 10), which programs do all the time.
 */
static const u16 unobserved[] = {
	SYS_sched_yield,     SYS_getpid,          SYS_exit,          SYS_gettimeofday, SYS_getuid,
	SYS_getgid,          SYS_geteuid,         SYS_getegid,       SYS_getppid,      SYS_getpgrp,
	SYS_umask,           SYS_alarm,           SYS_pause,         SYS_gettid,       SYS_time,
	SYS_set_tid_address, SYS_restart_syscall, SYS_clock_gettime, SYS_getcpu,       SYS_times,
};

static void emit_futex(struct code *code)
{
	static const u8 plain[] = { 0, 1, 9, 10 };

	emit(code, BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 3 + 2 * (u8)sizeof(plain));
	load(code, ARG_LOW(1));
	emit(code, BPF_ALU | BPF_AND | BPF_K, 0x7f, 0, 0);
	for (size_t i = 0; i < sizeof(plain); i++) {
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, plain[i], 0, 1);
		ret(code, SECCOMP_RET_ALLOW);
	}
	load(code, offsetof(struct seccomp_data, nr));
}

/* number not to be seen, nor a gap's → allow; the report of a result → trap; pc in the agent's text → allow; marked as lichen's own → allow; else trap */
static void emit_tracing(struct code *code, const struct filter_spec *spec)
{
	const struct row *rows = code->rows;
	u32 count = collect(spec, code->rows);

	for (size_t i = 0; i < ARRAY_SIZE(unobserved); i++) {
		if (is_planned(unobserved[i], rows, count))
			continue;
		emit(code, BPF_JMP | BPF_JEQ | BPF_K, unobserved[i], 0, 1);
		ret(code, SECCOMP_RET_ALLOW);
	}
	emit_futex(code);
	trap_if_equal(code, TRACE_REPORT_NR);
	load(code, offsetof(struct seccomp_data, instruction_pointer) + 4);
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, (u32)(LAYOUT_TEXT >> 32), 0, 3);
	load(code, offsetof(struct seccomp_data, instruction_pointer));
	emit(code, BPF_JMP | BPF_JGE | BPF_K, spec->text_size, 1, 0);
	ret(code, SECCOMP_RET_ALLOW);
	load(code, ARG_LOW(5));
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, (u32)TRACE_UNOBSERVED, 0, 3);
	load(code, ARG_HIGH(5));
	emit(code, BPF_JMP | BPF_JEQ | BPF_K, (u32)(TRACE_UNOBSERVED >> 32), 0, 1);
	ret(code, SECCOMP_RET_ALLOW);
	ret(code, SECCOMP_RET_TRAP | FILTER_COOKIE);
}

static int install_tracing(const struct filter_spec *spec)
{
	struct code *code = code_new();
	int r;

	if (!code)
		return -ENOMEM;
	emit_arch_check(code, foreign_action(spec));
	emit_tracing(code, spec);
	r = install(code);
	if (r < 0) /* else munmap(2) may trap; it goes with the execve that follows */
		code_free(code);
	return r;
}

/* The search tree and the blocks of so many of code->rows. */
static void emit_planned(struct code *code, u32 count, const struct filter_spec *spec)
{
	struct row *rows = code->rows;
	struct leaf *leaves = code->leaves;
	u32 numbers = 0, shared = 0;

	for (u32 i = 0; i < count;)
		if (rows[i].test.kind == FILTER_ADDED_LATER || (spec->sealed && rows[i].test.kind == FILTER_AGENT_MEMORY))
			rows[i] = rows[--count];
		else
			i++;
	qsort(rows, count, sizeof(rows[0]), by_number);
	for (u32 i = 0; i < count; i++) {
		if (i && rows[i].nr == rows[i - 1].nr)
			leaves[numbers - 1].count++;
		else
			leaves[numbers++] = (struct leaf){ .nr = rows[i].nr, .first = i, .count = 1 };
	}
	emit_tree(code, leaves, numbers);
	for (u32 i = 0; i < numbers; i++) {
		bool always = always_traps(rows + leaves[i].first, leaves[i].count);
		u32 block = always && shared ? shared : code->length;

		code->insn[leaves[i].jump].k = block - leaves[i].jump - 1;
		if (block == code->length)
			emit_block(code, rows + leaves[i].first, leaves[i].count, spec);
		if (always)
			shared = block;
	}
}

u32 filter_write_pids(const struct filter_spec *spec, u64 *program, u32 room)
{
	struct code *code = code_new();
	u32 n = 0;

	if (!code)
		return 0;
#define GAP_CALL(name, test_, handler) code->rows[n++] = (struct row){ __NR_##name, test_ };
#include "gaps/namespaces/pids.def"
#undef GAP_CALL
	emit_arch_check(code, SECCOMP_RET_ALLOW);
	emit_planned(code, n, spec);
	n = code->overflow || code->length > room ? 0 : code->length;
	memcpy(program, code->insn, n * sizeof(code->insn[0]));
	code_free(code);
	return n;
}

static int install_planned(const struct filter_spec *spec)
{
	struct code *code = code_new();
	int r;

	if (!code)
		return -ENOMEM;
	emit_arch_check(code, foreign_action(spec));
	if (spec->tree || spec->trace)
		trap_if_equal(code, TRACE_REPORT_NR); /* from the agent's text, too */
	emit_planned(code, collect(spec, code->rows), spec);
	r = install(code);
	if (r < 0) /* as above */
		code_free(code);
	return r;
}

int filter_install(const struct filter_spec *spec)
{
	return spec->trace && spec->trace_mode == TRACE_EVERYTHING ? install_tracing(spec) : install_planned(spec);
}

int filter_install_refusals(u32 gaps)
{
	struct code *code = code_new();
	int r;

	if (!code)
		return -ENOMEM;
	emit_arch_check(code, SECCOMP_RET_ALLOW);
	for (u32 id = 0; id < GAP_COUNT; id++) {
		const struct gap *gap = gap_by_id(id);

		for (u32 i = 0; (gaps & GAP_BIT(id)) && gap->refuse_calls && gap->refuse_calls[i] >= 0; i++) {
			emit(code, BPF_JMP | BPF_JEQ | BPF_K, (u32)gap->refuse_calls[i], 0, 1);
			ret(code, SECCOMP_RET_ERRNO | (u32)gap->refuse_error);
		}
	}
	ret(code, SECCOMP_RET_ALLOW);
	r = install(code);
	code_free(code);
	return r;
}
