/* SPDX-License-Identifier: Apache-2.0 */
/* openat2: RESOLVE_NO_XDEV at mount points that are there everywhere: /proc and /dev. */
#include "openat2_test.h"

int main(void)
{
	static const char *const paths[] = {
		"/proc", "/proc/", "/proc/self", "/proc/self/status", "/proc/..",          "/proc/../tmp",
		"/",     "/..",    "/dev/null",  "/etc/passwd",       "/etc/../etc/passwd"
	};
	static const uint64_t flags[] = { O_RDONLY, O_PATH, O_PATH | O_NOFOLLOW };
	int proc = (int)MUST(open("/proc", O_PATH | O_DIRECTORY)), self = (int)MUST(open("/proc/self", O_PATH | O_DIRECTORY));

	for (unsigned f = 0; f < COUNT(flags); f++)
		for (unsigned i = 0; i < COUNT(paths); i++) {
			struct open_how how = { .flags = flags[f], .resolve = RESOLVE_NO_XDEV };
			long fd = syscall(SYS_openat2, AT_FDCWD, paths[i], &how, sizeof(how));

			say("%s flags %#llo: %s", paths[i], (unsigned long long)flags[f], fd < 0 ? errno_name(errno) : "ok");
			if (fd >= 0)
				close((int)fd);
		}
	OK(open_in(proc, "from /proc", "..", O_PATH, 0, RESOLVE_NO_XDEV) < 0 ? -1 : 0);
	OK(open_in(proc, "from /proc", "self/..", O_PATH, 0, RESOLVE_NO_XDEV) < 0 ? -1 : 0);
	OK(open_in(self, "from /proc/self", "../..", O_PATH, 0, RESOLVE_NO_XDEV) < 0 ? -1 : 0);
	OK(open_in(self, "from /proc/self", "cwd", O_PATH, 0, RESOLVE_NO_XDEV) < 0 ? -1 : 0);
	OK(open_in(self, "from /proc/self", "/etc/passwd", O_PATH, 0, RESOLVE_NO_XDEV) < 0 ? -1 : 0);
	return 0;
}
