/* SPDX-License-Identifier: Apache-2.0 */
/* A process that became another user looks into its own /proc/self/fd, and hands descriptors on, as apt's methods do. */
#include "difftest.h"

#include <dirent.h>

static void look(const char *who)
{
	DIR *stream = opendir("/proc/self/fd");
	int listed = 0;

	say("%s: %s", who, stream ? "listed" : errno_name(errno));
	while (stream && readdir(stream))
		listed++;
	FACT(listed >= 5); /* ".", "..", 0, 1, 2 */
	if (stream)
		closedir(stream);
	SHOW(access("/proc/self/fd", X_OK));
	SHOW(access("/proc/self/fdinfo", X_OK));
	OK(open("/proc/self/status", O_RDONLY));
	OK(open("/proc/self/fd/1", O_PATH));
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		look("executed");
		return 0;
	}
	look("root");
	CHILD({
		MUST(setresgid(65534, 65534, 65534));
		MUST(setresuid(42, 42, 42));
		look("another user");
		execl("/proc/self/exe", argv[0], "again", NULL);
		say("not executed: %s", errno_name(errno));
	});
	return 0;
}
