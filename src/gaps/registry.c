// SPDX-License-Identifier: Apache-2.0
/* The gaps of gaps.def as a table. */
#include "gaps/registry.h"

#include <errno.h>
#include <string.h>

static_assert(GAP_COUNT <= COMMONS_GAPS_MAX, "a set of gaps is one u32, and the commons has one area for each");

static const struct gap *const table[GAP_COUNT] = {
#define GAP_BUILT(name) [GAP_##name] = &gap_##name,
#define GAP_LISTED(name) [GAP_##name] = &gap_##name,
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED
};

const struct gap *gap_by_id(enum gap_id id)
{
	return table[id];
}

u32 gaps_built(void)
{
	return 0
#define GAP_BUILT(name) | GAP_BIT(GAP_##name)
#define GAP_LISTED(name)
#include "gaps/gaps.def"
#undef GAP_BUILT
#undef GAP_LISTED
		;
}

u32 gaps_automatic(void)
{
	u32 gaps = gaps_built();

	for (int id = 0; id < GAP_COUNT; id++)
		if (table[id]->on_request)
			gaps &= ~GAP_BIT(id);
	return gaps;
}

int gap_find(const char *name)
{
	for (int id = 0; id < GAP_COUNT; id++)
		if (strcmp(table[id]->name, name) == 0)
			return id;
	return -ENOENT;
}
