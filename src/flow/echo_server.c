// SPDX-License-Identifier: Apache-2.0
/* The provider echo. */
#include "flow/echo_server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A directory whose name is short enough for a socket's: $XDG_RUNTIME_DIR, $TMPDIR, /tmp. */
static int make_directory(char to[64])
{
	const char *const places[] = { getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp", "/dev/shm" };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i] && *places[i] == '/' && snprintf(to, 64, "%s/lichen-echo.XXXXXX", places[i]) < 64 && mkdtemp(to))
			return 0;
	return -errno;
}

int echo_server_start(struct echo_server *ret)
{
	char path[PATH_MAX], option[128], byte;
	char *const argv[] = { (char[]){ "lichen-echo-model" }, option, NULL };
	*ret = (struct echo_server){ .helper = { .out = FD_NONE, .err = FD_NONE } };
	int error = helper_find("lichen-echo-model", path);
	if (!error)
		error = make_directory(ret->directory);
	if (error) {
		*ret->directory = '\0';
		return error;
	}
	snprintf(ret->socket, sizeof(ret->socket), "%s/socket", ret->directory);
	snprintf(option, sizeof(option), "--socket=%s", ret->socket);
	error = helper_start(path, argv, FD_NONE, &ret->helper);
	/* It writes a line when it listens. */
	while (!error) {
		ssize_t n = read(ret->helper.out, &byte, 1);
		if (n == 1 && byte == '\n')
			break;
		if (n == 0 || (n < 0 && errno != EINTR))
			error = n ? -errno : -ECHILD;
	}
	if (error)
		echo_server_stop(ret);
	return error;
}

void echo_server_stop(struct echo_server *server)
{
	if (server->helper.pid) {
		(void)kill(server->helper.pid, SIGTERM);
		(void)!helper_wait(&server->helper);
	}
	helper_close(&server->helper);
	if (*server->directory) {
		(void)unlink(server->socket);
		(void)rmdir(server->directory);
	}
	*server->directory = '\0';
}
