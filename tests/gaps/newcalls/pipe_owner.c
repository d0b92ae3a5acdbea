/* SPDX-License-Identifier: Apache-2.0 */
/* fchown and fchmod of pipes and sockets, as containers' standard streams are given away. */
#include "difftest.h"
#include <sys/socket.h>

static void try(const char *who, int fd)
{
	say("%s:", who);
	SHOW(fchown(fd, getuid(), getgid()));
	SHOW(fchown(fd, (uid_t)-1, (gid_t)-1));
	SHOW(fchown(fd, 12345, (gid_t)-1));
	SHOW(fchown(fd, (uid_t)-1, 12345));
	SHOW(fchmod(fd, 0600));
}

int main(void)
{
	int pair[2], sockets[2];

	MUST(pipe(pair));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	SHOW(fchown(pair[0], getuid(), getgid()));
	SHOW(fchown(sockets[0], getuid(), getgid()));
	SHOW(fchmod(pair[1], 0666));
	AS_USER(1000, 1000, MUST(pipe(pair)); try("user", pair[0]));
	AS_USER(1000, 1000, try("user, root's", pair[1]));
	try("caller", pair[0]);
	SHOW(fchown(-1, 0, 0));
	SHOW(fchmod(99, 0600));
	return 0;
}
