/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/self/cgroup. */
#include "host/cgroup_own.h"

#include <stdio.h>
#include <string.h>

/* Whether a list with commas has a word. */
static bool has_word(const char *list, const char *word)
{
	size_t length = strlen(word);

	for (; *list; list += strcspn(list, ",") + (list[strcspn(list, ",")] == ','))
		if (strcspn(list, ",") == length && strncmp(list, word, length) == 0)
			return true;
	return false;
}

bool cgroup_own_path(const char *wanted, char path[PATH_MAX])
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX + 128];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		char *names = strchr(line, ':'), *at = names ? strchr(names + 1, ':') : NULL;

		if (!at)
			continue;
		*at++ = '\0';
		at[strcspn(at, "\n")] = '\0';
		found = strcmp(names + 1, wanted) == 0 || (*wanted && has_word(names + 1, wanted));
		if (found)
			(void)snprintf(path, PATH_MAX, "%.4000s", strcmp(at, "/") == 0 || strncmp(at, "/..", 3) == 0 ? "" : at);
	}
	if (file)
		(void)fclose(file);
	return found;
}
