/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors that every member carries for lichen: inherited over fork and execve, not the guest's to see, close or duplicate. */
#ifndef LICHEN_ABI_RESERVED_H
#define LICHEN_ABI_RESERVED_H

enum reserved_fd {
	RESERVED_AGENT,   /* the agent's image: what each execve executes */
	RESERVED_COMMONS, /* the memfd of abi/commons.h */
	RESERVED_BROKER,  /* the members' end of the broker socket (abi/broker.h); negative where no gap of the cell uses one */
	RESERVED_COUNT
};

#endif
