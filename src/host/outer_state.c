// SPDX-License-Identifier: Apache-2.0
/* What confines lichen itself, by prctl(2) and /proc/self/status. */
#include "host/outer_state.h"

#include <stdio.h>
#include <sys/prctl.h>

static u32 count_filters(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	char line[256];
	unsigned count = 0;

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "Seccomp_filters: %u", &count) == 1) // NOLINT(cert-err34-c): the kernel's own number
			break;
	if (status)
		(void)fclose(status);
	return count;
}

void outer_state_get(struct outer_state *ret)
{
	int mode = prctl(PR_GET_SECCOMP);

	*ret = (struct outer_state){
		.no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1,
		.seccomp = mode > 0 ? (u32)mode : 0,
		.filters = count_filters(),
	};
}
