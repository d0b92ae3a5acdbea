/* SPDX-License-Identifier: Apache-2.0 */
/* makecontext and swapcontext, which change the mask on the way, and stacks that the engine has never seen. */
#include "difftest.h"

#include <ucontext.h>

static ucontext_t main_context, one, two;
static int id, turns;

static void body(int number)
{
	sigset_t set;

	for (int i = 0; i < 200; i++) {
		turns += trapped_ok() && sem_do(id, 0, 1, 0) == 0;
		swapcontext(number == 1 ? &one : &two, number == 1 ? &two : &one);
	}
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("coroutine %d: USR1 blocked %d, USR2 blocked %d", number, sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
}

int main(void)
{
	size_t size = 16384;
	char *stacks = mmap(NULL, 4 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	sigset_t set;

	id = sem_new(1);
	getcontext(&one);
	one.uc_stack = (stack_t){ .ss_sp = stacks, .ss_size = size };
	one.uc_link = &two;
	sigaddset(&one.uc_sigmask, SIGUSR1);
	makecontext(&one, (void (*)(void))(uintptr_t)body, 1, 1);
	getcontext(&two);
	two.uc_stack = (stack_t){ .ss_sp = stacks + 2 * size, .ss_size = size };
	two.uc_link = &main_context;
	sigaddset(&two.uc_sigmask, SIGUSR2);
	makecontext(&two, (void (*)(void))(uintptr_t)body, 1, 2);
	swapcontext(&main_context, &one);
	say("turns %d, value %d", turns, sem_value(id, 0));
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("main: USR1 blocked %d, USR2 blocked %d", sigismember(&set, SIGUSR1), sigismember(&set, SIGUSR2));
	sem_remove(id);
	return 0;
}
