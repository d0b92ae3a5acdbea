// SPDX-License-Identifier: Apache-2.0
/* Appends events to an audit log as fast as it takes them: audit_append DIR EVENTS BATCH. Prints seconds until the last was durable, and until the log was closed. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "audit/audit_log.h"

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* As long as what a run writes: about 200 bytes with its number and time. */
static json_t *event(long number)
{
	return json_pack("{s:s, s:s, s:[s, s, s], s:s, s:I}", "type", "bench.event", "run", "0123456789abcdef", "command", "sh",
			 "-c", "exec make install", "workdir", "/home/user/project", "number", (json_int_t)number);
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? atol(argv[2]) : 0, batch = argc == 4 ? atol(argv[3]) : 0;
	struct audit_error error;
	struct audit_log *log;
	double begun, durable;

	if (count <= 0 || batch <= 0) {
		fputs("usage: audit_append DIR EVENTS BATCH\n", stderr);
		return 64;
	}
	if (audit_log_open(argv[1], NULL, &log, &error) < 0) {
		fprintf(stderr, "audit_append: %s\n", error.text);
		return 74;
	}
	begun = now();
	for (long i = 1; i <= count; i++)
		if (audit_log_append(log, event(i), &error) < 0 ||
		    ((i % batch == 0 || i == count) && audit_log_commit(log, &error) < 0)) {
			fprintf(stderr, "audit_append: %s\n", error.text);
			return 74;
		}
	durable = now() - begun;
	audit_log_close(log);
	printf("%.6f %.6f\n", durable, now() - begun);
	return 0;
}
