/* SPDX-License-Identifier: Apache-2.0 */
/* Names of cells. */
#include "host/cell_name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static const char *const adjectives[] = { "amber",  "bold",  "brave",  "bright",  "calm",  "clear",  "cool",   "crisp",
					  "dapper", "eager", "early",  "fair",    "fond",  "frosty", "gentle", "glad",
					  "golden", "grey",  "happy",  "hardy",   "keen",  "kind",   "lively", "lucky",
					  "mellow", "mossy", "nimble", "patient", "quiet", "ruddy",  "sunny",  "warm" };
static const char *const genera[] = { "acarospora", "alectoria",   "arthonia", "bryoria",     "buellia",  "calicium",
				      "caloplaca",  "cetraria",    "cladonia", "collema",     "evernia",  "gyalecta",
				      "hypogymnia", "icmadophila", "lasallia", "lecanora",    "lecidea",  "leptogium",
				      "letharia",   "lobaria",     "nephroma", "ochrolechia", "parmelia", "peltigera",
				      "pertusaria", "physcia",     "ramalina", "rhizocarpon", "roccella", "sticta",
				      "usnea",      "xanthoria" };

int cell_name_generate(char name[CELL_NAME_MAX + 1], bool numbered)
{
	u32 random;
	int length;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return -errno;
	length = snprintf(name, CELL_NAME_MAX + 1, "%s_%s", adjectives[random % ARRAY_SIZE(adjectives)],
			  genera[random / 32 % ARRAY_SIZE(genera)]);
	if (numbered)
		(void)snprintf(name + length, (size_t)(CELL_NAME_MAX + 1 - length), "_%u", random >> 10 & 0xffff);
	return 0;
}

bool cell_name_valid(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	size_t length = strlen(name);

	return length > 0 && length <= CELL_NAME_MAX && strspn(name, letters) == length && !strchr("_.-", name[0]);
}
