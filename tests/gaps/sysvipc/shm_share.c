/* SPDX-License-Identifier: Apache-2.0 */
/* Data is really shared: between relatives, with a program that only knows the id, at two addresses, with futexes. */
#include "difftest.h"

#include <linux/futex.h>

static uint32_t sum(const uint32_t *at, size_t count)
{
	uint32_t s = 0;

	for (size_t i = 0; i < count; i++)
		s = s * 31 + at[i];
	return s;
}

static void futexes(int id)
{
	uint32_t *word = shm_attach(id);
	pid_t pid;

	word[0] = 0;
	pid = fork_or_die();
	if (pid == 0) {
		uint32_t *mine = shm_attach(id); /* another address, the same word */

		while (__atomic_load_n(&mine[0], __ATOMIC_ACQUIRE) == 0)
			syscall(SYS_futex, &mine[0], FUTEX_WAIT, 0, NULL, NULL, 0);
		mine[1] = mine[0] + 1;
		_exit(0);
	}
	wait_asleep(pid);
	__atomic_store_n(&word[0], 41, __ATOMIC_RELEASE);
	say("woken through the futex: %ld", syscall(SYS_futex, &word[0], FUTEX_WAKE, 1, NULL, NULL, 0));
	reap(pid);
	say("answer %u", word[1]);
	SHOW(shmdt(word));
}

int main(int argc, char **argv)
{
	size_t count = 1 << 20;
	uint32_t *a, *b;
	char text[16];
	pid_t pid;
	int id;

	if (argc > 1) {
		a = shmat(atoi(argv[1]), NULL, 0);
		MUST((long)a);
		say("stranger sees %08x", sum(a, count));
		a[7] = 0x1234;
		return 0;
	}
	id = shm_new(count * sizeof(uint32_t));
	a = shm_attach(id);
	b = shm_attach(id);
	FACT(a != b);
	for (size_t i = 0; i < count; i++)
		a[i] = (uint32_t)i * 2654435761u;
	say("second address sees %08x", sum(b, count));
	CHILD({
		say("child sees %08x", sum(a, count));
		a[5] = 55;
	});
	say("parent sees %u", b[5]);
	snprintf(text, sizeof(text), "%d", id);
	pid = fork_or_die();
	if (pid == 0) {
		execl("/proc/self/exe", argv[0], text, NULL);
		_exit(1);
	}
	reap(pid);
	say("stranger left %#x", b[7]);
	SHOW(shmdt(a));
	say("first address gone, second sees %08x", sum(b, count));
	futexes(id);
	shm_remove(id);
	say("removed, still mapped: %08x", sum(b, count));
	SHOW(shmdt(b));

	id = (int)MUST(shmget(IPC_PRIVATE, (size_t)8 << 30, SHM_NORESERVE | 0600)); /* sparse: costs what is touched */
	a = shm_attach(id);
	a[((size_t)8 << 30) / 4 - 1] = 1;
	a[0] = 2;
	CHILD(b = shm_attach(id); say("8 GiB: %u %u %u", b[0], b[1 << 20], b[((size_t)8 << 30) / 4 - 1]));
	shm_remove(id);
	return 0;
}
