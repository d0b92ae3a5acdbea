/* SPDX-License-Identifier: Apache-2.0 */
/* Values of directives. */
#include "units/unit_value.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

int unit_bool(const char *text)
{
	static const char *const yes[] = { "1", "yes", "y", "true", "t", "on", NULL };
	static const char *const no[] = { "0", "no", "n", "false", "f", "off", NULL };

	for (size_t i = 0; yes[i]; i++)
		if (strcasecmp(text, yes[i]) == 0)
			return 1;
	for (size_t i = 0; no[i]; i++)
		if (strcasecmp(text, no[i]) == 0)
			return 0;
	return -EINVAL;
}

/* A unit of time in microseconds; 0: there is none. */
static s64 time_unit(const char *word, size_t length)
{
	static const struct {
		const char *names;
		s64 microseconds;
	} units[] = { { " us usec \302\265s ", 1 },
		      { " ms msec ", 1000 },
		      { " s sec second seconds ", 1000000 },
		      { " m min minute minutes ", INT64_C(60000000) },
		      { " h hr hour hours ", INT64_C(3600000000) },
		      { " d day days ", INT64_C(86400000000) },
		      { " w week weeks ", INT64_C(604800000000) },
		      { " M month months ", INT64_C(2629800000000) },
		      { " y year years ", INT64_C(31557600000000) } };
	char wanted[16];

	if (!length)
		return 1000000;
	if (length + 3 > sizeof(wanted))
		return 0;
	(void)snprintf(wanted, sizeof(wanted), " %.*s ", (int)length, word);
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strstr(units[i].names, wanted))
			return units[i].microseconds;
	return 0;
}

int unit_span(const char *text, s64 *ret_ms)
{
	double sum = 0;
	bool any = false;

	text += strspn(text, " \t");
	if (strcmp(text, "infinity") == 0) {
		*ret_ms = UNIT_FOREVER;
		return 0;
	}
	while (*text) {
		char *end = NULL;
		double value = isdigit((unsigned char)*text) || *text == '.' ? strtod(text, &end) : -1;
		size_t length;
		s64 of;

		if (value < 0 || !end)
			return -EINVAL;
		end += strspn(end, " \t");
		length = strcspn(end, " \t0123456789.");
		of = time_unit(end, length);
		if (!of || end == text)
			return -EINVAL;
		sum += value * (double)of;
		text = end + length;
		text += strspn(text, " \t");
		any = true;
	}
	if (!any)
		return -EINVAL;
	*ret_ms = sum >= 9e18 ? UNIT_FOREVER : (s64)((sum + 999) / 1000);
	return 0;
}

int unit_bytes(const char *text, u64 *ret)
{
	static const char letters[] = "KMGTPE";
	char *end;
	double value;
	const char *letter;

	if (strcmp(text, "infinity") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	value = strtod(text, &end);
	letter = *end ? strchr(letters, *end) : NULL;
	if (letter) {
		for (const char *at = letters; at <= letter; at++)
			value *= 1024;
		end++;
	}
	if (*end == 'B')
		end++;
	if (*end || !(value < 1.8e19))
		return -EINVAL;
	*ret = (u64)value;
	return 0;
}

int unit_mode(const char *text, u32 *ret)
{
	char *end;
	unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 8) : 010000;

	if (value > 07777 || *end)
		return -EINVAL;
	*ret = (u32)value;
	return 0;
}

int unit_integer(const char *text, s64 least, s64 most, s64 *ret)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (end == text || *end || errno || value < least || value > most)
		return -EINVAL;
	*ret = value;
	return 0;
}

int unit_signal(const char *text)
{
	s64 number;

	if (unit_integer(text, 1, SIGRTMAX, &number) == 0)
		return (int)number;
	if (strncmp(text, "SIG", 3) == 0)
		text += 3;
	for (int sig = 1; sig < SIGRTMIN; sig++)
		if (sigabbrev_np(sig) && strcmp(sigabbrev_np(sig), text) == 0)
			return sig;
	if (strncmp(text, "RTMIN+", 6) == 0 && unit_integer(text + 6, 0, SIGRTMAX - SIGRTMIN, &number) == 0)
		return SIGRTMIN + (int)number;
	return 0;
}

enum limit_kind { LIMIT_NUMBER, LIMIT_BYTES, LIMIT_SECONDS, LIMIT_MICROSECONDS };

static int limit_value(const char *text, enum limit_kind kind, rlim_t *ret)
{
	u64 bytes;
	s64 value;

	if (strcmp(text, "infinity") == 0) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (kind == LIMIT_BYTES && unit_bytes(text, &bytes) == 0) {
		*ret = bytes;
		return 0;
	}
	if (unit_integer(text, 0, INT64_MAX, &value) == 0) {
		*ret = (rlim_t)value;
		return 0;
	}
	if ((kind != LIMIT_SECONDS && kind != LIMIT_MICROSECONDS) || unit_span(text, &value) < 0)
		return -EINVAL;
	*ret = (rlim_t)(kind == LIMIT_SECONDS ? (value + 999) / 1000 : value * 1000);
	return 0;
}

int unit_limit(const char *name, const char *text, int *ret_resource, struct rlimit *ret)
{
	static const struct {
		const char *name;
		int resource;
		enum limit_kind kind;
	} limits[] = { { "LimitCPU", RLIMIT_CPU, LIMIT_SECONDS },         { "LimitFSIZE", RLIMIT_FSIZE, LIMIT_BYTES },
		       { "LimitDATA", RLIMIT_DATA, LIMIT_BYTES },         { "LimitSTACK", RLIMIT_STACK, LIMIT_BYTES },
		       { "LimitCORE", RLIMIT_CORE, LIMIT_BYTES },         { "LimitRSS", RLIMIT_RSS, LIMIT_BYTES },
		       { "LimitNOFILE", RLIMIT_NOFILE, LIMIT_NUMBER },    { "LimitAS", RLIMIT_AS, LIMIT_BYTES },
		       { "LimitNPROC", RLIMIT_NPROC, LIMIT_NUMBER },      { "LimitMEMLOCK", RLIMIT_MEMLOCK, LIMIT_BYTES },
		       { "LimitLOCKS", RLIMIT_LOCKS, LIMIT_NUMBER },      { "LimitSIGPENDING", RLIMIT_SIGPENDING, LIMIT_NUMBER },
		       { "LimitMSGQUEUE", RLIMIT_MSGQUEUE, LIMIT_BYTES }, { "LimitNICE", RLIMIT_NICE, LIMIT_NUMBER },
		       { "LimitRTPRIO", RLIMIT_RTPRIO, LIMIT_NUMBER },    { "LimitRTTIME", RLIMIT_RTTIME, LIMIT_MICROSECONDS } };
	char soft[64];
	const char *hard = strchr(text, ':');

	(void)snprintf(soft, sizeof(soft), "%.*s", hard ? (int)(hard - text) : 63, text);
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit limit;

		if (strcmp(limits[i].name, name) != 0)
			continue;
		if (limit_value(soft, limits[i].kind, &limit.rlim_cur) < 0 ||
		    limit_value(hard ? hard + 1 : soft, limits[i].kind, &limit.rlim_max) < 0)
			return -EINVAL;
		*ret_resource = limits[i].resource;
		*ret = limit;
		return 0;
	}
	return -EINVAL;
}
