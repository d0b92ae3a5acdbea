// SPDX-License-Identifier: Apache-2.0
/* Denials, told: see the header. */
#include "cli/cage_tell.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cage/denial_event.h"
#include "lichen.h"
#include "pii/redact.h"

static void print(const struct cage_tell *tell, const struct cage_denial *denial, const char *object)
{
	const struct cage_policy *policy = tell->policy;
	const char *what = cage_denied_name(denial->what);
	if (denial->why)
		fprintf(stderr, "lichen: denied %s %s: %s\n", what, object, denial->why);
	else if (denial->line)
		fprintf(stderr, "lichen: denied %s %s by rule %s (%s:%u)\n", what, object, denial->rule, policy->name,
			denial->line);
	else if (denial->rule[0])
		fprintf(stderr, "lichen: denied %s %s by rule %s of %s\n", what, object, denial->rule, policy->name);
	else
		fprintf(stderr, "lichen: denied %s %s: no rule of %s allows it\n", what, object, policy->name);
}

/* The text for the log, redacted if the policy wants it. NULL: no memory. */
static json_t *text_event(const void *data, const char *text)
{
	const struct cage_tell *tell = data;
	CLEANUP_FREE char *masked = NULL;
	size_t size = strlen(text);
	if (tell->policy->audit.redact && pii_mask_text(text, size, &masked, &size) < 0)
		return NULL;
	return json_stringn(masked ? masked : text, size);
}

static void note(struct cage_tell *tell, const struct cage_denial *denial, const char *object)
{
	const struct cage_event_text by = { text_event, tell };
	if (!tell->audit || tell->error || tell->events++ >= CAGE_TELL_EVENTS)
		return;
	json_t *event = cage_denial_event(denial, object, &by);
	tell->error = event ? audit_run_note(tell->audit, tell->run, "denial", event, &tell->why) : -ENOMEM;
}

/* In the thread that takes the records. */
static void tell_one(void *data, const struct cage_denial *denial)
{
	struct cage_tell *tell = data;
	char text[CAGE_OBJECT_PRINTED];
	const char *object = cage_denial_print(denial, text);
	if (!denial->quiet && denial->number <= CAGE_TELL_LINES)
		print(tell, denial, object);
	note(tell, denial, object);
}

int cage_tell_begin(struct cage_tell *tell, const struct cage_policy *policy, const u64 refused[TRACE_NUMBERS_SIZE], bool hidden,
		    const char *audit, const struct audit_run *run, struct launch *launch)
{
	*tell = (struct cage_tell){ .policy = policy, .audit = audit, .run = run };
	memcpy(tell->numbers, refused, sizeof(tell->numbers));
	int r = cage_denials_new(policy, tell->numbers, tell_one, tell, &tell->denials);
	if (r < 0)
		return r;
	tell->trace = (struct launch_trace){
		.mode = TRACE_REFUSALS | (hidden ? TRACE_HIDDEN : 0),
		.numbers = tell->numbers,
		.take = cage_denials_take,
		.data = tell->denials,
		.fd = -1,
	};
	launch->trace = &tell->trace;
	return 0;
}

void cage_tell_network(void *data, const struct cage_proxy_decision *decision)
{
	struct cage_tell *tell = data;
	const struct cage_event_text by = { text_event, tell };
	if (decision->denied)
		cage_denials_add(tell->denials, CAGE_DENIED_NET_CONNECT, decision->target, decision->reason);
	if (!tell->audit || tell->network_error || tell->network_events++ >= CAGE_TELL_EVENTS)
		return;
	json_t *event = cage_network_event(decision, &by);
	tell->network_error = event ? audit_run_note(tell->audit, tell->run, "network", event, &tell->network_why) : -ENOMEM;
}

bool cage_tell_program(struct cage_tell *tell, const char *path)
{
	cage_denials_add(tell->denials, CAGE_DENIED_FS_EXECUTE, path, NULL);
	return cage_denials_count(tell->denials) > 0;
}

int cage_tell_end(struct cage_tell *tell, int status, bool settled)
{
	u64 denied = cage_denials_count(tell->denials);
	if (denied > CAGE_TELL_LINES)
		fprintf(stderr, "lichen: denied %llu more\n", (unsigned long long)(denied - CAGE_TELL_LINES));
	if (tell->trace.lost)
		fprintf(stderr, "lichen: %llu records of refused calls came too late to be judged\n",
			(unsigned long long)tell->trace.lost);
	if (tell->error)
		fprintf(stderr, "lichen: a denial was not recorded: the audit log '%s': %s\n", tell->audit,
			tell->error == -ENOMEM ? "out of memory" : tell->why.text);
	if (tell->network_error)
		fprintf(stderr, "lichen: a connection was not recorded: the audit log '%s': %s\n", tell->audit,
			tell->network_error == -ENOMEM ? "out of memory" : tell->network_why.text);
	cage_denials_free(tell->denials);
	tell->denials = NULL;
	if (settled)
		return status;
	return tell->error || tell->network_error ? LICHEN_EXIT_IO : denied ? LICHEN_EXIT_DENIED : status;
}
