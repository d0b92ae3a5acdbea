/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds a guest's process back, prepared as far as it can be, until the supervisor lets it go: so what must be done before the command starts (a run in the audit
 * log, durably; the agent's image) is done at the same time as its namespaces and mounts are made. When the supervisor dies instead, it is told so.
 */
#ifndef LICHEN_HOST_LAUNCH_GATE_H
#define LICHEN_HOST_LAUNCH_GATE_H

#include "base/types.h"

/* A pipe, close-on-exec. Both ends stay open in the supervisor, which is then never sent SIGPIPE. Negative: no gate; passing and opening it do nothing. */
struct gate {
	int in, out;
};
#define GATE_NONE ((struct gate){ -9, -9 })

int gate_make(struct gate *ret) MUST_CHECK;
void gate_done(struct gate *gate);
#define CLEANUP_GATE __attribute__((cleanup(gate_done)))
/* In the supervisor. 0 or negative errno. */
int gate_open(const struct gate *gate) MUST_CHECK;
/* In the guest's process, once: waits. 0; -ESRCH: the supervisor is gone; or negative errno. */
int gate_pass(struct gate *gate) MUST_CHECK;

#endif
