/* SPDX-License-Identifier: Apache-2.0 */
/* Names become addresses: getaddrinfo(3), which blocks, in a few threads beside the event loop. */
#ifndef LICHEN_PROXY_LOOKUP_H
#define LICHEN_PROXY_LOOKUP_H

#include <pthread.h>

#include "proxy/proxy_host.h"

#define LOOKUP_ADDRESSES 16u /* of a name; more are not looked at */
#define LOOKUP_THREADS 4u

/* One question; after lookup_ask() it belongs to the threads until lookup_take() gives it back. */
struct lookup {
	char name[PROXY_HOST_MAX + 1];
	struct proxy_address addresses[LOOKUP_ADDRESSES];
	u32 count;
	int error;   /* EAI_… */
	void *owner; /* who waits for it; the loop's own: no thread looks at it. NULL = nobody any more */
	struct lookup *next;
};

struct lookup_list {
	struct lookup *first, **end;
};

struct lookup_pool {
	pthread_mutex_t lock;
	pthread_cond_t asked;
	struct lookup_list waiting, answered;
	int ready; /* an eventfd: something was answered */
};

/* Starts the threads, which stay to the end of the process. 0 or negative errno. */
int lookup_init(struct lookup_pool *pool) MUST_CHECK;
void lookup_ask(struct lookup_pool *pool, struct lookup *lookup);
/* The next that was answered; NULL = none. It is the caller's, who frees it. */
struct lookup *lookup_take(struct lookup_pool *pool);

#endif
