/* SPDX-License-Identifier: Apache-2.0 */
/* Owners of pipes and sockets that have no name: given away and seen by either end's descriptors, as containerd's shim does with a container's streams. */
#include "identity.h"

#include <sys/socket.h>

static void say_fd(const char *what, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		say("  %s: %s", what, errno_name(errno));
	else
		say("  %s: %o %u:%u", what, st.st_mode, st.st_uid, st.st_gid);
}

int main(void)
{
	int ends[2], pair[2], again;

	MUST(pipe(ends));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	say_fd("pipe", ends[0]);
	OK(fchown(ends[0], 5, 6));
	say_fd("read end", ends[0]);
	say_fd("write end", ends[1]); /* one inode */
	again = (int)MUST(dup(ends[1]));
	OK(fchown(again, -1, 7));
	say_fd("pipe", ends[0]);
	OK(fchmod(ends[0], 0640));
	say_fd("pipe", ends[0]);
	OK(fchown(ends[0], 0, 0));
	say_fd("pipe", ends[0]);
	OK(fchown(pair[0], 5, 6));
	say_fd("socket", pair[0]);
	say_fd("its peer", pair[1]);
	OK(fchown(ends[0], 5, 6));
	MUST(syscall(SYS_setresgid, 8, 8, 8));
	MUST(syscall(SYS_setresuid, 5, 5, 5));
	OK(fchown(ends[0], 9, -1));
	OK(fchown(ends[0], 5, 8));
	OK(fchown(ends[0], -1, 99));
	OK(fchown(pair[1], 5, 8)); /* is root's */
	say_fd("pipe", ends[1]);
	return 0;
}
