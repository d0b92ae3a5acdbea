// SPDX-License-Identifier: Apache-2.0
/* Messages between the runtime and a container's process. */
#include "oci/oci_channel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

int oci_channel_new(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

int oci_channel_send(int end, char kind, const char *text)
{
	struct oci_message message = { .kind = kind };
	size_t size;

	(void)snprintf(message.text, sizeof(message.text), "%s", text);
	size = offsetof(struct oci_message, text) + strlen(message.text) + 1;
	return send(end, &message, size, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int oci_channel_receive(int end, struct oci_message *ret)
{
	ssize_t n;

	do
		n = recv(end, ret, sizeof(*ret) - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n < 2)
		return -EPIPE;
	((char *)ret)[n] = '\0';
	return 0;
}
