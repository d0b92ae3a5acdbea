/* SPDX-License-Identifier: Apache-2.0 */
/* Files below /proc/PID that container runtimes read and write: setgroups, loginuid, oom_score_adj, oom_adj and others. */
#include "difftest.h"

#include <linux/capability.h>

static char text[256];

static void show(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	n = read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	say("%s: %zd \"%.*s\"%s", path, n, (int)strcspn(text, "\n"), text, strchr(text, '\n') ? " and a newline" : "");
	close(fd);
}

static void put(const char *path, const char *bytes, size_t size, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	char shown[32];
	ssize_t n;

	snprintf(shown, sizeof(shown), "%s", bytes);
	shown[strcspn(shown, "\n")] = 0;
	if (fd < 0) {
		say("  open to write: %s", errno_name(errno));
		return;
	}
	n = write(fd, bytes, size);
	say("  wrote \"%s\", %zu bytes: %zd %s", shown, size, n, n < 0 ? errno_name(errno) : "");
	close(fd);
}

#define PUT(path, bytes) put(path, bytes, sizeof(bytes) - 1, O_WRONLY)

/* Who lacks CAP_SYS_RESOURCE. */
static void without_resource(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	MUST(syscall(SYS_capget, &head, data));
	data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	MUST(syscall(SYS_capset, &head, data));
	PUT("/proc/self/oom_score_adj", "5");
	PUT("/proc/self/oom_score_adj", "0");
	PUT("/proc/self/oom_score_adj", "-1");
	show("/proc/self/oom_score_adj");
}

static void scores(void)
{
	static const char score[] = "/proc/self/oom_score_adj", adj[] = "/proc/self/oom_adj";

	put(score, "100\0", 4, O_RDWR);
	show(score);
	show(adj);
	PUT(score, "200\n");
	PUT(score, " 300 ");
	show(score);
	PUT(score, "1x");
	PUT(score, "1001");
	PUT(score, "-1001");
	PUT(score, "1000");
	show(score);
	show(adj);
	PUT(score, "0x10\n");
	show(score);
	PUT(score, "0X1f");
	PUT(score, "010");
	show(score);
	PUT(score, "08");
	PUT(score, "0x");
	PUT(score, "0xg");
	PUT(score, "+0x3e8");
	show(score);
	PUT(score, "0x3e9");
	CHILD(without_resource());
	PUT(adj, "15");
	PUT(adj, "16");
	PUT(adj, "-18");
	show(score);
	snprintf(text, sizeof(text), "/proc/%d/oom_score_adj", getpid());
	SHOW(access(text, W_OK));
	CHILD(show(score));
}

static void logins(void)
{
	static const char login[] = "/proc/self/loginuid";

	show("/proc/thread-self/loginuid");
	PUT(login, "x");
	PUT(login, "-1");
	PUT(login, "4294967296");
	PUT(login, "1000");
	show(login);
	CHILD(show(login));
	PUT(login, "1001");
	show(login);
	PUT(login, "4294967295");
}

int main(void)
{
	show("/proc/self/setgroups");
	PUT("/proc/self/setgroups", "allow");
	PUT("/proc/self/setgroups", "allow\n");
	PUT("/proc/self/setgroups", "deny");
	PUT("/proc/self/setgroups", "other");
	PUT("/proc/self/setgroups", "allowed");
	PUT("/proc/self/setgroups", "allow and more");
	show("/proc/self/projid_map");
	show("/proc/self/task/1/setgroups");
	show("/proc/999999999/setgroups");
	show("/proc/self/uid_map");
	scores();
	logins();
	show("/proc/self/timerslack_ns");
	PUT("/proc/self/timerslack_ns", "70000");
	show("/proc/self/timerslack_ns");
	PUT("/proc/self/timerslack_ns", "0");
	show("/proc/self/timerslack_ns");
	PUT("/proc/self/timerslack_ns", "x");
	return 0;
}
