/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that attach, write and detach at the same time; the count ends where it began. */
#include "difftest.h"

enum { THREADS = 6, ROUNDS = 200 };

static int id, private_ids[THREADS];

static void *hammer(void *arg)
{
	long self = (long)arg;

	for (int i = 0; i < ROUNDS; i++) {
		unsigned int *a = shmat(id, NULL, 0);
		unsigned int *b = shmat(private_ids[self], NULL, 0);

		if (a == (void *)-1 || b == (void *)-1)
			return (void *)1;
		__atomic_fetch_add(&a[0], 1, __ATOMIC_RELAXED);
		b[self]++;
		if (shmdt(a) || shmdt(b))
			return (void *)2;
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned int *at;
	void *result;

	id = shm_new(4096);
	for (int i = 0; i < THREADS; i++)
		private_ids[i] = shm_new(4096);
	for (long i = 0; i < THREADS; i++)
		threads[i] = thread_start(hammer, (void *)i);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		say("thread %d: %ld", i, (long)result);
	}
	at = shm_attach(id);
	say("counted %u, nattch %ld", at[0], attached(id));
	for (int i = 0; i < THREADS; i++) {
		at = shm_attach(private_ids[i]);
		say("own segment %u, nattch %ld", at[i], attached(private_ids[i]));
		shm_remove(private_ids[i]);
	}
	shm_remove(id);
	return 0;
}
