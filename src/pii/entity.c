// SPDX-License-Identifier: Apache-2.0
/* Names of what is found, and sets of them. */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "pii/pii.h"

static const struct {
	const char *name, *about;
} entities[] = {
#define PII_ENTITY(name, about) { #name, about },
#include "pii/entities.def"
#undef PII_ENTITY
};

const char *pii_entity_name(unsigned entity)
{
	return entity < ARRAY_SIZE(entities) ? entities[entity].name : NULL;
}

const char *pii_entity_about(unsigned entity)
{
	return entity < ARRAY_SIZE(entities) ? entities[entity].about : NULL;
}

int pii_entity_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(entities); i++)
		if (strcasecmp(entities[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

struct pii_set pii_set_all(void)
{
	struct pii_set set = { 0 };
	for (unsigned i = 0; i < ARRAY_SIZE(entities); i++)
		pii_set_add(&set, i);
	return set;
}

void pii_set_add(struct pii_set *set, unsigned entity)
{
	set->bits[entity / 64] |= (u64)1 << entity % 64;
}

bool pii_set_has(const struct pii_set *set, unsigned entity)
{
	return set->bits[entity / 64] >> entity % 64 & 1;
}
