/* SPDX-License-Identifier: Apache-2.0 */
/* SECCOMP_RET_ERRNO: for every kind of call, with errnos as large as they come, for 0; and that nothing of the call happens. */
#include "seccomp_test.h"

static void each_call(unsigned data)
{
	say("data %u", data);
	for (size_t i = 0; i < COUNT(plain_calls); i++)
		CHILD({
			filter_call(plain_calls[i].nr, SECCOMP_RET_ERRNO | data);
			show_refused(&plain_calls[i]);
		});
}

static void nothing_happens(void)
{
	char path[] = "/tmp/seccomp.XXXXXX";
	int fd = (int)MUST(mkstemp(path));
	struct stat before, after;

	MUST(fstat(fd, &before));
	CHILD({
		filter_call(SYS_chmod, SECCOMP_RET_ERRNO | EDQUOT);
		MUST(install_for(SYS_setresuid, SECCOMP_RET_ERRNO | 0, 0));
		MUST(install_for(SYS_fork, SECCOMP_RET_ERRNO | ENFILE, 0));
		SHOW(syscall(SYS_chmod, path, 0600 ^ 0077));
		SHOW(syscall(SYS_setresuid, 1234, 1234, 1234));
		FACT(getuid() == 0 && geteuid() == 0);
		SHOW(syscall(SYS_fork));
	});
	MUST(fstat(fd, &after));
	FACT(before.st_mode == after.st_mode);
	SHOW(unlink(path));
	close(fd);
}

int main(void)
{
	each_call(EL2HLT);
	each_call(0);
	each_call(4095);
	each_call(4096);
	each_call(65535);
	nothing_happens();
	return 0;
}
