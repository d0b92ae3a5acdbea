/* SPDX-License-Identifier: Apache-2.0 */
/* shmget: which object a key names, which flags and sizes are refused, and with what. */
#include "difftest.h"

static void by_key(void)
{
	key_t key = some_key(1);
	int id, again;

	SHOW(shmget(key, 100, 0));
	SHOW(shmget(key, 100, IPC_EXCL));
	id = (int)OK(shmget(key, 100, IPC_CREAT | 0640));
	again = (int)OK(shmget(key, 100, IPC_CREAT | 0640));
	FACT(id == again);
	SHOW(shmget(key, 100, IPC_CREAT | IPC_EXCL | 0640));
	FACT(shmget(key, 100, IPC_EXCL) == id);
	FACT(shmget(key, 0, 0) == id);
	FACT(shmget(key, 1, 0) == id);
	SHOW(shmget(key, 101, 0));
	SHOW(shmget(key, 4096, IPC_CREAT));
	SHOW(shmget(key, SIZE_MAX, 0));
	FACT(shmget(key, 100, 0600) == id);
	FACT(shmget(key, 100, 0777) == id);
	SHOW(shmctl(id, IPC_RMID, NULL));
	SHOW(shmget(key, 100, 0));
	SHOW(shmctl(id, IPC_RMID, NULL));
}

static void sizes(void)
{
	int id;

	SHOW(shmget(IPC_PRIVATE, 0, 0600));
	SHOW(shmget(IPC_PRIVATE, SIZE_MAX, 0600));
	SHOW(shmget(IPC_PRIVATE, SIZE_MAX - 4096, 0600));
	SHOW(shmget(IPC_PRIVATE, (size_t)1 << 63, 0600));
	SHOW(shmget(some_key(2), 0, IPC_CREAT | 0600));
	SHOW(shmget(some_key(2), 0, 0));
	id = (int)OK(shmget(IPC_PRIVATE, 1, 0600));
	SHOW(shmctl(id, IPC_RMID, NULL));
	id = (int)OK(shmget(IPC_PRIVATE, (size_t)1 << 32, SHM_NORESERVE | 0600));
	SHOW(shmctl(id, IPC_RMID, NULL));
}

static void mode(void)
{
	struct shmid_ds ds;
	int id;

	for (int bits = 0; bits <= 0777; bits += 0111 + 0022) {
		id = (int)MUST(shmget(IPC_PRIVATE, 5000, IPC_CREAT | bits));
		MUST(shmctl(id, IPC_STAT, &ds));
		say_perm("shm", &ds.shm_perm);
		shm_remove(id);
	}
	id = (int)OK(shmget(IPC_PRIVATE, 5000, 07000777 & ~(SHM_HUGETLB | SHM_NORESERVE)));
	MUST(shmctl(id, IPC_STAT, &ds));
	say("mode %#o size %lu nattch %lu", ds.shm_perm.mode, (unsigned long)ds.shm_segsz, (unsigned long)ds.shm_nattch);
	FACT(ds.shm_cpid == getpid());
	FACT(ds.shm_lpid == 0);
	FACT(ds.shm_atime == 0);
	FACT(ds.shm_dtime == 0);
	FACT(ds.shm_ctime != 0);
	shm_remove(id);
}

static void private_is_new(void)
{
	int a = (int)OK(shmget(IPC_PRIVATE, 4096, 0));
	int b = (int)OK(shmget(IPC_PRIVATE, 4096, IPC_EXCL));
	int c = (int)OK(shmget(IPC_PRIVATE, 4096, IPC_CREAT | IPC_EXCL));

	FACT(a != b && b != c && a != c);
	shm_remove(a);
	shm_remove(b);
	shm_remove(c);
}

int main(void)
{
	by_key();
	sizes();
	mode();
	private_is_new();
	return 0;
}
