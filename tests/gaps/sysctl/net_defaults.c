/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of the table that belongs to a network namespace: its mode and what a fresh namespace says; for others than root its form. */
#include "sysctl_common.h"

int main(void)
{
	static const char *const interfaces[] = { "all", "default", "lo" };

	isolate();
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool each = strchr(rows[i].path, '*') != NULL, conf = strstr(rows[i].path, "/conf/") != NULL;

		if (!is_of_netns(&rows[i]))
			continue;
		for (size_t k = each && !conf ? 2 : 0; k < (each ? COUNT(interfaces) : 1); k++) {
			const char *path = path_for(&rows[i], interfaces[k]);
			struct stat st = { 0 };

			if (stat(path, &st) != 0)
				say("%s: %s", path, errno_name(errno));
			else
				say("%s: %o %s", path, st.st_mode, geteuid() ? shape(reads(path)) : reads(path));
		}
	}
	return 0;
}
