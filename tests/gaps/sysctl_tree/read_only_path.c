/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/sys as a read-only path of a container: a bind mount of it on itself, remounted. What can be opened before, meanwhile and afterwards. */
#include "difftest.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

static void look(const char *path)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		int fd = open(path, flags[i]);

		say("open %s %#x: %s", path, (unsigned)flags[i], fd < 0 ? errno_name(errno) : "ok");
		if (fd >= 0)
			close(fd);
	}
	say("access %s: %s", path, access(path, W_OK) < 0 ? errno_name(errno) : "ok");
	say("access to read %s: %s", path, access(path, R_OK) < 0 ? errno_name(errno) : "ok");
}

static void look_at_all(const char *when)
{
	say("%s", when);
	look("/proc/sys/kernel/panic");
	look("/proc/sys/net/ipv4/tcp_fin_timeout");
	look("/proc/sys/vm/swappiness");
	look("/proc/sys/kernel/../kernel/panic");
}

int main(void)
{
	int kept;

	MUST(unshare(CLONE_NEWNS));
	MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	MUST(mount("proc", "/proc", "proc", 0, NULL));
	look_at_all("before");
	kept = open("/proc/sys/vm/swappiness", O_WRONLY);
	MUST(mount("/proc/sys", "/proc/sys", NULL, MS_BIND | MS_REC, NULL));
	look_at_all("mounted on itself");
	MUST(mount(NULL, "/proc/sys", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID, NULL));
	look_at_all("read-only");
	FACT(kept >= 0 && fcntl(kept, F_GETFD) >= 0);
	MUST(umount2("/proc/sys", 0));
	look_at_all("afterwards");
	return 0;
}
