// SPDX-License-Identifier: Apache-2.0
/* Events of denials: see the header. */
#include "cage/denial_event.h"

#include <string.h>

#include "base/cleanup.h"

json_t *cage_denial_event(const struct cage_denial *denial, const char *object, const struct cage_event_text *by)
{
	const char *what = cage_denied_name(denial->what), *error = strerrorname_np(denial->error);
	struct cage_denial name = { 0 };
	char call[CAGE_CALL_NAME], comm[CAGE_OBJECT_PRINTED];
	json_t *rule;

	if (denial->nr < 0) /* by lichen-proxy, or before there was a guest */
		return json_pack("{s:s, s:o, s:n, s:s*, s:b}", "what", what, "object", by->text(by->data, object), "rule", "reason",
				 denial->why, "quiet", denial->quiet);
	memcpy(name.object, denial->comm, sizeof(denial->comm));
	rule = denial->rule[0] ? json_pack("{s:o, s:i}", "text", by->text(by->data, denial->rule), "line", (int)denial->line)
			       : json_null();
	return json_pack("{s:s, s:o, s:o, s:s, s:s, s:i, s:o, s:b}", "what", what, "object", by->text(by->data, object), "rule",
			 rule, "call", cage_call_name(denial->nr, call), "error", error ? error : "?", "pid", denial->pid, "comm",
			 by->text(by->data, cage_denial_print(&name, comm)), "quiet", denial->quiet);
}

json_t *cage_network_event(const struct cage_proxy_decision *decision, const struct cage_event_text *by)
{
	static const char *const texts[] = { "target", "raw", "address" };
	json_t *event = json_copy(decision->event);

	for (size_t i = 0; event && i < ARRAY_SIZE(texts); i++) {
		const char *text = json_string_value(json_object_get(event, texts[i]));

		if (text && json_object_set_new(event, texts[i], by->text(by->data, text))) {
			json_decref(event);
			event = NULL;
		}
	}
	return event;
}
