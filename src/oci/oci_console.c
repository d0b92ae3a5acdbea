// SPDX-License-Identifier: Apache-2.0
/* Terminals for containers. */
#include "oci/oci_console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"

int oci_console_connect(const char *path, struct oci_error *error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = FD_NONE;

	if (strlen(path) >= sizeof(address.sun_path))
		return oci_fail(error, -ENAMETOOLONG, "the path of the console socket is too long: %s", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return oci_fail_errno(error, "connecting to the console socket %s", path);
	return take_fd(&fd);
}

/* unix(7), SCM_RIGHTS; the bytes are the terminal's name, as runc sends it. */
static int send_master(int socket, int master, const char *name)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec data = { .iov_base = (void *)(uintptr_t)name, .iov_len = strlen(name) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &master, sizeof(int));
	return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int oci_console_receive(int socket)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	char name[4096];
	struct iovec data = { .iov_base = name, .iov_len = sizeof(name) };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof(control.bytes)
	};
	const struct cmsghdr *header;
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	header = CMSG_FIRSTHDR(&message);
	if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
	    header->cmsg_len != CMSG_LEN(sizeof(int)))
		return -EPIPE;
	memcpy(&fd, CMSG_DATA(header), sizeof(int));
	return fd;
}

static int mount_console(const char *name, const struct native_calls *calls)
{
	int fd = calls->open("/dev/console", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 && errno != EEXIST ? -1 : calls->mount(name, "/dev/console", NULL, MS_BIND, NULL);
}

int oci_console_open(const struct oci_process *process, int socket, const struct native_calls *calls, bool mount,
		     struct oci_error *error)
{
	CLEANUP_FD int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), slave = FD_NONE;
	struct winsize size = { .ws_row = process->rows, .ws_col = process->columns };
	char name[64];
	int r;

	if (master < 0 || unlockpt(master) < 0 || ptsname_r(master, name, sizeof(name)) != 0)
		return oci_fail_errno(error, "opening a terminal in the container");
	if (size.ws_row && ioctl(master, TIOCSWINSZ, &size) < 0)
		return oci_fail_errno(error, "setting the size of the terminal");
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || (process->user.uid && fchown(slave, process->user.uid, (gid_t)-1) < 0))
		return oci_fail_errno(error, "opening the terminal %s", name);
	if (mount && mount_console(name, calls) < 0)
		return oci_fail_errno(error, "mounting the terminal on /dev/console");
	r = send_master(socket, master, name);
	if (r < 0) {
		errno = -r;
		return oci_fail_errno(error, "sending the terminal to the console socket");
	}
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return oci_fail_errno(error, "the terminal as standard stream");
	if (ioctl(0, TIOCSCTTY, 0) < 0)
		return oci_fail_errno(error, "the terminal as controlling terminal");
	return 0;
}
