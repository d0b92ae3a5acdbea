/* SPDX-License-Identifier: Apache-2.0 */
/* A blocking call that is cancelled the way musl and glibc since 2.41 do it: by the pc that the handler finds in its frame. */
#include "difftest.h"

#include <sys/syscall.h>

/* long cancellable(long nr, long a, long b, long c, volatile int *cancel): -ECANCELED once *cancel is set, even in the middle of the wait */
long cancellable(long nr, long a, long b, long c, volatile int *cancel);
extern const char cancellable_begin[], cancellable_end[], cancellable_cancel[];
__asm__(".globl cancellable, cancellable_begin, cancellable_end, cancellable_cancel\n"
	"cancellable:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	xor %r10d, %r10d\n"
	"cancellable_begin:\n"
	"	cmpl $0, (%r8)\n"
	"	jne cancellable_cancel\n"
	"	syscall\n"
	"cancellable_end:\n"
	"	ret\n"
	"cancellable_cancel:\n"
	"	mov $-125, %rax\n"
	"	ret\n");

static volatile int cancel;
static volatile sig_atomic_t elsewhere;

static void handler(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	long pc = uc->uc_mcontext.gregs[REG_RIP];

	(void)info;
	if (pc >= (long)cancellable_begin && pc < (long)cancellable_end) {
		uc->uc_mcontext.gregs[REG_RIP] = (long)cancellable_cancel;
		return;
	}
	elsewhere++;
	sigaddset(&uc->uc_sigmask, sig); /* not now: at the next call's check, or once more when it is unblocked */
}

struct waiter {
	long nr;
	int fd;
	volatile int waiting;
};

static void *wait_body(void *arg)
{
	struct waiter *w = arg;
	char byte[64] = { 0 };

	w->waiting = 1;
	switch (w->nr) {
	case SYS_read:
		return (void *)cancellable(w->nr, w->fd, (long)byte, 1, &cancel);
	case SYS_ppoll:
		return (void *)cancellable(w->nr, 0, 0, 0, &cancel);
	default: /* an empty set of signals: until one has a handler */
		return (void *)cancellable(w->nr, (long)byte, 8, 0, &cancel);
	}
}

static int run(const char *what, long nr, int times)
{
	int ends[2], cancelled = 0, interrupted = 0, other = 0;

	MUST(pipe(ends));
	for (int i = 0; i < times; i++) {
		struct waiter w = { .nr = nr, .fd = ends[0] };
		pthread_t thread;
		void *result;

		cancel = 0;
		thread = thread_start(wait_body, &w);
		while (!w.waiting)
			sched_yield();
		usleep((unsigned)(i % 10 * 30));
		cancel = 1;
		pthread_kill(thread, SIGUSR1);
		pthread_join(thread, &result);
		cancelled += (long)result == -ECANCELED;
		interrupted += (long)result == -EINTR;
		other += (long)result != -ECANCELED && (long)result != -EINTR;
	}
	say("%s: ended %d of %d, otherwise %d", what, cancelled + interrupted, times, other);
	return cancelled;
}

int main(void)
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART };
	int cancelled;

	sigaction(SIGUSR1, &sa, NULL);
	cancelled = run("read", SYS_read, scaled(1000));
	FACT(cancelled == scaled(1000)); /* it is restarted: there is no other end */
	(void)run("ppoll", SYS_ppoll, scaled(1000));
	(void)run("rt_sigsuspend", SYS_rt_sigsuspend, scaled(1000));
	return 0;
}
