/* SPDX-License-Identifier: Apache-2.0 */
/* shmctl: IPC_STAT, IPC_SET, SHM_STAT, SHM_STAT_ANY, IPC_INFO, SHM_INFO and commands that are none. */
#include "difftest.h"

static int find_index(int id, int command)
{
	struct shm_info info;
	struct shmid_ds ds;
	int top = shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info);

	for (int i = 0; i <= top; i++)
		if (shmctl(i, command, &ds) == id)
			return i;
	return -1;
}

static void infos(void)
{
	struct shminfo limits;
	struct shm_info before, after;
	int a, b;

	memset(&limits, 0, sizeof(limits));
	FACT(shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&limits) >= 0);
	say("shmmax %lu shmmin %lu shmmni %lu shmseg %lu shmall %lu", limits.shmmax, limits.shmmin, limits.shmmni, limits.shmseg,
	    limits.shmall);
	FACT(shmctl(-1, IPC_INFO, (struct shmid_ds *)(void *)&limits) == -1 && errno == EINVAL);
	FACT(shmctl(12345, IPC_INFO, (struct shmid_ds *)(void *)&limits) >= 0);
	MUST(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&before));
	a = shm_new(3 * PAGE);
	b = shm_new(1);
	MUST(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&after));
	say("two more: used_ids %d shm_tot %lu", after.used_ids - before.used_ids, after.shm_tot - before.shm_tot);
	memset(shm_attach(a), 1, 2 * PAGE);
	MUST(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&after));
	say("two pages touched: shm_rss %lu shm_swp %lu", after.shm_rss - before.shm_rss, after.shm_swp - before.shm_swp);
	say("swap figures: %lu %lu", after.swap_attempts, after.swap_successes);
	shm_remove(b);
	MUST(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&after));
	say("one removed: used_ids %d shm_tot %lu", after.used_ids - before.used_ids, after.shm_tot - before.shm_tot);
	shm_remove(a);
	MUST(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&after));
	say("one removed in use: used_ids %d shm_tot %lu", after.used_ids - before.used_ids, after.shm_tot - before.shm_tot);
}

static void set(int id)
{
	struct shmid_ds ds, got;

	MUST(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.mode = 07641;
	ds.shm_segsz = 7;
	ds.shm_nattch = 9;
	ds.shm_cpid = 1;
	ds.shm_perm.cuid = 77;
	ds.shm_perm.__key = 99;
	SHOW(shmctl(id, IPC_SET, &ds));
	MUST(shmctl(id, IPC_STAT, &got));
	say_perm("set", &got.shm_perm);
	say("segsz %lu nattch %lu cpid %s", (unsigned long)got.shm_segsz, (unsigned long)got.shm_nattch, whose_pid(got.shm_cpid));
	FACT(got.shm_ctime >= ds.shm_ctime);
	ds.shm_perm.uid = (uid_t)-1;
	SHOW(shmctl(id, IPC_SET, &ds));
	ds.shm_perm.uid = getuid();
	ds.shm_perm.gid = (gid_t)-1;
	SHOW(shmctl(id, IPC_SET, &ds));
	MUST(shmctl(id, IPC_STAT, &got));
	say_perm("after refused IPC_SET", &got.shm_perm);
}

static void refused(int id)
{
	struct shmid_ds ds;

	SHOW(shmctl(id, 999, &ds));
	SHOW(shmctl(id, -1, &ds));
	SHOW(shmctl(id, GETVAL, &ds));
	SHOW(shmctl(-1, IPC_STAT, &ds));
	SHOW(shmctl(-1, IPC_RMID, &ds));
	SHOW(shmctl(-1, 999, &ds));
	SHOW(shmctl(-1, SHM_INFO, &ds));
	SHOW(shmctl(-1, SHM_STAT, &ds));
	SHOW(shmctl(0x7fffffff, IPC_STAT, &ds));
	SHOW(shmctl(0x7fffffff, IPC_SET, &ds));
	SHOW(shmctl(0x7fffffff, IPC_RMID, &ds));
	SHOW(shmctl(0x7fffffff, SHM_LOCK, &ds));
	SHOW(shmctl(0x7ffffff0, SHM_STAT, &ds));
	SHOW(shmctl(0x7ffffff0, SHM_STAT_ANY, &ds));
}

int main(void)
{
	int id = shm_new(5000), index;
	struct shmid_ds ds;

	infos();
	refused(id);
	set(id);
	index = find_index(id, SHM_STAT);
	FACT(index >= 0);
	FACT(find_index(id, SHM_STAT_ANY) == index);
	memset(&ds, 0xee, sizeof(ds));
	FACT(shmctl(index, SHM_STAT, &ds) == id);
	say("SHM_STAT: segsz %lu nattch %lu mode %#o", (unsigned long)ds.shm_segsz, (unsigned long)ds.shm_nattch, ds.shm_perm.mode);
	SHOW(shmctl(id, IPC_STAT, &ds));
	shm_remove(id);
	SHOW(shmctl(id, IPC_STAT, &ds));
	SHOW(shmctl(index, SHM_STAT, &ds));
	SHOW(shmctl(id, IPC_SET, &ds));
	return 0;
}
