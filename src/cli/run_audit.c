// SPDX-License-Identifier: Apache-2.0
/* Runs that are told to an audit log: see the header. */
#include "cli/run_audit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/run_learn.h"
#include "lichen.h"

int run_audit_parse(void *field, const char *value, struct option_error *error)
{
	struct run_audit *audit = field;
	char here[PATH_MAX] = "";
	if (*value != '/' && !getcwd(here, sizeof(here)))
		return options_refuse(error, "option '--audit': cannot tell the working directory: %s", strerror(errno));
	if (snprintf(audit->path, sizeof(audit->path), "%s%s%s", here, *here ? "/" : "", value) >= (int)sizeof(audit->path))
		return options_refuse(error, "option '--audit': the path is too long");
	return 0;
}

static int refuse(const struct run_audit *audit, int error, const struct audit_error *why, const char *what,
		  struct launch_result *result)
{
	bool broken = error == -EBADMSG || error == -ENOKEY;
	*result = (struct launch_result){ .status = broken ? LICHEN_EXIT_DATA : LICHEN_EXIT_IO, .stage = "writing the audit log" };
	(void)snprintf(result->detail, sizeof(result->detail), "%s: the audit log '%.60s': %.150s", what, audit->path, why->text);
	return error;
}

int run_audit_starting(void *data, struct launch_result *result)
{
	struct run_audit *audit = data;
	struct audit_error why;
	int r = audit_run_begin(audit->path, &audit->command, &audit->run, &why);
	return r < 0 ? refuse(audit, r, &why, "nothing was started", result) : 0;
}

int run_audit_learning(struct run_audit *audit, const struct run_learn *learn, struct launch_result *result)
{
	struct audit_error why;
	int r = run_learn_note(learn, audit->path, &audit->run, &why);
	return r < 0 ? refuse(audit, r, &why, "nothing was started", result) : 0;
}

int run_audit_ended(void *data, struct launch_result *result)
{
	struct run_audit *audit = data;
	const char *failure = result->error ? strerrordesc_np(result->error) : result->stage;
	struct audit_error why;
	int r = audit_run_end(audit->path, &audit->run, result->status, failure, &why);
	return r < 0 ? refuse(audit, r, &why, "its end was not recorded", result) : 0;
}
