/* SPDX-License-Identifier: Apache-2.0 */
/* Every register that the kernel preserves over a system call or a signal is preserved by a trapped one, too. */
#include "difftest.h"

#include <cpuid.h>

/* General registers in, out; then vector registers. Filled with a pattern before the call, read back after it. */
struct registers {
	uint64_t general[16]; /* rax rbx rcx rdx rsi rdi rbp rsp r8 … r15 */
	uint64_t flags;
	unsigned char ymm[16][32];
	uint16_t fpu_control;
	uint32_t mxcsr;
	double st0;
};

static struct registers before, after;
static volatile sig_atomic_t handled;
int has_avx; /* used from the assembly below */

void call_with_registers(struct registers *in, struct registers *out);

/* rdi = in, rsi = out; kept on the stack over the call. */
__asm__("	.text\n"
	"	.globl call_with_registers\n"
	"	.type call_with_registers, @function\n"
	"call_with_registers:\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	push %rsi\n"
	"	mov %rdi, %rax\n"
	"	cmpl $0, has_avx(%rip)\n"
	"	je 1f\n"
	"	.set n, 0\n"
	"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovdqu 136+32*\\r(%rax), %ymm\\r\n"
	"	.endr\n"
	"	jmp 2f\n"
	"1:\n"
	"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movdqu 136+32*\\r(%rax), %xmm\\r\n"
	"	.endr\n"
	"2:	mov 8(%rax), %rbx\n	mov 24(%rax), %rdx\n	mov 32(%rax), %rsi\n	mov 40(%rax), %rdi\n	mov 48(%rax), %rbp\n"
	"	mov 64(%rax), %r8\n	mov 72(%rax), %r9\n	mov 80(%rax), %r10\n	mov 88(%rax), %r11\n	mov 96(%rax), %r12\n"
	"	mov 104(%rax), %r13\n	mov 112(%rax), %r14\n	mov 120(%rax), %r15\n"
	"	mov 16(%rax), %rcx\n"
	"	pushq 128(%rax)\n"
	"	popfq\n"
	"	mov (%rax), %rax\n"
	"	syscall\n"
	"after_call:\n"
	"	push %rax\n"
	"	pushfq\n"
	"	mov 16(%rsp), %rax\n"
	"	popq 128(%rax)\n"
	"	popq (%rax)\n"
	"	mov %rbx, 8(%rax)\n	mov %rcx, 16(%rax)\n	mov %rdx, 24(%rax)\n	mov %rsi, 32(%rax)\n	mov %rdi, 40(%rax)\n"
	"	mov %rbp, 48(%rax)\n	mov %r8, 64(%rax)\n	mov %r9, 72(%rax)\n	mov %r10, 80(%rax)\n	mov %r11, 88(%rax)\n"
	"	mov %r12, 96(%rax)\n	mov %r13, 104(%rax)\n	mov %r14, 112(%rax)\n	mov %r15, 120(%rax)\n"
	"	lea after_call(%rip), %rcx\n"
	"	mov %rcx, 56(%rax)\n" /* where rcx should point, in rsp's place */
	"	cmpl $0, has_avx(%rip)\n"
	"	je 3f\n"
	"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovdqu %ymm\\r, 136+32*\\r(%rax)\n"
	"	.endr\n"
	"	vzeroupper\n"
	"	jmp 4f\n"
	"3:\n"
	"	.irp r,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movdqu %xmm\\r, 136+32*\\r(%rax)\n"
	"	.endr\n"
	"4:	cld\n"
	"	pop %rsi\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n");

static void handler(int sig)
{
	volatile double x = 1.5;

	(void)sig;
	handled++;
	for (int i = 0; i < 100; i++)
		x = x * 1.25 / 1.125;
	trapped_ok();
}

static void one(const char *what, long nr, long a, long b, long c, long d)
{
	static const char *const names[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "",
					     "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
	char changed[300] = "";
	int vectors = 0;
	uint16_t control = 0x027f, control_after;
	uint32_t mxcsr = 0x1f80 | 0x6000, mxcsr_after;
	double in = 3.25, out;

	for (int i = 0; i < 16; i++)
		before.general[i] = 0x1111111111111111u * (unsigned int)i + 5;
	for (int i = 0; i < 16; i++)
		memset(before.ymm[i], 0xa0 + i, 32);
	before.general[0] = (uint64_t)nr;
	before.general[5] = (uint64_t)a;
	before.general[4] = (uint64_t)b;
	before.general[3] = (uint64_t)c;
	before.general[10] = (uint64_t)d;
	before.flags = 0x202 | 0x8d5; /* carry, parity, adjust, zero, sign, overflow */
	__asm__ volatile("fninit\n\tfldcw %0\n\tldmxcsr %1\n\tfldl %2" : : "m"(control), "m"(mxcsr), "m"(in));
	call_with_registers(&before, &after);
	__asm__ volatile("fstpl %0\n\tfnstcw %1\n\tstmxcsr %2" : "=m"(out), "=m"(control_after), "=m"(mxcsr_after));
	__asm__ volatile("fninit\n\tldmxcsr %0" : : "m"((uint32_t){ 0x1f80 }));
	for (int i = 1; i < 16; i++)
		if (i != 2 && i != 7 && i != 11 && after.general[i] != before.general[i])
			snprintf(changed + strlen(changed), sizeof(changed) - strlen(changed), " %s", names[i]);
	for (int i = 0; i < 16; i++)
		vectors += memcmp(before.ymm[i], after.ymm[i], has_avx ? 32 : 16) != 0;
	say("%s: changed:%s, vectors %d, flags %s, rcx %s, r11 %s, x87 %s %s, mxcsr %s", what, changed, vectors,
	    after.flags == before.flags ? "same" : "differ", after.general[2] == after.general[7] ? "next instruction" : "other",
	    after.general[11] == before.flags ? "flags" : "other", out == in ? "same" : "differs",
	    control_after == control ? "same" : "differs", (mxcsr_after & ~0x3fu) == mxcsr ? "same" : "differs");
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler };
	struct itimerval timer = { { 0, 200 }, { 0, 200 } }, off = { { 0, 0 }, { 0, 0 } };
	unsigned int eax, ebx, ecx = 0, edx;
	sigset_t set;

	has_avx = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_AVX) && (ecx & bit_OSXSAVE);
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&set);
	one("getppid", SYS_getppid, 1, 2, 3, 4);
	one("semget", SYS_semget, 0x1b0000ff, 0, 0, 4);
	say("result %ld", (long)after.general[0]);
	one("semop with a bad pointer", SYS_semop, sem_new(1), (long)bad_pointer(), 1, 0);
	one("rt_sigprocmask", SYS_rt_sigprocmask, SIG_BLOCK, (long)&set, 0, 8);
	one("sigaltstack", SYS_sigaltstack, 0, 0, 3, 4);
	one("open", SYS_open, (long)"/nonexistent", 0, 0, 0);
	one("execve that fails", SYS_execve, (long)"/nonexistent", 0, 0, 0);
	one("kill self", SYS_kill, getpid(), SIGUSR1, 0, 0);
	say("handled %d", handled);
	for (int i = 0; i < 3; i++)
		one("semget again", SYS_semget, 0x1b0000ff, 0, 0, 4);
	/* Under a storm of signals, whose handlers use the FPU and make trapped calls. */
	setitimer(ITIMER_REAL, &timer, NULL);
	for (int i = 0; i < scaled(20000); i++) {
		memset(&after, 0, sizeof(after));
		for (int r = 0; r < 16; r++)
			before.general[r] = 0x1111111111111111u * (unsigned int)r + 5;
		before.general[0] = SYS_semget;
		before.general[5] = 0x1b0000ff;
		before.general[4] = before.general[3] = 0;
		before.flags = 0x202;
		call_with_registers(&before, &after);
		for (int r = 1; r < 16; r++)
			if (r != 2 && r != 7 && r != 11 && after.general[r] != before.general[r])
				say("round %d: register %d changed", i, r);
		if ((long)after.general[0] != -ENOENT || memcmp(before.ymm, after.ymm, has_avx ? 512 : 0))
			say("round %d: result %ld or vectors changed", i, (long)after.general[0]);
	}
	setitimer(ITIMER_REAL, &off, NULL);
	return 0;
}
