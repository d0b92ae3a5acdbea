/* SPDX-License-Identifier: Apache-2.0 */
/* What confines lichen itself: guests are to see that, and not what lichen adds. */
#ifndef LICHEN_HOST_OUTER_STATE_H
#define LICHEN_HOST_OUTER_STATE_H

#include "abi/commons.h"

/* Asks the kernel; what it does not tell is 0. */
void outer_state_get(struct outer_state *ret);

#endif
