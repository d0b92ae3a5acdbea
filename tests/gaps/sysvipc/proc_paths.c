/* SPDX-License-Identifier: Apache-2.0 */
/* The files of /proc/sysvipc by every way that a path can be written, opened and looked at. */
#include "difftest.h"

int main(void)
{
	struct stat st;
	int dir;

	OK(open("/proc/sysvipc/shm", O_RDONLY));
	OK(open("/proc/sysvipc/sem", O_RDONLY));
	OK(open("/proc/sysvipc/msg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
	OK(open("/proc/sysvipc/none", O_RDONLY));
	OK(openat(-1, "/proc/sysvipc/shm", O_RDONLY));
	OK(openat(AT_FDCWD, "/proc//sysvipc/./shm", O_RDONLY));
	OK(openat(AT_FDCWD, "/proc/self/../sysvipc/shm", O_RDONLY));
	FACT(access("/proc/sysvipc/shm", R_OK) == 0);
	FACT(access("/proc/sysvipc/sem", F_OK) == 0);
	dir = (int)MUST(open("/proc", O_RDONLY | O_DIRECTORY));
	OK(openat(dir, "sysvipc/msg", O_RDONLY));
	MUST(chdir("/proc"));
	OK(open("sysvipc/shm", O_RDONLY));
	FACT(stat("/proc/sysvipc/shm", &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0444);
	dir = (int)OK(open("/proc/sysvipc", O_RDONLY | O_DIRECTORY));
	OK(openat(dir, "shm", O_RDONLY));
	return 0;
}
