/* SPDX-License-Identifier: Apache-2.0 */
/* What a user without privilege may do with /dev/kmsg: look at it, not write; read where dmesg_restrict lets everybody. */
#include "kmsg.h"

#include <sys/klog.h>

static bool restricted(void)
{
	char value = '0';
	int fd = open("/proc/sys/kernel/dmesg_restrict", O_RDONLY);

	if (fd >= 0) {
		if (read(fd, &value, 1) != 1)
			value = '0';
		close(fd);
	}
	return value != '0';
}

int main(void)
{
	struct stat st;
	char text[64];
	int fd;

	if (geteuid() == 0) {
		MUST(setgroups(0, NULL));
		MUST(setresgid(65534, 65534, 65534));
		MUST(setresuid(65534, 65534, 65534));
	}
	OK(open("/dev/kmsg", O_WRONLY));
	OK(open("/dev/kmsg", O_RDWR));
	fd = open("/dev/kmsg", O_RDONLY);
	FACT(restricted() ? fd < 0 && errno == EPERM : fd >= 0);
	OK(access("/dev/kmsg", R_OK));
	OK(access("/dev/kmsg", W_OK));
	OK(stat("/dev/kmsg", &st));
	FACT(restricted() ? klogctl(10, NULL, 0) == -1 && errno == EPERM : klogctl(10, NULL, 0) > 0);
	SHOW(klogctl(2, text, sizeof(text)));
	SHOW(klogctl(5, NULL, 0));
	SHOW(klogctl(9, NULL, 0));
	return 0;
}
