/* SPDX-License-Identifier: Apache-2.0 */
/* What a filter sees of a call: number, architecture, arguments to the last bit, and an instruction pointer in the program. */
#include "seccomp_test.h"

#define ARG_LOW(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n))
#define ARG_HIGH(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (n) + 4)

/* Answers a call with errno 1 + the number of the first argument that is not as it was given, 100 when all are. */
static void arguments(const struct plain_call *call)
{
	struct sock_filter insn[64];
	size_t n = 0;

	insn[n++] = LOAD(nr);
	insn[n++] = IF_EQUAL((unsigned)call->nr, 1, 0);
	insn[n++] = RETURN(SECCOMP_RET_ALLOW);
	insn[n++] = LOAD(arch);
	insn[n++] = IF_EQUAL(AUDIT_ARCH_X86_64, 1, 0);
	insn[n++] = RETURN(SECCOMP_RET_ERRNO | 99);
	for (unsigned i = 0; i < 6; i++) {
		unsigned long value = 0x1111111122222222UL * (i + 1);

		insn[n++] = (struct sock_filter)ARG_LOW(i);
		insn[n++] = IF_EQUAL((unsigned)value, 1, 0);
		insn[n++] = RETURN(SECCOMP_RET_ERRNO | (i + 1));
		insn[n++] = (struct sock_filter)ARG_HIGH(i);
		insn[n++] = IF_EQUAL((unsigned)(value >> 32), 1, 0);
		insn[n++] = RETURN(SECCOMP_RET_ERRNO | (i + 11));
	}
	insn[n++] = RETURN(SECCOMP_RET_ERRNO | 100);
	no_new_privs();
	MUST(install(insn, n, 0));
	syscall(call->nr, 0x1111111122222222, 0x2222222244444444, 0x3333333366666666, 0x4444444488888888, 0x55555555aaaaaaaa,
		0x66666666cccccccc);
	say("%s: %d", call->name, errno);
}

/* By the pointer: calls from one place are refused, from another they are not. */
__attribute__((noinline)) static long from_here(long nr, unsigned long *behind)
{
	long result;

	__asm__ volatile("lea 1f(%%rip), %%rdx\n\tmov %%rdx, %1\n\tsyscall\n1:"
			 : "=a"(result), "=m"(*behind)
			 : "0"(nr), "D"(-1), "S"(-1)
			 : "rcx", "r11", "rdx", "memory");
	return result;
}

static void pointer(long nr)
{
	unsigned long behind = 0;

	(void)from_here(SYS_getppid, &behind);
	no_new_privs();
	MUST(INSTALL(
		0, LOAD(nr), IF_EQUAL((unsigned)nr, 1, 0), RETURN(SECCOMP_RET_ALLOW), LOAD(instruction_pointer),
		IF_EQUAL((unsigned)behind, 1, 0), RETURN(SECCOMP_RET_ERRNO | 50),
		((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, instruction_pointer) + 4)),
		IF_EQUAL((unsigned)(behind >> 32), 1, 0), RETURN(SECCOMP_RET_ERRNO | 51), RETURN(SECCOMP_RET_ERRNO | 52)));
	SHOW(from_here(nr, &behind));
	SHOW(syscall(nr, -1, -1, -1) == -1 && (errno == 50 || errno == 51));
}

int main(void)
{
	for (size_t i = 0; i < COUNT(plain_calls); i++)
		CHILD(arguments(&plain_calls[i]));
	CHILD(pointer(SYS_setresuid));
	CHILD(pointer(SYS_rt_sigpending));
	CHILD(pointer(SYS_getppid));
	return 0;
}
