/* SPDX-License-Identifier: Apache-2.0 */
/* shmat: addresses and flags, what they allow and what they refuse. */
#include "difftest.h"

#include <setjmp.h>

static sigjmp_buf escape;

static void on_fault(int sig)
{
	siglongjmp(escape, sig);
}

static const char *store(volatile char *at)
{
	int sig = sigsetjmp(escape, 1);

	if (sig)
		return sig == SIGSEGV ? "SIGSEGV" : "SIGBUS";
	*at = 42;
	return "ok";
}

static const char *execute(void *at)
{
	int sig = sigsetjmp(escape, 1);

	if (sig)
		return sig == SIGSEGV ? "SIGSEGV" : "another signal";
	((void (*)(void))at)(); /* one `ret` */
	return "ok";
}

static void addresses(int id, char *room)
{
	char *at;

	OK(shmat(id, room + 1, 0));
	OK(shmat(id, room + 2048, 0));
	OK(shmat(id, room + 1, SHM_REMAP));
	FACT(shmat(id, room, 0) == (void *)-1 && errno == EINVAL); /* something is mapped there */
	MUST(munmap(room, 8 * PAGE));
	at = shmat(id, room, 0);
	FACT(at == room);
	FACT(shmat(id, room, 0) == (void *)-1 && errno == EINVAL);
	FACT(shmat(id, room + PAGE, 0) == (void *)-1 && errno == EINVAL); /* overlaps from within */
	FACT(shmat(id, room - PAGE, 0) == (void *)-1 && errno == EINVAL);
	say("nattch %ld", attached(id));
	SHOW(shmdt(at));
	at = shmat(id, room + 123, SHM_RND);
	FACT(at == room);
	SHOW(shmdt(room + 123));
	SHOW(shmdt(room));
	at = shmat(id, room + 2 * PAGE - 1, SHM_RND);
	FACT(at == room + PAGE);
	SHOW(shmdt(at));
	OK(shmat(id, (void *)1, SHM_RND | SHM_REMAP)); /* rounds to NULL: no remap of anywhere */
	OK(shmat(id, (void *)(UINT64_C(1) << 63), 0));
	OK(shmat(id, (void *)~0xfffUL, 0));
}

static void remap(int id)
{
	char *room = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at;

	memset(room, 'x', 8 * PAGE);
	OK(shmat(id, NULL, SHM_REMAP));
	at = shmat(id, room + PAGE, SHM_REMAP);
	FACT(at == room + PAGE);
	say("%c%d%d%c", room[PAGE - 1], at[0] == 'x', at[2 * PAGE - 1] == 'x', at[2 * PAGE]);
	say("nattch %ld", attached(id));
	at = shmat(id, room + PAGE, SHM_REMAP); /* over itself: one goes, one comes */
	FACT(at == room + PAGE);
	say("nattch %ld", attached(id));
	SHOW(shmdt(at));
	say("nattch %ld", attached(id));
}

static void rights(int id)
{
	char *rw = shm_attach(id);
	char *ro = shmat(id, NULL, SHM_RDONLY);
	char *rx = shmat(id, NULL, SHM_EXEC);

	say("write to read-write: %s, to read-only: %s", store(rw), store(ro));
	say("seen through read-only: %d", ro[0]);
	SHOW(mprotect(ro, PAGE, PROT_READ | PROT_WRITE));
	rw[8] = (char)0xc3;
	say("execute: plain %s, SHM_EXEC %s, SHM_EXEC writable %s", execute(rw + 8), execute(rx + 8), store(rx));
	SHOW(shmdt(ro));
	SHOW(shmdt(rx));
	ro = shmat(id, NULL, SHM_RDONLY | SHM_EXEC);
	say("read-only and executable: execute %s, write %s", execute(ro + 8), store(ro));
	SHOW(shmdt(ro));
	SHOW(shmdt(rw));
}

int main(void)
{
	struct sigaction sa = { .sa_handler = on_fault };
	int id = shm_new(2 * PAGE);
	char *room = mmap(NULL, 8 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	sigaction(SIGSEGV, &sa, NULL);
	sigaction(SIGBUS, &sa, NULL);
	OK(shmat(-1, NULL, 0));
	OK(shmat(0x7fffffff, NULL, 0));
	OK(shmat(id ^ 0x40000000, NULL, 0));
	OK(shmat(-id - 2, NULL, 0));
	OK(shmat(-1, room + 1, 0));
	OK(shmat(0x7fffffff, room + 1, 0));
	addresses(id, room);
	remap(id);
	rights(id);
	say("nattch %ld", attached(id));
	SHOW(shmctl(id, IPC_RMID, NULL));
	OK(shmat(id, NULL, 0));
	return 0;
}
