/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of gap sysctl share: the table's rows, namespaces in which writing harms nobody, and files as one line. */
#ifndef SYSCTL_COMMON_H
#define SYSCTL_COMMON_H

#include "difftest.h"
#include <sched.h>

struct row {
	const char *path;
	int mode;
	const char *kind;
	int count;
	const char *initial;
	long min, max;
	const char *scope;
};

MAYBE_UNUSED static const struct row rows[] = {
#define SYSCTL(path_, mode_, kind_, count_, initial_, min_, max_, scope_, effect_, source_) \
	{ path_, mode_, #kind_, count_, initial_, min_, max_, #scope_ },
#include "gaps/sysctl/sysctl_table.def"
#undef SYSCTL
};

/* A fresh network namespace has the machine's forwarding, which dockerd switches on (net/ipv4/devinet.c: devinet_init_net()). */
MAYBE_UNUSED static void stop_forwarding(void)
{
	char on = '0';
	int fd = open("/proc/sys/net/ipv4/ip_forward", O_RDWR | O_CLOEXEC);

	if (fd >= 0 && read(fd, &on, 1) == 1 && on == '1' && pwrite(fd, "0", 1, 0) != 1)
		say("ip_forward: %s", errno_name(errno));
	if (fd >= 0)
		close(fd);
}

/* Namespaces of our own, so that the kernel's values are fresh and writing them changes nothing for others. Not for other users, who can
 * write nothing; not in every environment under lichen, where nothing reaches the kernel. */
MAYBE_UNUSED static void isolate(void)
{
	bool fresh = geteuid() == 0 && unshare(CLONE_NEWNET) == 0;

	if (fresh)
		stop_forwarding();
	if (fresh)
		(void)(unshare(CLONE_NEWUTS) || unshare(CLONE_NEWIPC));
	if (chdir("/proc/sys") != 0)
		_exit(97);
}

/* Whether Linux keeps the row's value for each network namespace and has it in one that is not the first. */
MAYBE_UNUSED static bool is_of_netns(const struct row *row)
{
	static const char *const absent[] = {
		"net/ipv4/vs/",
		"net/ipv4/neigh/default/",
		"net/ipv6/neigh/default/",
		"net/ipv4/tcp_ehash_entries",
		"net/ipv4/udp_hash_entries",
		"net/ipv4/tcp_available",
		"net/ipv4/tcp_congestion",
		"net/ipv4/tcp_allowed",
		"net/netfilter/nf_hooks_lwtunnel",
		"net/netfilter/nf_conntrack_count",
	};

	for (size_t i = 0; i < COUNT(absent); i++)
		if (!strncmp(row->path, absent[i], strlen(absent[i])))
			return false;
	return !strcmp(row->scope, "NET");
}

/* The path with `interface` in the place of "*". */
MAYBE_UNUSED static const char *path_for(const struct row *row, const char *interface)
{
	static char path[256];
	const char *star = strchr(row->path, '*');

	if (!star)
		return row->path;
	snprintf(path, sizeof(path), "%.*s%s%s", (int)(star - row->path), row->path, interface, star + 1);
	return path;
}

/* A text with its control characters written out. */
MAYBE_UNUSED static const char *plain(const char *text, size_t size)
{
	static char out[4][2048];
	static unsigned turn;
	char *to = out[turn++ % 4];
	size_t used = 0;

	for (size_t i = 0; i < size && used < 2000; i++)
		if (text[i] == '\n' || text[i] == '\t' || text[i] == '\\')
			used += (size_t)sprintf(to + used, "\\%c", text[i] == '\n' ? 'n' : text[i] == '\t' ? 't' : '\\');
		else if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~')
			used += (size_t)sprintf(to + used, "\\x%02x", (unsigned char)text[i]);
		else
			to[used++] = text[i];
	to[used] = '\0';
	return to;
}

/* What a read says, or the errno in <>. */
MAYBE_UNUSED static const char *reads(const char *path)
{
	static char error[32];
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	if (n < 0) {
		snprintf(error, sizeof(error), "<%s>", errno_name(errno));
		if (fd >= 0)
			close(fd);
		return error;
	}
	close(fd);
	return plain(text, (size_t)n);
}

/* One write to a file opened for it: bytes taken, or minus errno. */
MAYBE_UNUSED static int writes(const char *path, const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), result;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, size);
	result = n < 0 ? -errno : (int)n;
	close(fd);
	return result;
}

MAYBE_UNUSED static const char *result_name(int result)
{
	static char text[4][16];
	static unsigned turn;
	char *to = text[turn++ % 4];

	if (result < 0)
		return errno_name(-result);
	snprintf(to, 16, "%d", result);
	return to;
}

/* Digits as N: what differs from machine to machine keeps its form. */
MAYBE_UNUSED static const char *shape(const char *text)
{
	static char out[2048];
	size_t used = 0;

	for (; *text && used < sizeof(out) - 1; text++)
		if (*text < '0' || *text > '9')
			out[used++] = *text;
		else if (!used || out[used - 1] != 'N')
			out[used++] = 'N';
	out[used] = '\0';
	return out;
}

#endif
