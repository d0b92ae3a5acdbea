/* SPDX-License-Identifier: Apache-2.0 */
/* Threads made by raw clone without CLONE_SETTLS (they share the creator's fs base) make trapped calls. */
#include "difftest.h"

#include <linux/futex.h>
#include <sched.h>

enum { THREADS = 6, ROUNDS = 400, STACK = 32 * 1024 };

/* Makes a thread with the given flags whose child side runs raw_body(slot) on the new stack and ends by SYS_exit. */
long raw_clone(unsigned long flags, void *stack, int *parent_tid, int *child_tid, long slot);
long raw_body(long slot);

__asm__("	.text\n"
	"	.globl raw_clone\n"
	"	.type raw_clone, @function\n"
	"raw_clone:\n"
	"	mov %rcx, %r10\n" /* child_tid */
	"	mov %r8, %r9\n"   /* slot, kept in a register the call preserves */
	"	xor %r8d, %r8d\n" /* tls */
	"	mov $56, %eax\n"
	"	syscall\n"
	"	test %eax, %eax\n"
	"	jz 1f\n"
	"	ret\n"
	"1:	xor %ebp, %ebp\n"
	"	mov %r9, %rdi\n"
	"	and $-16, %rsp\n"
	"	call raw_body\n"
	"	mov %eax, %edi\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"	hlt\n");

static volatile long results[THREADS];
static volatile int tids[THREADS];

/* No libc here: errno and the stack protector live behind the fs base of another thread. */
static long raw(long nr, long a, long b, long c)
{
	register long r10 __asm__("r10") = 8;
	long ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
	return ret;
}

__attribute__((used)) long raw_body(long slot)
{
	struct sembuf up = { (unsigned short)slot, 1, 0 }, down = { (unsigned short)slot, -1, 0 };
	uint64_t mask = 1u << (SIGUSR1 - 1), old = 0, none = 0;
	long bad = 0, id = results[slot];

	for (int i = 0; i < ROUNDS; i++) {
		bad += raw(SYS_semop, id, (long)&up, 1) != 0;
		bad += raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, (long)&old) != 0;
		bad += raw(SYS_semop, id, (long)&down, 1) != 0;
		bad += raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, (long)&old) != 0;
		bad += (old & mask) == 0;
		bad += raw(SYS_semget, 0x1b0000ff, 0, 0) != -ENOENT;
	}
	results[slot] = bad;
	return 0;
}

int main(void)
{
	int id = sem_new(THREADS);
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_PARENT_SETTID |
		     CLONE_CHILD_CLEARTID;

	for (long i = 0; i < THREADS; i++) {
		char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		long tid;

		results[i] = id;
		tid = raw_clone((unsigned long)flags, stack + STACK, (int *)&tids[i], (int *)&tids[i], i);
		if (tid < 0)
			say("clone: %s", errno_name((int)-tid));
	}
	for (int i = 0; i < THREADS; i++) {
		int tid;

		while ((tid = tids[i]) != 0)
			syscall(SYS_futex, &tids[i], FUTEX_WAIT, tid, NULL, NULL, 0);
		say("thread %d: wrong %ld", i, results[i]);
	}
	say_values("values", id, THREADS);
	SHOW(trapped_ok());
	sem_remove(id);
	return 0;
}
