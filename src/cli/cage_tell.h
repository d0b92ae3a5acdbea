/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what a cage denies: a line on stderr at once, an event "denial" in the log, and the exit status in the end. */
#ifndef LICHEN_CLI_CAGE_TELL_H
#define LICHEN_CLI_CAGE_TELL_H

#include "audit/audit_run.h"
#include "cage/cage_proxy.h"
#include "cage/denial.h"
#include "host/launch.h"

#define CAGE_TELL_LINES 100u    /* on stderr; of more only the number is told */
#define CAGE_TELL_EVENTS 10000u /* in the log, likewise */

struct cage_tell {
	const struct cage_policy *policy;
	const char *audit; /* directory of the log; NULL = none */
	const struct audit_run *run;
	struct cage_denials *denials;
	struct launch_trace trace;
	u64 numbers[TRACE_NUMBERS_SIZE];
	u64 events;
	int error; /* negative errno: the log could not be written; `why` says more */
	struct audit_error why;
	u64 network_events; /* the same of what lichen-proxy tells, in another thread */
	int network_error;
	struct audit_error network_why;
};

/*
 * Lets a launch record what its guest is refused; all arguments outlive cage_tell_end(). `refused`: bitmap of the calls that the cage refuses by number or
 * by their arguments. `hidden`: files that are refused are not there (ENOENT). 0 or -ENOMEM.
 */
int cage_tell_begin(struct cage_tell *tell, const struct cage_policy *policy, const u64 refused[TRACE_NUMBERS_SIZE], bool hidden,
		    const char *audit, const struct audit_run *run, struct launch *launch) MUST_CHECK;
/* A struct cage_proxy_reader.take, whose data is a struct cage_tell: an event "network", and a denial if it is one. */
void cage_tell_network(void *data, const struct cage_proxy_decision *decision);
/* The command's own program may not be executed: a denial. Returns whether it was told. */
bool cage_tell_program(struct cage_tell *tell, const char *path);
/*
 * The run is over: says what is left to say. Returns the status of lichen: 77 when something was denied, 74 when the log could not be told, else `status`;
 * that in any case when it is `settled`: a limit ended the command, or lichen failed. Frees what cage_tell_begin() made.
 */
int cage_tell_end(struct cage_tell *tell, int status, bool settled) MUST_CHECK;

#endif
