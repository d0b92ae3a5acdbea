/* SPDX-License-Identifier: Apache-2.0 */
/* Bad pointers given to shmctl, and how many bytes of a structure are really touched. */
#include "difftest.h"

int main(void)
{
	int id = shm_new(4096);
	struct shmid_ds ds;

	MUST(shmctl(id, IPC_STAT, &ds));
	SHOW(shmctl(id, IPC_STAT, NULL));
	SHOW(shmctl(id, IPC_STAT, bad_pointer()));
	SHOW(shmctl(id, IPC_STAT, tail(sizeof(ds))));
	SHOW(shmctl(id, IPC_STAT, (struct shmid_ds *)(void *)((char *)tail(sizeof(ds)) + 1)));
	SHOW(shmctl(id, IPC_STAT, tail(sizeof(ds) - 8)));
	SHOW(shmctl(id, IPC_STAT, read_only_copy(&ds, sizeof(ds))));
	SHOW(shmctl(id, IPC_SET, NULL));
	SHOW(shmctl(id, IPC_SET, bad_pointer()));
	SHOW(shmctl(id, IPC_SET, tail_copy(&ds, sizeof(ds))));
	SHOW(shmctl(id, IPC_SET, read_only_copy(&ds, sizeof(ds))));
	SHOW(shmctl(id, IPC_SET, (struct shmid_ds *)(void *)((char *)tail(sizeof(ds)) + 8)));
	SHOW(shmctl(0x7fffffff, IPC_SET, bad_pointer()));
	SHOW(shmctl(0x7fffffff, IPC_STAT, bad_pointer()));
	SHOW(shmctl(-1, IPC_SET, bad_pointer()));
	SHOW(shmctl(0, IPC_INFO, NULL));
	SHOW(shmctl(0, IPC_INFO, bad_pointer()));
	FACT(shmctl(0, IPC_INFO, tail(sizeof(struct shminfo))) >= 0);
	SHOW(shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)((char *)tail(sizeof(struct shminfo)) + 8)));
	SHOW(shmctl(0, SHM_INFO, NULL));
	SHOW(shmctl(0, SHM_INFO, bad_pointer()));
	FACT(shmctl(0, SHM_INFO, tail(sizeof(struct shm_info))) >= 0);
	SHOW(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)((char *)tail(sizeof(struct shm_info)) + 8)));
	SHOW(shmctl(0x7ffffff0, SHM_STAT, bad_pointer()));
	SHOW(shmctl(id, IPC_RMID, bad_pointer()));
	return 0;
}
