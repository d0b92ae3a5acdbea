/* SPDX-License-Identifier: Apache-2.0 */
/* Who may install a filter, what is looked at first, and what a task is told of itself. */
#include "seccomp_test.h"

static struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
static struct sock_fprog good = { 1, allow }, empty = { 0, allow }, too_long = { 4097, allow }, nowhere = { 1, NULL };
static struct sock_filter bad_insn[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 1) };
static struct sock_fprog bad = { 1, bad_insn };

static int before;

static void attempts(bool installed)
{
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 1U << 20, &good));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, bad_pointer()));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &empty));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &too_long));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &nowhere));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &bad));
	SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &empty));
	SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &bad));
	SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL));
	SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &good));
	SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &good));
	FACT(prctl(PR_GET_SECCOMP) == (installed ? SECCOMP_MODE_FILTER : before));
}

int main(void)
{
	before = prctl(PR_GET_SECCOMP);
	SHOW(syscall(SYS_seccomp, 99, 0, NULL));
	CHILD({
		say("with a capability");
		SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		attempts(true);
		SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	});
	AS_USER(1234, 1234, {
		say("without");
		attempts(false);
		SHOW(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
		SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
		SHOW(prctl(PR_GET_NO_NEW_PRIVS, 1, 0, 0, 0));
		SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
		SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
		say("with no_new_privs");
		attempts(true);
	});
	return 0;
}
