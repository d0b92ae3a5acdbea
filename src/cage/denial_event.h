/* SPDX-License-Identifier: Apache-2.0 */
/* What a cage denied, and what its proxy decided, as events of the audit log (docs/audit-json.md). */
#ifndef LICHEN_CAGE_DENIAL_EVENT_H
#define LICHEN_CAGE_DENIAL_EVENT_H

#include <jansson.h>

#include "cage/cage_proxy.h"
#include "cage/denial.h"

/* Makes a text for the log of what may be personal: redacted, where that is wanted. `text` returns NULL without memory. */
struct cage_event_text {
	json_t *(*text)(const void *data, const char *text);
	const void *data;
};

/* The members of an event "denial". object: as cage_denial_print() writes it. NULL: no memory. */
json_t *cage_denial_event(const struct cage_denial *denial, const char *object, const struct cage_event_text *by) MUST_CHECK;
/* Those of an event "network". Likewise. */
json_t *cage_network_event(const struct cage_proxy_decision *decision, const struct cage_event_text *by) MUST_CHECK;

#endif
