/* SPDX-License-Identifier: Apache-2.0 */
/* A detached thread that frees its own stack and ends, with nothing left to stand on in between, as musl's do. */
#include "difftest.h"

#include <linux/futex.h>
#include <sched.h>

enum { STACK = 64 * 1024 };

/* clone(flags, top of stack, &word, &word): the child stores 7 in *value, unmaps its stack and exits; its word is cleared by the kernel. */
long thread_that_unmaps(unsigned long flags, void *top, int *word, void *stack, volatile int *value);
__asm__("	.globl thread_that_unmaps\n"
	"thread_that_unmaps:\n"
	"	mov %rdx, %r10\n"
	"	mov %r8, %r9\n"
	"	mov %rcx, %r8\n"
	"	mov $56, %eax\n"
	"	syscall\n"
	"	test %eax, %eax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	movl $7, (%r9)\n"
	"	mov %r8, %rdi\n"
	"	mov $65536, %esi\n"
	"	mov $11, %eax\n"
	"	syscall\n"
	"	mov %eax, %edi\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"	hlt\n");

static bool run(void)
{
	unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			      CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	static int word;
	volatile int value = 0;
	void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigset_t all, old;
	long tid;

	word = -1;
	sigfillset(&all); /* no handler could run there */
	sigprocmask(SIG_SETMASK, &all, &old);
	tid = thread_that_unmaps(flags, (char *)stack + STACK, &word, stack, &value);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (tid < 0)
		return false;
	for (int now; (now = __atomic_load_n(&word, __ATOMIC_ACQUIRE)) != 0;)
		syscall(SYS_futex, &word, FUTEX_WAIT, now, NULL);
	/* gone: the page can be had again at that address, and nothing is there before */
	return value == 7 && msync(stack, PAGE, MS_ASYNC) == -1 && errno == ENOMEM;
}

int main(void)
{
	int good = 0, times = scaled(2000);

	for (int i = 0; i < times; i++)
		good += run();
	say("threads that unmapped their stacks: %d of %d", good, times);
	return 0;
}
