/* SPDX-License-Identifier: Apache-2.0 */
/* Values of directives: times, sizes, truths, signals. */
#ifndef LICHEN_UNITS_UNIT_VALUE_H
#define LICHEN_UNITS_UNIT_VALUE_H

#include "base/types.h"

#define UNIT_FOREVER INT64_MAX

/* systemd.syntax(7): 1, yes, true, on; 0, no, false, off. 1, 0 or -EINVAL. */
int unit_bool(const char *text) MUST_CHECK;
/* systemd.time(7), "Parsing Time Spans": "90", "5min 20s", "infinity"; a number without a unit is seconds. In milliseconds. 0 or -EINVAL. */
int unit_span(const char *text, s64 *ret_ms) MUST_CHECK;
/* "64K", "2G", "infinity" (UINT64_MAX): bytes. 0 or -EINVAL. */
int unit_bytes(const char *text, u64 *ret) MUST_CHECK;
/* An octal mode. 0 or -EINVAL. */
int unit_mode(const char *text, u32 *ret) MUST_CHECK;
/* "SIGTERM", "TERM" or a number. A signal; 0: there is none of that name. */
int unit_signal(const char *text);
/* A decimal number within limits. 0 or -EINVAL. */
int unit_integer(const char *text, s64 least, s64 most, s64 *ret) MUST_CHECK;
/* "1024", "1024:4096", "infinity", of LimitNAME=: 0 or -EINVAL. What is of time is told in seconds. */
struct rlimit;
int unit_limit(const char *name, const char *text, int *ret_resource, struct rlimit *ret) MUST_CHECK;

#endif
