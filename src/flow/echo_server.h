/* SPDX-License-Identifier: Apache-2.0 */
/* The provider echo: lichen-echo-model (src/echo), started for one call on a socket in a directory of its own. */
#ifndef LICHEN_FLOW_ECHO_SERVER_H
#define LICHEN_FLOW_ECHO_SERVER_H

#include "host/helper.h"

struct echo_server {
	struct helper helper;
	char directory[64];
	char socket[96];
};

/* Starts it, and waits until it listens. Returns 0 or negative errno; -ENOENT: the program is not there. */
int echo_server_start(struct echo_server *ret) MUST_CHECK;
/* Ends it, and removes the directory. */
void echo_server_stop(struct echo_server *server);

#endif
