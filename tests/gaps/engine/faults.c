/* SPDX-License-Identifier: Apache-2.0 */
/* SIGSEGV, SIGBUS, SIGFPE, SIGILL and SIGTRAP of the guest's own making reach its handlers as ever. */
#include "difftest.h"

#include <setjmp.h>
#include <ucontext.h>

static sigjmp_buf escape;
static volatile int code, sig_got;
static void *volatile address;
static char *altstack;

static void jumps(int sig, siginfo_t *info, void *context)
{
	(void)context;
	sig_got = sig;
	code = info->si_code;
	address = info->si_addr;
	semget(some_key(1), 0, 0);
	siglongjmp(escape, 1);
}

/* Repairs: makes the page writable and returns to the faulting instruction. */
static void repairs(int sig, siginfo_t *info, void *context)
{
	char *page = (char *)((uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1));

	(void)sig;
	(void)context;
	code++;
	mprotect(page, PAGE, PROT_READ | PROT_WRITE);
}

/* Steps over a two-byte instruction. */
static void steps(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	code = info->si_code;
	uc->uc_mcontext.gregs[REG_RIP] += 2;
	uc->uc_mcontext.gregs[REG_RAX] = 4711;
}

static void install(int sig, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	MUST(sigaction(sig, &sa, NULL));
}

#define TRY(what, statement)                                                         \
	do {                                                                         \
		sig_got = 0;                                                         \
		if (!sigsetjmp(escape, 1)) {                                         \
			statement;                                                   \
			say("%s: nothing", what);                                    \
		} else {                                                             \
			say("%s: SIG%s code %d", what, sigabbrev_np(sig_got), code); \
		}                                                                    \
	} while (0)

__attribute__((noinline)) static long overflow(long n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n > 0 ? overflow(n + 1) + room[0] : 0;
}

static void divide(volatile int *by)
{
	__asm__ volatile("xor %%edx, %%edx\n\tdivl %0" : : "m"(*by), "a"(1) : "edx");
}

static void *thread(void *arg)
{
	stack_t ss = { .ss_sp = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), .ss_size = 65536 };

	(void)arg;
	MUST(sigaltstack(&ss, NULL));
	TRY("overflow in a thread", say("%ld", overflow(1)));
	return NULL;
}

int main(void)
{
	char *page = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t ss = { .ss_size = 65536 };
	char name[] = "/tmp/difftest-XXXXXX";
	volatile char *file;
	volatile int zero = 0;
	volatile uintptr_t nowhere = 0;
	long result;
	int fd;

	altstack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ss.ss_sp = altstack;
	MUST(sigaltstack(&ss, NULL));
	install(SIGSEGV, jumps);
	install(SIGBUS, jumps);
	install(SIGFPE, jumps);
	install(SIGILL, jumps);
	install(SIGTRAP, jumps);
	TRY("read NULL", (void)*(volatile char *)nowhere);
	FACT(address == NULL);
	TRY("write read-only", *(volatile char *)page = 1);
	FACT(address == page);
	TRY("call data", ((void (*)(void))(uintptr_t)page)());
	TRY("non-canonical", (void)*(volatile char *)(uintptr_t)0x8000000000000000u);
	TRY("divide", divide(&zero));
	TRY("ud2", __asm__ volatile("ud2"));
	TRY("int3", __asm__ volatile("int3"));
	TRY("hlt", __asm__ volatile("hlt"));
	fd = (int)MUST(mkstemp(name));
	unlink(name);
	MUST(ftruncate(fd, PAGE));
	file = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	TRY("beyond end of file", (void)file[PAGE]);
	TRY("stack overflow", say("%ld", overflow(1)));
	TRY("stack overflow again", say("%ld", overflow(1)));
	pthread_join(thread_start(thread, NULL), NULL);
	SHOW(semget(some_key(1), 0, 0));

	install(SIGSEGV, repairs);
	code = 0;
	for (int i = 0; i < 8; i++)
		page[i * PAGE] = 1;
	say("repaired %d pages", code);
	install(SIGILL, steps);
	__asm__ volatile("mov $1, %%eax\n\tud2" : "=a"(result));
	say("stepped over: %ld, code %d", result, code);
	signal(SIGSEGV, SIG_DFL);
	CHILD((void)*(volatile char *)(uintptr_t)8);
	CHILD(raise(SIGSEGV));
	CHILD(signal(SIGSEGV, SIG_IGN); raise(SIGSEGV); say("ignored"); (void)*(volatile char *)(uintptr_t)8);
	return 0;
}
