// SPDX-License-Identifier: Apache-2.0
/* A gate: see the header. */
#include "host/launch_gate.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"

int gate_make(struct gate *ret)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	*ret = (struct gate){ ends[0], ends[1] };
	return 0;
}

void gate_done(struct gate *gate)
{
	close_fd(&gate->in);
	close_fd(&gate->out);
	*gate = GATE_NONE;
}

int gate_open(const struct gate *gate)
{
	return gate->out < 0 || write(gate->out, "", 1) == 1 ? 0 : -errno;
}

int gate_pass(struct gate *gate)
{
	char go;
	ssize_t n;

	if (gate->in < 0)
		return 0;
	close_fd(&gate->out); /* else the end would not be seen */
	gate->out = FD_NONE;
	do
		n = read(gate->in, &go, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : n < 0 ? -errno : -ESRCH;
}
