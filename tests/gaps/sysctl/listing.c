/* SPDX-License-Identifier: Apache-2.0 */
/* Directories list what is in them, each name once, with its type; a kernel may have more names, which are not looked at. */
#include "sysctl_common.h"
#include <dirent.h>

#define NAMES 1024

struct listing {
	char name[NAMES][64];
	unsigned char type[NAMES];
	int count;
};

static struct listing list;

static void read_directory(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	list.count = 0;
	if (!dir) {
		say("%s: %s", path, errno_name(errno));
		return;
	}
	while (list.count < NAMES && (entry = readdir(dir))) {
		snprintf(list.name[list.count], 64, "%.63s", entry->d_name);
		list.type[list.count++] = entry->d_type;
	}
	closedir(dir);
}

static int times(const char *name, unsigned char *type)
{
	int n = 0;

	for (int i = 0; i < list.count; i++)
		if (!strcmp(list.name[i], name)) {
			*type = list.type[i];
			n++;
		}
	return n;
}

static void has(const char *directory, const char *const *names, size_t count)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/%s", directory);
	read_directory(path);
	for (size_t i = 0; i < count; i++) {
		unsigned char type = 0;
		int n = times(names[i], &type);

		say("%s/%s: %d, type %d", directory, names[i], n, type);
	}
}

#define HAS(directory, ...)                                         \
	do {                                                        \
		static const char *const names[] = { __VA_ARGS__ }; \
		has(directory, names, COUNT(names));                \
	} while (0)

static void every_name_opens(const char *directory)
{
	char path[256];
	int bad = 0;

	snprintf(path, sizeof(path), "/proc/sys/%s/", directory);
	read_directory(path);
	for (int i = 0; i < list.count; i++) {
		struct stat st;

		snprintf(path, sizeof(path), "/proc/sys/%s/%s", directory, list.name[i]);
		if (stat(path, &st) != 0 || (S_ISDIR(st.st_mode) ? DT_DIR : DT_REG) != list.type[i])
			bad++;
	}
	say("%s: more than two names %d, wrong ones %d", directory, list.count > 2, bad);
}

static void in_pieces(void)
{
	DIR *dir = opendir("/proc/sys/net/ipv4");
	char small[256];
	int fd, calls = 0, total = 0;
	long n;

	closedir(dir);
	fd = (int)MUST(open("/proc/sys/net/ipv4", O_RDONLY | O_DIRECTORY));
	while ((n = syscall(SYS_getdents64, fd, small, sizeof(small))) > 0) {
		calls++;
		for (long at = 0; at < n; total++)
			at += *(unsigned short *)(small + at + 16);
	}
	say("end: %ld; many calls %d; all names %d", n, calls > 10, total > 100);
	say("too small: %s",
	    result_name(syscall(SYS_getdents64, (int)MUST(open("/proc/sys", O_RDONLY)), small, 8) < 0 ? -errno : 0));
	close(fd);
}

int main(void)
{
	HAS("", "kernel", "vm", "fs", "net", "user", "nothing");
	HAS("kernel", ".", "..", "panic", "keys", "random", "ostype", "no-such");
	HAS("kernel/keys", ".", "..", "maxkeys", "root_maxbytes");
	HAS("net", "core", "ipv4", "ipv6", "netfilter", "unix", "bridge");
	HAS("net/ipv4", "conf", "neigh", "ip_forward", "tcp_rmem", "route");
	HAS("net/ipv4/conf", "all", "default", "lo", "*", "none");
	HAS("net/ipv4/conf/lo", "rp_filter", "forwarding");
	HAS("net/ipv6/conf/all", "forwarding", "disable_ipv6");
	HAS("net/ipv4/neigh", "lo", "all", "*");
	HAS("net/ipv4/neigh/lo", "gc_stale_time", "gc_thresh1");
	HAS("fs/inotify", "max_user_watches", "max_user_instances", "max_queued_events");
	every_name_opens("kernel");
	every_name_opens("vm");
	every_name_opens("net/ipv4/conf/lo");
	in_pieces();
	return 0;
}
