/* SPDX-License-Identifier: Apache-2.0 */
/* The handful of memory and string functions that freestanding code may use; hosted code gets them from libc. */
#ifndef LICHEN_BASE_MEM_H
#define LICHEN_BASE_MEM_H

#include <stddef.h>

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
#endif

#endif
