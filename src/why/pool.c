// SPDX-License-Identifier: Apache-2.0
/* Memory that is freed all at once. */
#include "why/pool.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK (64u * 1024u)

struct chunk {
	struct chunk *next;
	size_t size, used;
	max_align_t bytes[];
};

struct pool {
	struct chunk *chunks;
	bool failed;
	char empty[1];
};

struct pool *pool_new(void)
{
	return calloc(1, sizeof(struct pool));
}

void pool_free(struct pool *pool)
{
	for (struct chunk *chunk = pool ? pool->chunks : NULL, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(pool);
}

void *pool_take(struct pool *pool, size_t size)
{
	struct chunk *chunk = pool->chunks;
	size = ALIGN_UP(size, sizeof(max_align_t));
	if (!chunk || chunk->size - chunk->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;
		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk) {
			pool->failed = true;
			return NULL;
		}
		chunk->size = room;
		chunk->next = pool->chunks;
		pool->chunks = chunk;
	}
	void *at = (char *)chunk->bytes + chunk->used;
	chunk->used += size;
	return at;
}

char *pool_text(struct pool *pool, const char *bytes, size_t size)
{
	char *text = pool_take(pool, size + 1);
	if (!text)
		return pool->empty;
	memcpy(text, bytes, size);
	return text;
}

char *pool_print(struct pool *pool, const char *format, ...)
{
	char *text;
	va_list args;
	va_start(args, format);
	int length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0) {
		pool->failed = true;
		return pool->empty;
	}
	char *kept = pool_text(pool, text, (size_t)length);
	free(text);
	return kept;
}

bool pool_failed(const struct pool *pool)
{
	return pool->failed;
}

void *array_grow(void *array, size_t count, size_t element)
{
	if (count & (count - 1)) /* room for the next power of two is there */
		return array;
	return reallocarray(array, count ? count * 2 : 1, element);
}
