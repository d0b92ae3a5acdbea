/* SPDX-License-Identifier: Apache-2.0 */
/* An attachment that munmap, mmap or SHM_REMAP takes away counts no longer. */
#include "difftest.h"

int main(void)
{
	int id = shm_new(4 * PAGE), other = shm_new(4 * PAGE);
	char *at = shm_attach(id);

	say("nattch %ld", attached(id));
	SHOW(munmap(at, 4 * PAGE));
	say("after munmap: nattch %ld", attached(id));
	SHOW(shmdt(at));

	at = shm_attach(id);
	FACT(mmap(at, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
	say("after mmap over it: nattch %ld", attached(id));
	SHOW(shmdt(at));
	FACT(shmat(id, at, SHM_REMAP) == at);
	FACT(shmat(other, at, SHM_REMAP) == at);
	say("after shmat over it: nattch %ld %ld", attached(id), attached(other));
	SHOW(shmdt(at));
	say("nattch %ld %ld", attached(id), attached(other));

	at = shm_attach(id);
	CHILD({
		SHOW(munmap(at, 4 * PAGE));
		say("child: nattch %ld", attached(id));
	});
	say("parent: nattch %ld", attached(id));

	SHOW(munmap(at, PAGE)); /* shmdt of the address that shmat gave still finds the rest */
	say("head gone: nattch %ld", attached(id));
	SHOW(shmdt(at));
	say("nattch %ld", attached(id));
	at = shm_attach(id);
	SHOW(munmap(at + 3 * PAGE, PAGE));
	say("tail gone: nattch %ld", attached(id));
	SHOW(shmdt(at));
	say("nattch %ld", attached(id));

	at = shm_attach(id);
	shm_remove(id);
	SHOW(munmap(at, 4 * PAGE));
	say("removed and unmapped: %s", attached(id) == -1 ? errno_name(errno) : "still there");
	shm_remove(other);
	return 0;
}
