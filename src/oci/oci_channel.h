/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime and a process of a container that it makes, over a socket pair whose messages have a letter and a text. The end of file means that the
 * other is gone: the process then ends as well, so that nothing half made stays.
 *
 *   runtime: G go on, text: the pid that it has here      process: H its tree is there: the hooks of the machine's side
 *                                                                  N something was left away
 *                                                                  E it failed, text: why
 *                                                                  R it is ready: all that can fail is done
 */
#ifndef LICHEN_OCI_OCI_CHANNEL_H
#define LICHEN_OCI_OCI_CHANNEL_H

#include "oci/oci_error.h"

struct oci_message {
	char kind;
	char text[4096];
};

/* A pair, close-on-exec. 0 or negative errno. */
int oci_channel_new(int ends[2]) MUST_CHECK;
/* 0 or negative errno. */
int oci_channel_send(int end, char kind, const char *text);
/* 0; -EPIPE: the other is gone; or negative errno. */
int oci_channel_receive(int end, struct oci_message *ret) MUST_CHECK;

#endif
