/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is freed all at once: strings and copies that live as long as the model or the verdicts made of it. */
#ifndef LICHEN_WHY_POOL_H
#define LICHEN_WHY_POOL_H

#include <stdio.h>

#include "base/types.h"

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *pool);

/* Zeroed memory, aligned for anything. NULL: no memory; pool_failed() then stays true, so that many calls need one check. */
void *pool_take(struct pool *pool, size_t size);
/* These return "" where memory ran out. */
char *pool_text(struct pool *pool, const char *bytes, size_t size);
char *pool_print(struct pool *pool, const char *format, ...) PRINTF_LIKE(2, 3);
bool pool_failed(const struct pool *pool);

/* Makes room for one more element in an array of the heap. Returns the array, or NULL: no memory, and the old one is as it was. */
void *array_grow(void *array, size_t count, size_t element);

#endif
