/* SPDX-License-Identifier: Apache-2.0 */
/* Writes after the first one of an open file: numbers ignore them, lines are continued, sets grow. And who may write what when. */
#include "sysctl_common.h"
#include <sys/uio.h>

static int open_for(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		say("  open %s: %s", path, errno_name(errno));
	return fd;
}

#define PUT(fd, text)                                        \
	say("  write '%s' -> %s", plain(text, strlen(text)), \
	    result_name(write(fd, text, strlen(text)) < 0 ? -errno : (int)strlen(text)))

static void two_writes(const char *path, const char *first, const char *second)
{
	int fd = open_for(path, O_WRONLY);

	say("%s", path);
	if (fd < 0)
		return;
	PUT(fd, first);
	PUT(fd, second);
	close(fd);
	say("  reads %s", reads(path));
}

/* The shell's way: what a short write left is written again. */
static void echo(const char *path, const char *text)
{
	int fd = open_for(path, O_WRONLY | O_CREAT | O_TRUNC);
	size_t size = strlen(text), done = 0;

	say("echo '%s' > %s", plain(text, size), path);
	while (fd >= 0 && done < size) {
		ssize_t n = write(fd, text + done, size - done);

		say("  %s", result_name(n < 0 ? -errno : (int)n));
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	say("  reads %s", reads(path));
}

static void vectors(void)
{
	char one[] = "1", two[] = "2\n";
	struct iovec parts[2] = { { one, 1 }, { two, 2 } };
	int fd = open_for("net/ipv4/tcp_fin_timeout", O_WRONLY);

	if (fd < 0)
		return;
	say("writev -> %s", result_name((int)writev(fd, parts, 2)));
	close(fd);
	say("  reads %s", reads("net/ipv4/tcp_fin_timeout"));
}

static void inherited(void)
{
	int fd = open_for("net/ipv4/tcp_fin_timeout", O_WRONLY), other;

	if (fd < 0)
		return;
	other = dup(fd);
	CHILD(say("in a child: %d", (int)write(other, "44\n", 3)));
	say("  reads %s", reads("net/ipv4/tcp_fin_timeout"));
	close(fd);
	close(other);
	fd = open_for("net/ipv4/tcp_fin_timeout", O_WRONLY);
	AS_USER(65534, 65534,
		{ say("opened by root, written by nobody: %s", result_name(write(fd, "45\n", 3) < 0 ? -errno : 3)); });
	say("  reads %s", reads("net/ipv4/tcp_fin_timeout"));
	close(fd);
}

static void bad_memory(void)
{
	int fd = open_for("net/ipv4/tcp_fin_timeout", O_WRONLY);

	if (fd < 0)
		return;
	say("from nowhere: %s", result_name(write(fd, bad_pointer(), 3) < 0 ? -errno : 3));
	close(fd);
}

int main(void)
{
	isolate();
	two_writes("net/ipv4/tcp_fin_timeout", "31", "32");
	two_writes("net/ipv4/tcp_fin_timeout", "33\n", "x\n");
	two_writes("net/ipv4/tcp_fin_timeout", "x", "34");
	two_writes("net/ipv4/tcp_ecn_fallback", "0", "1");
	two_writes("kernel/domainname", "one", "two");
	two_writes("kernel/domainname", "one\n", "two");
	two_writes("net/ipv4/ip_local_reserved_ports", "1-3\n", "5,2-4\n");
	echo("net/ipv4/tcp_fin_timeout", "40 41\n");
	echo("net/ipv4/tcp_rmem", "1 2 3 4\n");
	echo("net/ipv4/tcp_ecn_fallback", "1 0\n");
	echo("net/ipv4/tcp_fin_timeout", "many\n");
	vectors();
	if (geteuid() == 0)
		inherited();
	bad_memory();
	return 0;
}
