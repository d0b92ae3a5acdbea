/* SPDX-License-Identifier: Apache-2.0 */
/* What every file of the table that belongs to a network namespace takes and refuses, one line each. */
#include "sysctl_common.h"

static void try_input(const char *path, const char *input, char *line, size_t size)
{
	size_t used = strlen(line);
	int result = writes(path, input, strlen(input));

	snprintf(line + used, size - used, " %s:%s=%s", plain(input, strlen(input)), result_name(result),
		 result > 0 ? reads(path) : "");
}

int main(void)
{
	static const char *const inputs[] = { "-1",  "0\n",     "1",          "2\n",        "8", "1 2",
					      "256", "65536\n", "2147483647", "2147483648", "x", "" };

	isolate();
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *path = path_for(&rows[i], "lo");
		char line[1000];

		/* writing what the kernel measures in other units, or hands on to other files, is write_forms.c's */
		if (!is_of_netns(&rows[i]) || !(rows[i].mode & 0200) || !strcmp(rows[i].kind, "USERHZ") || strstr(path, "/neigh/"))
			continue;
		if (strstr(path, "disable_ipv6") || strstr(path, "conf/lo/mtu") || strstr(path, "forwarding"))
			continue;
		snprintf(line, sizeof(line), "%s", path);
		for (size_t k = 0; k < COUNT(inputs); k++)
			try_input(path, inputs[k], line, sizeof(line));
		say("%s", line);
	}
	return 0;
}
