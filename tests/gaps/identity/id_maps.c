/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/uid_map and gid_map: who is root in a cell is told that this is not the machine's root. */
#include "difftest.h"

static void show(const char *path)
{
	char text[256];
	size_t n = read_file(path, text, sizeof(text));

	say("%s: %zu bytes, \"%.*s\"", path, n, (int)strcspn(text, "\n"), text);
}

int main(void)
{
	char path[64];

	show("/proc/self/uid_map");
	show("/proc/thread-self/gid_map");
	snprintf(path, sizeof(path), "/proc/self/task/%d/uid_map", getpid());
	FACT(access(path, R_OK) == 0);
	OK(open("/proc/self/uid_map", O_PATH));
	show("/proc/999999999/uid_map");
	return 0;
}
