/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trapping filter, asked for real: a child installs it and makes calls; its SIGSYS handler tells which ones trapped, and jumps, since
 * rt_sigreturn traps too. An untouched call of a cell must not trap because of a gap that its plan does not include.
 */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gaps/registry.h"
#include "host/filter.h"

#define ENGINE 0u
#define VIRTUAL_FILES (GAP_BIT(GAP_sysctl) | GAP_BIT(GAP_devices))

static jmp_buf after_call;

static void on_sigsys(int sig)
{
	(void)sig;
	_longjmp(after_call, 1); /* no call to restore a mask */
}

/* Makes every call with arguments that do no harm; result[i] = whether it trapped. */
static void try_calls(u32 emulate, const int *calls, size_t count, char *result)
{
	struct filter_spec spec = { .emulate = emulate, .sealed = true, .text_size = 4096 };
	struct sigaction action = { .sa_handler = on_sigsys, .sa_flags = SA_NODEFER };

	for (size_t i = 0; i < ARRAY_SIZE(spec.reserved_fds); i++)
		spec.reserved_fds[i] = 1000 + (int)i;
	if (sigaction(SIGSYS, &action, NULL) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || filter_install(&spec))
		_exit(2);
	for (volatile size_t i = 0; i < count; i++) {
		result[i] = 1;
		if (_setjmp(after_call) == 0) {
			(void)syscall(calls[i], -1, NULL, 0, 0, 0, 0);
			result[i] = 0;
		}
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

/* What programs do most never traps, whatever is emulated. */
static void frequent_calls_never_trap(void **state)
{
	static const int calls[] = { SYS_getppid, SYS_read, SYS_write, SYS_writev, SYS_pread64,  SYS_fstat, SYS_lseek,
				     SYS_futex,   SYS_brk,  SYS_poll,  SYS_sendto, SYS_recvfrom, SYS_getpid };

	(void)state;
	expect(ENGINE, calls, ARRAY_SIZE(calls), false);
	expect(gaps_built() & ~GAP_BIT(GAP_fstype), calls, ARRAY_SIZE(calls), false);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frequent_calls_never_trap),
		cmocka_unit_test(a_gap_traps_its_calls_only_when_planned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
