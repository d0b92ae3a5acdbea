// SPDX-License-Identifier: Apache-2.0
/* Judges policies on standard input, one a line (JSON is YAML): prints "ok", "grammar …" or "meaning …" for each. For check_cage_schema.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "cage/policy.h"

int main(void)
{
	CLEANUP_FREE char *line = NULL;
	size_t room = 0;
	ssize_t length;
	while ((length = getline(&line, &room, stdin)) > 0) {
		CLEANUP_POLICY struct cage_policy *policy = NULL;
		struct cage_policy_error error;
		int r = cage_policy_parse(line, (size_t)length, "/work/dir", "/home/me", &policy, &error);
		if (r)
			printf("%s %u:%u: %s\n", error.meaning ? "meaning" : "grammar", error.at.line, error.at.column,
			       error.at.text);
		else
			puts("ok");
	}
	return 0;
}
