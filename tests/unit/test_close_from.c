// SPDX-License-Identifier: Apache-2.0
/* Descriptors are closed where close_range(2) is refused, and RLIMIT_NOFILE lies below them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/close_from.h"

#define FAR 200 /* above the limit that follows */
#define LOWERED 64

static int refuse_close_range(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close_range, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0
															: -errno;
}

static int lower(rlim_t limit)
{
	const struct rlimit lowered = { limit, limit };

	return setrlimit(RLIMIT_NOFILE, &lowered);
}

/* Runs a step in a child that has a descriptor beyond its limit. Its answer, 0: all was as it must be. */
static int in_child(int (*step)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (dup2(2, FAR) != FAR || fcntl(FAR, F_GETFD) != 0 || lower(LOWERED) < 0 || refuse_close_range() < 0)
			_exit(100);
		_exit(step());
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int marks(void)
{
	if (close_on_exec_from(3, CLOSE_NO_HIGHEST) != 0)
		return 1;
	if (fcntl(FAR, F_GETFD) != FD_CLOEXEC)
		return 2;
	return fcntl(2, F_GETFD) == 0 ? 0 : 3;
}

static int closes(void)
{
	if (close_from(3, CLOSE_NO_HIGHEST) != 0)
		return 1;
	if (fcntl(FAR, F_GETFD) != -1)
		return 2;
	return fcntl(2, F_GETFD) == 0 ? 0 : 3;
}

static int tells(void)
{
	if (lower(0) < 0) /* /proc/self/fd cannot be opened */
		return 1;
	return close_from(3, CLOSE_NO_HIGHEST) == -EMFILE && close_on_exec_from(3, CLOSE_NO_HIGHEST) == -EMFILE &&
			       fcntl(FAR, F_GETFD) == 0
		     ? 0
		     : 2;
}

static int knows(void)
{
	int highest = close_highest();

	if (highest < FAR)
		return 1;
	if (lower(0) < 0)
		return 2;
	return close_from(3, highest) == 0 && fcntl(FAR, F_GETFD) == -1 ? 0 : 3;
}

static void the_highest_is_enough(void **state)
{
	(void)state;
	assert_int_equal(in_child(knows), 0);
}

static void they_are_marked(void **state)
{
	(void)state;
	assert_int_equal(in_child(marks), 0);
}

static void they_are_closed(void **state)
{
	(void)state;
	assert_int_equal(in_child(closes), 0);
}

static void what_cannot_be_known_is_told(void **state)
{
	(void)state;
	assert_int_equal(in_child(tells), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_marked),
		cmocka_unit_test(the_highest_is_enough),
		cmocka_unit_test(they_are_closed),
		cmocka_unit_test(what_cannot_be_known_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
