// SPDX-License-Identifier: Apache-2.0
/* Sorted lists: see the header. */
#include "flow/flow_sort.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b, void *member)
{
	const char *one = json_string_value(json_object_get(*(json_t *const *)a, member));
	const char *two = json_string_value(json_object_get(*(json_t *const *)b, member));

	return strcmp(one ? one : "", two ? two : "");
}

json_t *flow_sorted(json_t *items, const char *member)
{
	size_t count = json_array_size(items);
	json_t **rows = calloc(count + 1, sizeof(*rows)), *to = rows ? json_array() : NULL;

	for (size_t i = 0; rows && i < count; i++)
		rows[i] = json_array_get(items, i);
	if (to)
		qsort_r(rows, count, sizeof(*rows), compare, (void *)(uintptr_t)member);
	for (size_t i = 0; to && i < count; i++)
		(void)json_array_append(to, rows[i]);
	free(rows);
	json_decref(items);
	return to;
}
