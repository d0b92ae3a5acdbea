/* SPDX-License-Identifier: Apache-2.0 */
/* A segment's size: kept exactly in shm_segsz, mapped in whole pages, zero-filled, nothing beyond it. */
#include "difftest.h"

#include <setjmp.h>

static sigjmp_buf escape;

static void on_fault(int sig)
{
	siglongjmp(escape, sig);
}

static const char *touch(volatile char *at)
{
	int sig = sigsetjmp(escape, 1);

	if (sig)
		return sig == SIGSEGV ? "SIGSEGV" : "SIGBUS";
	return *at == 0 ? "zero" : "something";
}

static void one(size_t size)
{
	char *room = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int id = (int)MUST(shmget(IPC_PRIVATE, size, 0600));
	size_t pages = (size + PAGE - 1) / PAGE * PAGE;
	char *at = shmat(id, room + 4 * PAGE, SHM_REMAP);
	struct shmid_ds ds;

	MUST((long)at);
	FACT(at == room + 4 * PAGE);
	MUST(shmctl(id, IPC_STAT, &ds));
	say("size %zu: segsz %lu, first %s, last %s, end of page %s, next page %s, page before %s", size,
	    (unsigned long)ds.shm_segsz, touch(at), touch(at + size - 1), touch(at + pages - 1), touch(at + pages), touch(at - 1));
	memset(at, 7, pages);
	SHOW(shmdt(at));
	say("after shmdt: %s", touch(at));
	at = shm_attach(id);
	say("content stays: %d %d", at[0], at[pages - 1]);
	SHOW(shmdt(at));
	shm_remove(id);
	munmap(room, 16 * PAGE);
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_fault };

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	one(1);
	one(100);
	one(PAGE - 1);
	one(PAGE);
	one(PAGE + 1);
	one(5 * PAGE - 17);
	return 0;
}
