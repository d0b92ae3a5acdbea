/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal of a container's process: of the container's devpts; its master goes to whoever listens at --console-socket. */
#ifndef LICHEN_OCI_OCI_CONSOLE_H
#define LICHEN_OCI_OCI_CONSOLE_H

#include "host/native.h"
#include "oci/oci_spec.h"

/* Connects to a console socket. A descriptor, or negative errno with the error. */
int oci_console_connect(const char *path, struct oci_error *error) MUST_CHECK;

/* In the container's tree, as leader of a session: makes the pair, sends the master over `socket`, makes the slave our three streams and our controlling
 * terminal; mount: and /dev/console. 0 or negative errno with the error. */
int oci_console_open(const struct oci_process *process, int socket, const struct native_calls *calls, bool mount,
		     struct oci_error *error) MUST_CHECK;

/* Receives the master: the other end of a pair in place of a console socket. A descriptor or negative errno. */
int oci_console_receive(int socket) MUST_CHECK;

#endif
