// SPDX-License-Identifier: Apache-2.0
/* What the JSON reports share. */
#include "cli/json_out.h"

#include <errno.h>
#include <stdlib.h>

json_t *json_out_text(const char *text)
{
	char clean[512];
	json_t *string = json_string(text);
	if (string)
		return string;
	size_t i = 0;
	for (; text[i] && i < sizeof(clean) - 1; i++)
		clean[i] = (signed char)text[i] < 0 ? '?' : text[i];
	clean[i] = '\0';
	return json_string(clean);
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
