// SPDX-License-Identifier: Apache-2.0
/* What the JSON reports share. */
#include "cli/json_out.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

json_t *json_out_text(const char *text)
{
	json_t *string = json_string(text);
	char *clean = string ? NULL : strdup(text);
	for (char *at = clean; at && *at; at++)
		if ((signed char)*at < 0)
			*at = '?';
	if (clean)
		string = json_string(clean);
	free(clean);
	return string;
}

int json_out_print(json_t *object, FILE *to)
{
	/* A lost member means that memory ran out: json_dumps then fails or the object is NULL. */
	char *dump = object ? json_dumps(object, JSON_INDENT(2)) : NULL;
	json_decref(object);
	if (!dump)
		return -ENOMEM;
	fprintf(to, "%s\n", dump);
	free(dump);
	return 0;
}
