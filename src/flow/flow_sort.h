/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of JSON objects, in the order of one of their members. */
#ifndef LICHEN_FLOW_FLOW_SORT_H
#define LICHEN_FLOW_FLOW_SORT_H

#include <jansson.h>

#include "base/types.h"

/* `items`, whose reference it takes, sorted by the bytes of a text member; objects without it come first. A new list; NULL: no memory. */
json_t *flow_sorted(json_t *items, const char *member) MUST_CHECK;

#endif
