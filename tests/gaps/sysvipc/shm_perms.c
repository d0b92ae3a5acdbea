/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what with a segment: owner, creator, group, others, and a privileged user. */
#include "difftest.h"

static void try_all(const char *who, int id, key_t key)
{
	struct shmid_ds ds;
	void *at;

	say("%s:", who);
	OK(shmget(key, 0, 0));
	OK(shmget(key, 0, 0400));
	OK(shmget(key, 0, 0600));
	OK(shmget(key, 0, 0004));
	OK(shmget(key, 0, 0006));
	SHOW(shmctl(id, IPC_STAT, &ds));
	at = shmat(id, NULL, SHM_RDONLY);
	say("attach read-only: %s", at == (void *)-1 ? errno_name(errno) : "ok");
	at = shmat(id, NULL, 0);
	say("attach read-write: %s", at == (void *)-1 ? errno_name(errno) : "ok");
	at = shmat(id, NULL, SHM_EXEC | SHM_RDONLY);
	say("attach executable: %s", at == (void *)-1 ? errno_name(errno) : "ok");
	memset(&ds, 0, sizeof(ds));
	ds.shm_perm.uid = 1000;
	ds.shm_perm.gid = 1000;
	ds.shm_perm.mode = 0;
	if (strcmp(who, "privileged") != 0 && strcmp(who, "owner") != 0) {
		SHOW(shmctl(id, IPC_SET, &ds));
		SHOW(shmctl(id, IPC_RMID, NULL));
	}
	SHOW(shmctl(id, SHM_LOCK, NULL));
	SHOW(shmctl(id, SHM_UNLOCK, NULL));
}

static void with_mode(unsigned int mode, int n)
{
	key_t key = some_key(n);
	int id = (int)MUST(shmget(key, 4096, IPC_CREAT | 0600));
	struct shmid_ds ds;

	MUST(shmctl(id, IPC_STAT, &ds));
	ds.shm_perm.uid = 1000;
	ds.shm_perm.gid = 1000;
	ds.shm_perm.mode = (unsigned short)mode;
	say("--- mode %#o", mode);
	SHOW(shmctl(id, IPC_SET, &ds));
	try_all("privileged", id, key);
	AS_USER(1000, 1000, try_all("owner", id, key));
	AS_USER(2000, 1000, try_all("group", id, key));
	AS_USER(2000, 2000, try_all("other", id, key));
	AS_USER(2000, 0, try_all("creator's group", id, key));
	shm_remove(id);
}

int main(void)
{
	int id;

	if (geteuid() != 0) {
		say("skip: not root");
		return 0;
	}
	with_mode(0, 1);
	with_mode(0600, 2);
	with_mode(0400, 3);
	with_mode(0060, 4);
	with_mode(0640, 5);
	with_mode(0604, 6);
	with_mode(0666, 7);
	with_mode(0066, 8);
	with_mode(0111, 9);
	AS_USER(1000, 1000, {
		struct shmid_ds ds;

		id = (int)MUST(shmget(some_key(10), 4096, IPC_CREAT | 0600));
		MUST(shmctl(id, IPC_STAT, &ds));
		ds.shm_perm.uid = 2000; /* gives it away, remains the creator */
		SHOW(shmctl(id, IPC_SET, &ds));
		SHOW(shmctl(id, IPC_STAT, &ds));
		say_perm("given away", &ds.shm_perm);
		ds.shm_perm.uid = 1000;
		SHOW(shmctl(id, IPC_SET, &ds));
		SHOW(shmctl(id, IPC_RMID, NULL));
	});
	return 0;
}
