/* SPDX-License-Identifier: Apache-2.0 */
/* shmdt: what is not an attachment is refused; several attachments of one segment are told apart. */
#include "difftest.h"

int main(void)
{
	int id = shm_new(3 * PAGE);
	char *anon = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *a = shm_attach(id), *b = shm_attach(id), *c = shm_attach(id);
	struct shmid_ds ds;

	SHOW(shmdt(NULL));
	SHOW(shmdt(anon));
	SHOW(shmdt(shared));
	SHOW(shmdt(a + 1));
	SHOW(shmdt(a + PAGE));
	SHOW(shmdt(a - PAGE));
	SHOW(shmdt((void *)-1));
	SHOW(shmdt((void *)~0xfffUL));
	SHOW(shmdt((void *)(uintptr_t)main));
	say("nattch %ld", attached(id));
	strcpy(a, "one");
	say("%s %s", b, c);
	SHOW(shmdt(b));
	SHOW(shmdt(b));
	say("nattch %ld", attached(id));
	strcpy(c, "two");
	say("%s", a);
	SHOW(shmdt(a));
	SHOW(shmdt(c));
	MUST(shmctl(id, IPC_STAT, &ds));
	say("nattch %lu lpid %s", (unsigned long)ds.shm_nattch, whose_pid(ds.shm_lpid));
	FACT(ds.shm_atime != 0 && ds.shm_dtime >= ds.shm_atime);
	CHILD({
		char *d = shm_attach(id);

		say("child reads %s", d);
		SHOW(shmdt(d));
		SHOW(shmdt(d));
		MUST(shmctl(id, IPC_STAT, &ds));
		say("lpid %s cpid %s", whose_pid(ds.shm_lpid), whose_pid(ds.shm_cpid));
	});
	MUST(shmctl(id, IPC_STAT, &ds));
	say("lpid %s cpid %s", whose_pid(ds.shm_lpid), whose_pid(ds.shm_cpid));
	shm_remove(id);
	return 0;
}
