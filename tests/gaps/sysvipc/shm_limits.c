/* SPDX-License-Identifier: Apache-2.0 */
/* SHMMNI: the table of segments fills up with ENOSPC and can be emptied and used again. */
#include "difftest.h"

static int ids[5000];

int main(void)
{
	struct shminfo limits;
	struct shm_info info;
	int n = 0, used, error;

	MUST(shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&limits));
	MUST(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info));
	used = info.used_ids;
	while (n < 5000 && (ids[n] = shmget(IPC_PRIVATE, 1, 0600)) >= 0)
		n++;
	error = errno;
	say("full: %s", errno_name(error));
	FACT((unsigned long)(n + used) == limits.shmmni);
	SHOW(shmget(IPC_PRIVATE, 1, 0600));
	SHOW(shmget(some_key(1), 1, IPC_CREAT | 0600));
	SHOW(shmget(some_key(1), 1, 0600));
	for (int i = 0; i < n; i++)
		for (int j = i + 1; j < n && j < i + 8; j++)
			if (ids[i] == ids[j])
				say("one id given twice");
	shm_remove(ids[n / 2]);
	ids[n / 2] = (int)OK(shmget(some_key(1), 1, IPC_CREAT | 0600));
	SHOW(shmget(IPC_PRIVATE, 1, 0600));
	for (int i = 0; i < n; i++)
		shm_remove(ids[i]);
	MUST(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&info));
	FACT(info.used_ids == used);
	n = (int)OK(shmget(IPC_PRIVATE, 1, 0600));
	shm_remove(n);
	return 0;
}
