/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of a socket unit (systemd.socket(5)): made by the manager, handed to the service as descriptors 3 and on (sd_listen_fds(3)). */
#ifndef LICHEN_UNITS_UNIT_SOCKET_H
#define LICHEN_UNITS_UNIT_SOCKET_H

#include "units/unit.h"

#define UNIT_SOCKETS_MAX 32u

struct unit_sockets {
	int fds[UNIT_SOCKETS_MAX]; /* close-on-exec */
	u32 count;
	char name[UNIT_NAME_MAX + 1]; /* of all of them: FileDescriptorName=, else the unit's */
	struct word_list paths;       /* in the file system: removed with RemoveOnStop=, and where nobody listens before */
};

/* Makes and binds them. 0; or negative errno with *ret_why (free(3)); then nothing is open. */
int unit_sockets_open(const struct unit *unit, struct unit_sockets *ret, char **ret_why) MUST_CHECK;
/* Closes them; `remove`: and removes what they are in the file system. */
void unit_sockets_close(const struct unit *unit, struct unit_sockets *sockets, bool remove);

#endif
