/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters of each task (TASK_SECCOMP), kept so that the agent can ask them.
 *
 * A filter lies in read-only memory of its own, behind a header that names the one before it: a chain, as the kernel has it, that tasks share and that
 * never changes. It is inherited with the memory by threads and forks. Before execve the caller's chain is written to a memfd, oldest first, which
 * the new image maps and closes. So there is nothing to count or to clean up after whoever is killed.
 *
 * A call is judged before anybody answers it or changes it, and only in a process in which filters have been installed; calls that do not come here
 * are judged by the kernel (guest_seccomp.c). Which action counts is the kernel's rule: the lowest of all filters, as signed numbers, of equals the newest.
 * KILL has happened by then: the kernel ranks it above the trap that brought us here.
 */
#include "agent/cbpf.h"
#include "agent/engine.h"
#include "agent/fs.h"

#define RET_ACTION 0xffff0000u
#define RET_KILL_THREAD 0x00000000u
#define RET_KILL_PROCESS 0x80000000u
#define RET_ERRNO 0x00050000u
#define RET_USER_NOTIF 0x7fc00000u
#define RET_TRACE 0x7ff00000u
#define RET_LOG 0x7ffc0000u
#define MAX_ERRNO_ 4095u
#define SIGKILL_ 9

struct guest_filter {
	u64 before; /* bytes of all older ones, as filter_hand_over() writes them */
	u32 older;  /* as SECCOMP_NEWEST */
	u32 length; /* instructions */
	u32 count;  /* of this one and all older ones */
	u32 reserved;
	struct cbpf_insn insn[];
};

/* private()->filter_state[] */
enum filter_state {
	FILTER_NEW,  /* kept, and nobody's yet; or of the program before: those stay where they were mapped */
	FILTER_USED, /* some task has, or has had it */
	FILTER_GONE, /* being freed */
};

static u64 size_of(u32 length)
{
	return offsetof(struct guest_filter, insn) + length * sizeof(struct cbpf_insn);
}

static struct guest_filter *newest(u32 word)
{
	u32 at = word & SECCOMP_NEWEST;

	return at ? private()->filter[at - 1] : NULL;
}

u32 filter_count(void)
{
	const struct guest_filter *filter = newest(task_word(TASK_SECCOMP));

	return filter ? filter->count : 0;
}

/* --- keeping ------------------------------------------------------------------------------------------------------------------------------ */

void filter_drop(long kept)
{
	struct guest_filter *filter = private()->filter[kept];

	__atomic_store_n(&private()->filter_state[kept], FILTER_NEW, __ATOMIC_RELEASE);
	memset(private()->filter_allows[kept], 0, sizeof(private()->filter_allows[kept]));
	__atomic_store_n(&private()->filter[kept], NULL, __ATOMIC_RELEASE);
	(void)sys2(__NR_munmap, filter, ALIGN_UP(size_of(filter->length), LAYOUT_PAGE));
}

static long try_row(struct guest_filter *filter)
{
	struct private *p = private();

	for (u32 i = 0; i < FILTERS_MAX; i++) {
		struct guest_filter *none = NULL;

		if (__atomic_compare_exchange_n(&p->filter[i], &none, filter, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			return i;
	}
	return -1;
}

#define ROW_BIT(row) (UINT64_C(1) << ((row) % 64)) /* in its u64 */

/* In filter_sweep(): a task has this word. */
static void mark(u32 word, u64 *marked)
{
	for (u32 at = word & SECCOMP_NEWEST; at && !(marked[(at - 1) / 64] & ROW_BIT(at - 1));
	     at = private()->filter[at - 1]->older)
		marked[(at - 1) / 64] |= ROW_BIT(at - 1);
}

/* Frees the filters that only tasks have had that are gone: threads, vfork children. */
static void sweep(void)
{
	u64 marked[FILTERS_MAX / 64] = { 0 };

	task_each_word(TASK_SECCOMP, mark, marked);
	for (u32 i = 0; i < FILTERS_MAX; i++) {
		u8 used = FILTER_USED;

		if (!(marked[i / 64] & ROW_BIT(i)) && __atomic_compare_exchange_n(&private()->filter_state[i], &used, FILTER_GONE,
										  false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			filter_drop(i);
	}
}

/* A row of filter[], -1: there is none. */
static long take_row(struct guest_filter *filter)
{
	long row = try_row(filter);

	if (row < 0) {
		sweep();
		row = try_row(filter);
	}
	return row;
}

long filter_keep(u64 from, u32 length)
{
	struct guest_filter *filter;
	long at, row;

	at = sys6(__NR_mmap, 0, ALIGN_UP(size_of(length), LAYOUT_PAGE), 3, 0x22 /* PRIVATE|ANONYMOUS */, ~UINT64_C(0), 0);
	if (at < 0 && at > -4096)
		return at;
	filter = (struct guest_filter *)at; /* NOLINT(performance-no-int-to-ptr) */
	filter->length = length;
	row = -EFAULT;
	if (guest_read(filter->insn, from, length * sizeof(*filter->insn)) == 0) {
		row = -EINVAL;
		if (cbpf_check(filter->insn, length, (u16 *)(void *)slot_current()->scratch)) {
			row = take_row(filter);
			if (row >= 0)
				return row;
			row = -ENOMEM;
		}
	}
	(void)sys2(__NR_munmap, at, ALIGN_UP(size_of(length), LAYOUT_PAGE));
	return row;
}
static_assert(CBPF_INSNS_MAX * sizeof(u16) <= SLOT_SCRATCH, "cbpf_check() works in a slot");

const struct cbpf_insn *filter_program(long kept)
{
	return private()->filter[kept]->insn;
}

void filter_use(long kept, bool every_thread)
{
	struct guest_filter *filter = private()->filter[kept];
	u32 word = task_word(TASK_SECCOMP);
	const struct guest_filter *older = newest(word);

	filter->older = word & SECCOMP_NEWEST;
	filter->before = older ? older->before + size_of(older->length) : 0;
	filter->count = older ? older->count + 1 : 1;
	(void)sys3(__NR_mprotect, filter, ALIGN_UP(size_of(filter->length), LAYOUT_PAGE), 1 /* PROT_READ */);
	__atomic_store_n(&private()->filtered, 1, __ATOMIC_RELEASE);
	word = (word & ~(u32)SECCOMP_NEWEST) | ((u32)kept + 1);
	if (every_thread)
		task_seccomp_sync(word);
	else
		task_word_set_own(TASK_SECCOMP, word);
	__atomic_store_n(&private()->filter_state[kept], FILTER_USED, __ATOMIC_RELEASE);
	if (identity_on())
		identity_filtered(filter->count, false);
}

/* --- execve ------------------------------------------------------------------------------------------------------------------------------- */

long filter_hand_over(s32 *ret_fd)
{
	const struct guest_filter *filter = newest(task_word(TASK_SECCOMP));
	long fd, n = 0;

	if (LIKELY(!filter))
		return 0;
	fd = agent_memfd("filters", 0);
	if (fd < 0)
		return fd;
	for (; filter && n >= 0; filter = newest(filter->older))
		n = sys4(__NR_pwrite64, fd, filter, size_of(filter->length), filter->before);
	if (n < 0) {
		(void)sys1(__NR_close, fd);
		return n;
	}
	*ret_fd = (s32)fd;
	return 0;
}

void filter_start(u32 word, s32 fd)
{
	struct kernel_stat st = { 0 };
	u64 at, end;
	long r;

	private()->filtered = word & SECCOMP_STRICT;
	task_start(TASK_SECCOMP, word);
	if (fd < 0)
		return;
	r = sys2(__NR_fstat, fd, &st);
	if (r == 0)
		r = sys6(__NR_mmap, 0, st.size, 1 /* PROT_READ */, 2 /* PRIVATE */, (u64)fd, 0);
	if (r < 0 && r > -4096)
		agent_die("cannot map the filters of the former program", r);
	(void)sys1(__NR_close, fd);
	for (at = (u64)r, end = at + (u64)st.size; at < end; at += size_of(newest(word)->length)) {
		private()->filter[word & SECCOMP_NEWEST] = (struct guest_filter *)at; /* NOLINT(performance-no-int-to-ptr) */
		word++;
	}
	private()->filtered = 1;
	task_start(TASK_SECCOMP, word);
}

/* --- judging ------------------------------------------------------------------------------------------------------------------------------ */

/* In strict mode, anything but these ends the thread, as SIGKILL does that hits it alone. */
static bool strictly_allowed(long nr)
{
	return nr == __NR_read || nr == __NR_write || nr == __NR_exit || nr == __NR_rt_sigreturn;
}

static bool is_alone(void)
{
	struct kernel_stat st;

	return !__atomic_load_n(&private()->threads, __ATOMIC_ACQUIRE) || sys2(__NR_stat, "/proc/self/task", &st) < 0 ||
	       st.nlink <= 3;
}

static NORETURN void strict_kill(void)
{
	for (;;) {
		if (is_alone())
			(void)sys2(__NR_kill, sys0(__NR_getpid), SIGKILL_);
		(void)sys1(__NR_exit, SIGKILL_);
	}
}

static bool is_traced(void)
{
	char text[512]; /* TracerPid is the eighth line */
	long fd = sys4(__NR_openat, -100, "/proc/thread-self/status", 02000000 /* O_CLOEXEC */, 0), n;

	if (fd < 0)
		return false;
	n = sys3(__NR_read, fd, text, sizeof(text) - 16);
	(void)sys1(__NR_close, fd);
	for (long i = 0; i + 12 < n; i++)
		if (!memcmp(text + i, "\nTracerPid:\t", 12))
			return text[i + 12] != '0';
	return false;
}

/* Calls that only the agent can make: made as they are, they would take the process away from it. Where listeners are looked after, the kernel makes none. */
static bool is_agents(const struct call *call)
{
	switch (call->nr) {
	case __NR_rt_sigaction:
	case __NR_rt_sigprocmask:
	case __NR_rt_sigreturn:
	case __NR_rt_sigpending:
	case __NR_rt_sigsuspend:
	case __NR_rt_sigtimedwait:
	case __NR_sigaltstack:
	case __NR_signalfd:
	case __NR_signalfd4:
	case __NR_ppoll:
	case __NR_pselect6:
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
	case __NR_clone:
	case __NR_clone3:
	case __NR_fork:
	case __NR_vfork:
	case __NR_exit_group:
	case __NR_execve:
	case __NR_execveat:
	case __NR_seccomp:
		return true;
	default:
		return false;
	}
}

static enum judgement answered(struct call *call, long ret)
{
	call->ret = ret;
	return JUDGED_ANSWERED;
}

static enum judgement act(struct call *call, u32 verdict)
{
	u32 data = verdict & ~RET_ACTION;

	switch (verdict & RET_ACTION) {
	case SECCOMP_RET_ALLOW_:
	case RET_LOG:
		return JUDGED_ALLOWED;
	case RET_ERRNO:
		return answered(call, -(long)(data < MAX_ERRNO_ ? data : MAX_ERRNO_));
	case SECCOMP_RET_TRAP_:
		call->trap->info->error = (s32)data;
		return JUDGED_TRAPPED;
	case RET_TRACE:
		if (!is_traced())
			return answered(call, -ENOSYS);
		call->judged = true;
		return JUDGED_ALLOWED;
	case RET_USER_NOTIF:
		return !fs_on() && is_agents(call) ? answered(call, -ENOSYS) : JUDGED_KERNELS;
	default:
		signal_die(SIGSYS_);
	}
}

/* One filter. Most allow most calls by their number alone: that is found out once. */
static u32 ask(u32 row, const struct cbpf_data *data)
{
	u64 *known = &private()->filter_allows[row][(u32)data->nr / 64 % (FILTER_NUMBERS / 64)], bit = ROW_BIT((u32)data->nr);
	bool constant, cached = (u32)data->nr < FILTER_NUMBERS;
	u32 verdict;

	if (cached && (__atomic_load_n(known, __ATOMIC_RELAXED) & bit))
		return SECCOMP_RET_ALLOW_;
	verdict = cbpf_run(private()->filter[row]->insn, data, &constant);
	if (cached && constant && (verdict & RET_ACTION) == SECCOMP_RET_ALLOW_)
		(void)__atomic_fetch_or(known, bit, __ATOMIC_RELAXED);
	return verdict;
}

enum judgement filter_judge(struct call *call)
{
	const struct trap *trap = call->trap;
	struct cbpf_data data = { .nr = (s32)call->nr, .arch = trap->info->arch, .ip = trap->info->call_addr };
	u32 word = task_word(TASK_SECCOMP), verdict = SECCOMP_RET_ALLOW_;

	if (data.ip >= LAYOUT_TEXT && data.ip < (u64)agent_end)
		return JUDGED_ALLOWED;
	if ((word & SECCOMP_STRICT) && !strictly_allowed(call->nr))
		strict_kill();
	memcpy(data.args, call->arg, sizeof(data.args));
	for (u32 at = word & SECCOMP_NEWEST; at; at = private()->filter[at - 1]->older) {
		u32 one = ask(at - 1, &data);

		if ((s32)(one & RET_ACTION) < (s32)(verdict & RET_ACTION))
			verdict = one;
	}
	return act(call, verdict);
}
