// SPDX-License-Identifier: Apache-2.0
/* Parses the options of `lichen run` that make a cell. */
#include "cli/cell_options.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cli/cells.h"

static const struct {
	const char *name;
	int resource;
} resources[] = {
	{ "as", RLIMIT_AS },           { "core", RLIMIT_CORE },         { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },       { "fsize", RLIMIT_FSIZE },       { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },   { "nproc", RLIMIT_NPROC },       { "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },   { "rttime", RLIMIT_RTTIME },     { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static int add_label(void *field, const char *line, struct option_error *error)
{
	char *kept = strdup(line);
	return kept ? options_add_word(field, kept, error) : options_refuse(error, "out of memory");
}

/* Labels are kept as long as the process lives. */
int cell_parse_label_file(void *field, const char *value, struct option_error *error)
{
	return options_each_line(value, add_label, field, error);
}

/* A number up to `end`, or unlimited (-1 as well). */
static bool parse_limit(const char *from, const char *end, rlim_t *ret)
{
	char *stop;
	size_t length = (size_t)(end - from);
	if ((length == 9 && strncmp(from, "unlimited", 9) == 0) || (length == 2 && strncmp(from, "-1", 2) == 0)) {
		*ret = RLIM_INFINITY;
		return true;
	}
	if (!isdigit((unsigned char)*from))
		return false;
	errno = 0;
	*ret = strtoull(from, &stop, 10);
	return stop == end && errno == 0;
}

int cell_parse_ulimit(void *field, const char *value, struct option_error *error)
{
	struct cell_limit_list *list = field;
	struct launch_limit new = { .resource = -1 };
	size_t name = strcspn(value, "=");
	const char *soft = value[name] ? value + name + 1 : "", *colon = soft + strcspn(soft, ":"), *end = value + strlen(value);
	for (size_t i = 0; i < ARRAY_SIZE(resources); i++)
		if (strlen(resources[i].name) == name && strncmp(resources[i].name, value, name) == 0)
			new.resource = resources[i].resource;
	if (new.resource < 0)
		return options_refuse(
			error,
			"option '--ulimit': unknown limit in '%.100s'; known are those of getrlimit(2): nofile, nproc, core, …",
			value);
	if (!parse_limit(soft, colon, &new.limit.rlim_cur) ||
	    !parse_limit(*colon ? colon + 1 : soft, *colon ? end : colon, &new.limit.rlim_max) ||
	    new.limit.rlim_cur > new.limit.rlim_max)
		return options_refuse(error, "option '--ulimit' needs NAME=SOFT[:HARD], not '%.100s'", value);
	struct launch_limit *more = reallocarray(list->limits, list->count + 1, sizeof(*more));
	if (!more)
		return options_refuse(error, "out of memory");
	more[list->count++] = new;
	list->limits = more;
	return 0;
}

/* 15, TERM, SIGTERM, RTMIN+1. 0 = none of that. */
int cell_signal_number(const char *name)
{
	char *end;
	if (isdigit((unsigned char)*name)) {
		long number = strtol(name, &end, 10);
		return *end || number < 1 || number > SIGRTMAX ? 0 : (int)number;
	}
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int sig = 1; sig < NSIG; sig++) {
		const char *known = sigabbrev_np(sig);
		if (known && strcasecmp(known, name) == 0)
			return sig;
	}
	if (strncasecmp(name, "RTMIN", 5) == 0) {
		long more = name[5] == '+' && isdigit((unsigned char)name[6]) ? strtol(name + 6, &end, 10)
									      : (end = (char *)(uintptr_t)name + 5, 0);
		return *end || more > SIGRTMAX - SIGRTMIN ? 0 : SIGRTMIN + (int)more;
	}
	return 0;
}

int cell_parse_signal(void *field, const char *value, struct option_error *error)
{
	int *sig = field;
	*sig = cell_signal_number(value);
	return *sig ? 0
		    : options_refuse(error, "unknown signal '%.100s'; signals are named as in kill -l: TERM, SIGKILL, 15", value);
}

int cell_parse_seconds(void *field, const char *value, struct option_error *error)
{
	s64 *seconds = field;
	char *end;
	errno = 0;
	long long number = strtoll(value, &end, 10);
	if (!isdigit((unsigned char)*value) || *end || errno || number > 1000000)
		return options_refuse(error, "'%.100s' is no number of seconds", value);
	*seconds = number + 1;
	return 0;
}

int cell_parse_restart(void *field, const char *value, struct option_error *error)
{
	struct cell_restart_policy *policy = field;
	const char *tries = strncmp(value, "on-failure:", 11) == 0 ? value + 11 : NULL;
	char *end = NULL;
	unsigned long max = tries && isdigit((unsigned char)*tries) ? strtoul(tries, &end, 10) : 0;
	policy->given = true;
	if (tries && max > 0 && max < INT32_MAX && !*end) {
		policy->restart = CELL_RESTART_ON_FAILURE;
		policy->max = (u32)max;
		return 0;
	}
	policy->max = 0;
	for (int known = CELL_RESTART_NO; known <= CELL_RESTART_UNLESS_STOPPED; known++)
		if (strcmp(value, cell_restart_name(known)) == 0) {
			policy->restart = known;
			return 0;
		}
	return options_refuse(error, "option '--restart' needs no, on-failure[:N], always or unless-stopped, not '%.100s'", value);
}

int cell_parse_size(void *field, const char *value, struct option_error *error)
{
	s64 *size = field;
	char *end;
	errno = 0;
	long long number = strtoll(value, &end, 10);
	int shift = 0;
	if (*end)
		shift = strchr("kK", *end) ? 10 : strchr("mM", *end) ? 20 : strchr("gG", *end) ? 30 : 0;
	end += shift != 0;
	if (!isdigit((unsigned char)*value) || *end || errno || number > (INT64_C(1) << 40) >> shift || number << shift < 65536)
		return options_refuse(error, "'%.100s' is no size of at least 64k: a number, and k, m or g", value);
	*size = number << shift;
	return 0;
}

bool cell_wanted(const struct cell_options *given)
{
	return given->name || given->cidfile || given->detach || given->remove || given->interactive || given->tty ||
	       given->labels.count || given->limits.count || given->stop_signal || given->stop_timeout || given->log_size ||
	       given->restart.given || given->resources.given;
}

void cell_options_done(struct cell_options *given)
{
	free((void *)given->labels.words);
	free(given->limits.limits);
	given->labels = (struct option_words){ 0 };
	given->limits = (struct cell_limit_list){ 0 };
}
