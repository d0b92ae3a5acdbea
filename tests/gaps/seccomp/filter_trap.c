/* SPDX-License-Identifier: Apache-2.0 */
/* SECCOMP_RET_TRAP: SIGSYS with what it tells of the call, data of every size, the cookies of lichen's own filters among them; and how it ends whom. */
#include "seccomp_test.h"

#include <ucontext.h>

static const struct plain_call *expected;

static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	const greg_t *regs = ((const ucontext_t *)context)->uc_mcontext.gregs;

	say("  signal %d code %d errno %d arch %x", signal, info->si_code, info->si_errno, info->si_arch);
	FACT(info->si_syscall == (int)expected->nr);
	FACT(info->si_call_addr == (void *)regs[REG_RIP]);
	FACT(regs[REG_RDI] == expected->arg[0] && regs[REG_RSI] == expected->arg[1]);
}

/* A handler may answer the call. */
static void answer(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 77;
}

static void set_handler(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };

	MUST(sigaction(SIGSYS, &action, NULL));
}

static void block_sigsys(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
}

int main(void)
{
	static const unsigned data[] = { 0, 1, 0x4c43, 0xffff };

	for (size_t i = 0; i < COUNT(plain_calls); i++)
		CHILD({
			expected = &plain_calls[i];
			say("%s", expected->name);
			set_handler(on_sigsys);
			filter_call(expected->nr, SECCOMP_RET_TRAP | data[i % COUNT(data)]);
			make(expected);
		});
	for (size_t i = 0; i < 4; i++)
		CHILD({
			set_handler(answer);
			filter_call(plain_calls[i].nr, SECCOMP_RET_TRAP);
			SHOW(make(&plain_calls[i]));
		});
	CHILD(filter_call(SYS_setresuid, SECCOMP_RET_TRAP); show_end(&plain_calls[0]));
	CHILD({
		signal(SIGSYS, SIG_IGN);
		filter_call(SYS_setresuid, SECCOMP_RET_TRAP);
		show_end(&plain_calls[0]);
	});
	CHILD({
		set_handler(answer);
		block_sigsys();
		filter_call(SYS_setresuid, SECCOMP_RET_TRAP);
		show_end(&plain_calls[0]);
	});
	return 0;
}
