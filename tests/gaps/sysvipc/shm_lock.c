/* SPDX-License-Identifier: Apache-2.0 */
/* SHM_LOCK and SHM_UNLOCK: the mode bit, who may, and limits. */
#include "difftest.h"

#include <sys/resource.h>

static void say_mode(int id)
{
	struct shmid_ds ds;

	MUST(shmctl(id, IPC_STAT, &ds));
	say("mode %#o", ds.shm_perm.mode);
}

int main(void)
{
	struct rlimit none = { 0, 0 };
	int id = shm_new(4096);

	SHOW(shmctl(id, SHM_LOCK, NULL));
	say_mode(id);
	SHOW(shmctl(id, SHM_LOCK, NULL));
	say_mode(id);
	SHOW(shmctl(id, SHM_UNLOCK, NULL));
	say_mode(id);
	SHOW(shmctl(id, SHM_UNLOCK, NULL));
	SHOW(shmctl(id, SHM_LOCK, bad_pointer()));
	SHOW(shmctl(-1, SHM_LOCK, NULL));
	CHILD({
		MUST(setrlimit(RLIMIT_MEMLOCK, &none));
		say("no RLIMIT_MEMLOCK:");
		SHOW(shmctl(id, SHM_LOCK, NULL));
	});
	if (geteuid() == 0) {
		AS_USER(1000, 1000, {
			SHOW(shmctl(id, SHM_LOCK, NULL));
			SHOW(shmctl(id, SHM_UNLOCK, NULL));
			id = shm_new(4096);
			SHOW(shmctl(id, SHM_LOCK, NULL));
			say_mode(id);
			SHOW(shmctl(id, SHM_UNLOCK, NULL));
			MUST(setrlimit(RLIMIT_MEMLOCK, &none));
			SHOW(shmctl(id, SHM_LOCK, NULL));
			SHOW(shmctl(id, SHM_UNLOCK, NULL));
			shm_remove(id);
		});
	}
	SHOW(shmctl(id, SHM_LOCK, NULL));
	shm_remove(id);
	SHOW(shmctl(id, SHM_LOCK, NULL));
	return 0;
}
