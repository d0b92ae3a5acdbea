/* SPDX-License-Identifier: Apache-2.0 */
/* sigaltstack: handlers on it, nested ones, what it reads back, SS_AUTODISARM, one too small for any frame. */
#include "difftest.h"

#ifndef SS_AUTODISARM /* <linux/signal.h> cannot be had beside <signal.h> */
#define SS_AUTODISARM (1u << 31)
#endif

static char *stack;
static volatile int depth, runs;

static const char *where(void)
{
	volatile char here;
	uintptr_t at = (uintptr_t)&here;

	return at >= (uintptr_t)stack && at < (uintptr_t)stack + 256 * 1024 ? "alternate" : "normal";
}

static void say_altstack(const char *what)
{
	stack_t ss;

	MUST(sigaltstack(NULL, &ss));
	say("%s: flags %#x, size %zu, at the stack %d", what, (unsigned int)ss.ss_flags, ss.ss_size, ss.ss_sp == stack);
}

static void handler(int sig)
{
	char key_room[512];

	(void)sig;
	memset(key_room, depth, sizeof(key_room));
	depth++;
	if (depth <= 3 || depth == 12)
		say("depth %d on the %s stack", depth, where());
	if (semget(some_key(1), 0, 0) != -1 || errno != ENOENT)
		say("trapped call failed");
	if (++runs < 12)
		raise(depth % 2 ? SIGUSR2 : SIGUSR1);
	depth--;
	if (key_room[100] != depth)
		say("stack overwritten");
}

static void tells(int sig)
{
	stack_t ss = { .ss_sp = stack, .ss_size = 64 * 1024 };

	(void)sig;
	say("on the %s stack", where());
	say_altstack("in handler");
	SHOW(sigaltstack(&ss, NULL));
	ss.ss_flags = SS_DISABLE;
	SHOW(sigaltstack(&ss, NULL));
	SHOW(semget(some_key(1), 0, 0));
}

static void set_size(size_t size)
{
	stack_t ss = { .ss_sp = stack, .ss_size = size };

	say("size %zu: %s", size, sigaltstack(&ss, NULL) ? errno_name(errno) : "ok");
}

int main(void)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER };
	stack_t ss = { .ss_flags = SS_DISABLE }, odd;

	stack = mmap(NULL, 256 * 1024, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	say("start: %d", sigaltstack(NULL, &odd) == 0 && odd.ss_flags == SS_DISABLE);
	set_size(256 * 1024);
	say_altstack("set");
	sigaction(SIGUSR1, &sa, NULL);
	sigaction(SIGUSR2, &sa, NULL);
	raise(SIGUSR1);
	sa.sa_flags = 0;
	sigaction(SIGUSR2, &sa, NULL);
	runs = 0;
	raise(SIGUSR1); /* every second handler does not ask for the stack but stays on it */
	sa.sa_handler = tells;
	sa.sa_flags = SA_ONSTACK;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	say_altstack("after handler");
	CHILD(say_altstack("forked"); raise(SIGUSR1));

	ss = (stack_t){ .ss_sp = stack, .ss_size = 64 * 1024, .ss_flags = (int)SS_AUTODISARM };
	SHOW(sigaltstack(&ss, &odd));
	say_altstack("autodisarm");
	raise(SIGUSR1);
	say_altstack("after handler");

	odd = (stack_t){ .ss_sp = stack, .ss_size = 64 * 1024, .ss_flags = 77 };
	SHOW(sigaltstack(&odd, NULL));
	SHOW(sigaltstack(bad_pointer(), NULL));
	SHOW(sigaltstack(NULL, bad_pointer()));
	set_size(100);
	set_size(2047);
	set_size(2048); /* smaller than a frame: fine as long as no signal uses it */
	for (int i = 0; i < 1000; i++)
		if (semget(some_key(1), 0, 0) != -1 || errno != ENOENT)
			say("trapped call failed");
	say_altstack("after 1000 trapped calls");
	memset(stack + 2048, 0x77, 4096);
	SHOW(semget(some_key(1), 0, 0));
	FACT(stack[2048] == 0x77 && stack[6143] == 0x77);
	ss.ss_flags = SS_DISABLE;
	SHOW(sigaltstack(&ss, NULL));
	say("end: %d", sigaltstack(NULL, &odd) == 0 && odd.ss_flags == SS_DISABLE);
	return 0;
}
