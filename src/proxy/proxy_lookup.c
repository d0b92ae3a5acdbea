// SPDX-License-Identifier: Apache-2.0
/* Threads that look names up. */
#include "proxy/proxy_lookup.h"

#include <errno.h>
#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void push(struct lookup_list *list, struct lookup *lookup)
{
	lookup->next = NULL;
	*list->end = lookup;
	list->end = &lookup->next;
}

static struct lookup *pop(struct lookup_list *list)
{
	struct lookup *lookup = list->first;
	if (lookup)
		list->first = lookup->next;
	if (!list->first)
		list->end = &list->first;
	return lookup;
}

static void answer(struct lookup *lookup)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *all = NULL;
	lookup->error = getaddrinfo(lookup->name, NULL, &hints, &all);
	if (lookup->error)
		return;
	for (struct addrinfo *one = all; one && lookup->count < LOOKUP_ADDRESSES; one = one->ai_next)
		if (proxy_address_from(one->ai_addr, &lookup->addresses[lookup->count]) == 0)
			lookup->count++;
	freeaddrinfo(all);
}

static void *work(void *data)
{
	struct lookup_pool *pool = data;
	const u64 one = 1;
	for (;;) {
		(void)pthread_mutex_lock(&pool->lock);
		while (!pool->waiting.first)
			(void)pthread_cond_wait(&pool->asked, &pool->lock);
		struct lookup *lookup = pop(&pool->waiting);
		(void)pthread_mutex_unlock(&pool->lock);
		answer(lookup);
		(void)pthread_mutex_lock(&pool->lock);
		push(&pool->answered, lookup);
		(void)pthread_mutex_unlock(&pool->lock);
		if (write(pool->ready, &one, sizeof(one)) != sizeof(one))
			return NULL; /* 2^64 answers that nobody took */
	}
}

int lookup_init(struct lookup_pool *pool)
{
	*pool = (struct lookup_pool){ .lock = PTHREAD_MUTEX_INITIALIZER, .asked = PTHREAD_COND_INITIALIZER };
	pool->waiting.end = &pool->waiting.first;
	pool->answered.end = &pool->answered.first;
	pool->ready = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->ready < 0)
		return -errno;
	for (u32 i = 0; i < LOOKUP_THREADS; i++) {
		pthread_t thread;
		int error = pthread_create(&thread, NULL, work, pool);
		if (error)
			return -error;
		(void)pthread_detach(thread);
	}
	return 0;
}

void lookup_ask(struct lookup_pool *pool, struct lookup *lookup)
{
	(void)pthread_mutex_lock(&pool->lock);
	push(&pool->waiting, lookup);
	(void)pthread_cond_signal(&pool->asked);
	(void)pthread_mutex_unlock(&pool->lock);
}

struct lookup *lookup_take(struct lookup_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	struct lookup *lookup = pop(&pool->answered);
	(void)pthread_mutex_unlock(&pool->lock);
	return lookup;
}
