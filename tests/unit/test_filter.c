/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trapping filter, asked for real: a child installs it and makes calls; its SIGSYS handler tells which ones trapped. rt_sigreturn traps
 * too, but not from where the agent's text would be, so the handler's restorer lies there. An untouched call of a cell must not trap because of a gap that its plan does not include.
 */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/layout.h"
#include "gaps/registry.h"
#include "host/filter.h"

#define ENGINE 0u
#define VIRTUAL_FILES (GAP_BIT(GAP_sysctl) | GAP_BIT(GAP_devices))

static volatile sig_atomic_t trapped;

static void on_sigsys(int sig)
{
	(void)sig;
	trapped = 1;
}

/* sigaction(2) itself, since glibc's chooses the restorer. Returns whether it worked. */
static bool handle_sigsys(void)
{
	static const unsigned char restorer[] = { 0xb8, SYS_rt_sigreturn, 0, 0, 0, 0x0f, 0x05 }; /* mov $nr, %eax; syscall */
	void *text = mmap((void *)LAYOUT_TEXT, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, /* NOLINT(performance-no-int-to-ptr) */
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	struct {
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} action = { on_sigsys, SA_NODEFER | 0x04000000 /* SA_RESTORER */, text, 0 };

	if (text == MAP_FAILED)
		return false;
	memcpy(text, restorer, sizeof(restorer));
	return syscall(SYS_rt_sigaction, SIGSYS, &action, NULL, 8) == 0;
}

static bool with_pids;
static struct filter_spec recorded; /* trace, trace_mode, trace_numbers */

/* Makes every call with arguments that do no harm; result[i] = whether it trapped. */
static void try_calls(u32 emulate, const int *calls, size_t count, char *result)
{
	struct filter_spec spec = { .emulate = emulate,
				    .sealed = true,
				    .text_size = 4096,
				    .pids = with_pids,
				    .trace = recorded.trace,
				    .trace_mode = recorded.trace_mode,
				    .trace_numbers = recorded.trace_numbers };

	for (size_t i = 0; i < ARRAY_SIZE(spec.reserved_fds); i++)
		spec.reserved_fds[i] = 1000 + (int)i;
	if (!handle_sigsys() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_install(&spec))
		_exit(2);
	for (size_t i = 0; i < count; i++) {
		trapped = 0;
		(void)syscall(calls[i], -1, NULL, 0, 0, 0, 0);
		result[i] = (char)trapped;
	}
	(void)syscall(SYS_exit, 0); /* exit_group traps */
}

static void expect(u32 emulate, const int *calls, size_t count, bool traps)
{
	char *result = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	assert_true(result != MAP_FAILED);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		try_calls(emulate, calls, count, result);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < count; i++)
		if (result[i] != traps)
			fail_msg("call %d with gaps %#x: %s", calls[i], emulate, result[i] ? "trapped" : "passed");
	munmap(result, 4096);
}

/* The calls that name processes trap in cells with pids of their own only; those with a test, only where it holds. */
static void pids_trap_where_they_are_the_cells_own(void **state)
{
	static const int calls[] = { SYS_getpid, SYS_gettid, SYS_getppid, SYS_tgkill, SYS_setsid };
	static const int tested[] = { SYS_wait4, SYS_ioctl, SYS_getsockopt };

	(void)state;
	expect(ENGINE, calls, ARRAY_SIZE(calls), false);
	expect(GAP_BIT(GAP_namespaces), calls, ARRAY_SIZE(calls), false);
	with_pids = true;
	expect(GAP_BIT(GAP_namespaces), calls, ARRAY_SIZE(calls), true);
	expect(GAP_BIT(GAP_namespaces), tested, ARRAY_SIZE(tested), false);
	with_pids = false;
}

/* What programs do most never traps, whatever is emulated without being named (gap identity must answer fstat). A parent
 * may be another one than the kernel's where gap processes is filled, which gVisor of 2022 alone needs. */
static void frequent_calls_never_trap(void **state)
{
	static const int calls[] = { SYS_getppid, SYS_read, SYS_write, SYS_writev, SYS_pread64,  SYS_fstat, SYS_lseek,
				     SYS_futex,   SYS_brk,  SYS_poll,  SYS_sendto, SYS_recvfrom, SYS_getpid };

	(void)state;
	expect(ENGINE, calls, ARRAY_SIZE(calls), false);
	expect(gaps_automatic() & ~GAP_BIT(GAP_fstype), calls + 1, ARRAY_SIZE(calls) - 1, false);
	expect(gaps_automatic() & ~(GAP_BIT(GAP_fstype) | GAP_BIT(GAP_processes)), calls, ARRAY_SIZE(calls), false);
}

static void a_gap_traps_its_calls_only_when_planned(void **state)
{
	static const int ipc[] = { SYS_shmget, SYS_semop, SYS_msgrcv };
	static const int stats[] = { SYS_stat, SYS_lstat, SYS_newfstatat, SYS_statfs };
	static const int newer[] = { SYS_openat2, SYS_statx, SYS_faccessat2, SYS_copy_file_range };
	static const int without_newer_flags[] = { SYS_getrandom, SYS_memfd_create };

	(void)state;
	expect(ENGINE, ipc, ARRAY_SIZE(ipc), false);
	expect(VIRTUAL_FILES, ipc, ARRAY_SIZE(ipc), false);
	expect(GAP_BIT(GAP_sysvipc), ipc, ARRAY_SIZE(ipc), true);
	expect(ENGINE, stats, ARRAY_SIZE(stats), false);
	expect(GAP_BIT(GAP_sysctl), stats, ARRAY_SIZE(stats), true);
	expect(ENGINE, newer, ARRAY_SIZE(newer), false);
	expect(GAP_BIT(GAP_newcalls), newer, ARRAY_SIZE(newer), true);
	expect(GAP_BIT(GAP_newcalls), without_newer_flags, ARRAY_SIZE(without_newer_flags), false);
}

static void of_a_caged_guest_what_a_policy_can_refuse_traps(void **state)
{
	static const int refusable[] = { SYS_mkdir, SYS_unlinkat, SYS_rename, SYS_connect,
					 SYS_bind,  SYS_socket,   SYS_tgkill, SYS_memfd_create };
	static const int frequent[] = { SYS_read,  SYS_write,  SYS_mmap,    SYS_lseek,  SYS_fstat, SYS_futex, SYS_brk,
					SYS_ioctl, SYS_sendto, SYS_sendmsg, SYS_getpid, SYS_close, SYS_poll };
	static const int looks[] = { SYS_stat, SYS_access, SYS_newfstatat, SYS_chdir };
	static const int named[] = { SYS_getitimer, SYS_personality, 500 };
	u64 numbers[TRACE_NUMBERS_SIZE] = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(named); i++)
		TRACE_NUMBERS_ADD(numbers, named[i]);
	TRACE_NUMBERS_ADD(numbers, SYS_ioctl); /* its own rows say when */
	recorded = (struct filter_spec){ .trace = true, .trace_mode = TRACE_REFUSALS, .trace_numbers = numbers };
	expect(ENGINE, refusable, ARRAY_SIZE(refusable), true);
	expect(ENGINE, named, ARRAY_SIZE(named), true);
	expect(ENGINE, looks, ARRAY_SIZE(looks), false);
	expect(ENGINE, frequent, ARRAY_SIZE(frequent), false);
	recorded.trace_mode |= TRACE_HIDDEN;
	expect(ENGINE, looks, ARRAY_SIZE(looks), true);
	expect(ENGINE, frequent, ARRAY_SIZE(frequent), false);
	for (int nr = 0; nr < 64 * (int)TRACE_NUMBERS_SIZE; nr++) /* it fits */
		TRACE_NUMBERS_ADD(numbers, nr);
	expect(gaps_automatic(), named, ARRAY_SIZE(named), true);
	recorded = (struct filter_spec){ 0 };
	expect(ENGINE, refusable, ARRAY_SIZE(refusable), false);
}

static void not_there(int sig)
{
	(void)sig;
	(void)syscall(SYS_exit, 0); /* exit_group traps */
}

/* The same process by way of int 0x80: 0 where the kernel has no 32-bit calls. */
static void ask_in_32_bit_mode(bool tree)
{
	struct filter_spec spec = { .sealed = true, .text_size = 4096, .tree = tree };
	long r;

	(void)signal(SIGSEGV, not_there);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_install(&spec))
		_exit(2);
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L /* getpid */) : "memory", "r8", "r9", "r10", "r11");
	if (tree)
		(void)syscall(SYS_exit, r == -ENOSYS && syscall(0x40000000L + SYS_getpid) == -1 && errno == ENOSYS ? 0 : 1);
	(void)syscall(SYS_exit, r > 0 ? 0 : 1);
}

/* They would open paths that nobody resolves. */
static void a_tree_has_no_calls_of_other_abis(void **state)
{
	(void)state;
	for (int tree = 0; tree < 2; tree++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			ask_in_32_bit_mode(tree);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frequent_calls_never_trap),
		cmocka_unit_test(pids_trap_where_they_are_the_cells_own),
		cmocka_unit_test(a_gap_traps_its_calls_only_when_planned),
		cmocka_unit_test(of_a_caged_guest_what_a_policy_can_refuse_traps),
		cmocka_unit_test(a_tree_has_no_calls_of_other_abis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
