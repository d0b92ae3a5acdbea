/* SPDX-License-Identifier: Apache-2.0 */
/* The 128 bytes below the stack pointer survive a trapped call and a signal. */
#include "difftest.h"

/* Fills the red zone, makes system call nr(a, b, c) from the same frame, counts the words of the red zone that changed. */
long red_zone(long nr, long a, long b, long c);
/* The same, spinning instead of calling until *flag is set by a handler. */
long red_zone_spin(volatile sig_atomic_t *flag);

/* clang-format off: assembly, one instruction a line */
#define FILL                           \
	"	mov $-128, %r8\n"            \
	"1:	lea 0x1234567(%r8), %r9\n" \
	"	mov %r9, (%rsp,%r8)\n"       \
	"	add $8, %r8\n"               \
	"	jnz 1b\n"
#define COUNT_AND_RETURN               \
	"	mov $-128, %r8\n"            \
	"	xor %eax, %eax\n"            \
	"2:	lea 0x1234567(%r8), %r9\n" \
	"	cmp %r9, (%rsp,%r8)\n"       \
	"	je 3f\n"                     \
	"	inc %eax\n"                  \
	"3:	add $8, %r8\n"             \
	"	jnz 2b\n"                    \
	"	ret\n"

__asm__("	.text\n"
	"	.globl red_zone\n"
	"	.type red_zone, @function\n"
	"red_zone:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov $8, %r10\n" FILL "	syscall\n" COUNT_AND_RETURN "	.globl red_zone_spin\n"
	"	.type red_zone_spin, @function\n"
	"red_zone_spin:\n" FILL "4:	pause\n"
	"	cmpl $0, (%rdi)\n"
	"	je 4b\n" COUNT_AND_RETURN);
/* clang-format on */

static volatile sig_atomic_t handled;

static void handler(int sig)
{
	(void)sig;
	handled++;
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler };
	struct itimerval timer = { { 0, 0 }, { 0, 5000 } };
	sigset_t set;
	long bad;

	sigaction(SIGALRM, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	say("semget: %ld words changed", red_zone(SYS_semget, some_key(1), 0, 0));
	sigemptyset(&set);
	say("rt_sigprocmask: %ld", red_zone(SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, 0));
	say("getppid: %ld", red_zone(SYS_getppid, 0, 0, 0));
	bad = red_zone(SYS_kill, getpid(), SIGUSR1, 0);
	say("kill self: %ld, handled %d", bad, handled);
	bad = 0;
	for (int i = 0; i < 500; i++)
		bad += red_zone(SYS_semget, some_key(1), 0, 0);
	say("500 trapped calls: %ld", bad);
	handled = 0;
	setitimer(ITIMER_REAL, &timer, NULL);
	bad = red_zone_spin(&handled);
	say("timer: %ld, handled %d", bad, handled);
	return 0;
}
