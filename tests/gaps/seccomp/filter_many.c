/* SPDX-License-Identifier: Apache-2.0 */
/* Many filters: of one task, which end in ENOMEM, and of threads one after the other, which do not. */
#include "seccomp_test.h"

static void *with_filter(void *failed)
{
	if (install_for(SYS_setresuid, SECCOMP_RET_ERRNO | 70, 0) != 0 || syscall(SYS_setresuid, -1, -1, -1) != -1 || errno != 70)
		*(bool *)failed = true;
	return NULL;
}

/* The longest programs: as many as a task may have. */
static void of_a_task(void)
{
	struct sock_filter *insn = calloc(4000, sizeof(*insn));
	int count = 0;

	for (int i = 0; i < 4000; i++)
		insn[i] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	insn[0] = LOAD(nr);
	insn[1] = IF_EQUAL(SYS_setresuid, 0, 1);
	insn[2] = RETURN(SECCOMP_RET_ERRNO | 71);
	while (count < 100 && install(insn, 4000, 0) == 0)
		count++;
	say("%s filters, then %s", count >= 3 ? "some" : "few", errno_name(errno));
	SHOW(syscall(SYS_setresuid, -1, -1, -1));
	SHOW(install_for(SYS_getppid, SECCOMP_RET_ERRNO | 72, 0));
	SHOW(syscall(SYS_getppid));
}

int main(void)
{
	bool failed = false;

	no_new_privs();
	CHILD(of_a_task());
	MUST(install_for(SYS_sync, SECCOMP_RET_ERRNO | 73, 0));
	for (int i = 0; i < scaled(5000) && !failed; i++)
		pthread_join(thread_start(with_filter, &failed), NULL);
	FACT(!failed);
	SHOW(syscall(SYS_setresuid, -1, -1, -1));
	SHOW(syscall(SYS_sync));
	return 0;
}
