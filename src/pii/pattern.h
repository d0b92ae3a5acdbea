/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of the user's own: Perl-compatible regular expressions (pcre2pattern(3)), matched on normalised text within a line. Of a line of more than
 * PATTERN_LINE bytes, pieces of that size are looked at, each beginning PATTERN_STRIDE behind the one before it.
 * A match takes bounded work (pcre2_set_match_limit(3)); beyond it the stream ends with -ELOOP.
 */
#ifndef LICHEN_PII_PATTERN_H
#define LICHEN_PII_PATTERN_H

#include "pii/scan.h"

#define PATTERN_LINE 16384u
#define PATTERN_STRIDE 12288u
#define PATTERN_MATCH_LIMIT 1000000u
#define PATTERN_DEPTH_LIMIT 10000u
#define PATTERN_HEAP_LIMIT 8192u /* KiB */

/*
 * Compiles a pattern; the name (letters, digits and '_', at most PII_NAME_MAX) is copied. Returns 0, -ENOMEM, or -EINVAL with a sentence in `why` when name
 * or expression are wrong.
 */
int pii_pattern_new(const char *name, const char *expression, struct pii_pattern **ret_pattern, char *why,
		    size_t why_size) MUST_CHECK;
const char *pii_pattern_name(const struct pii_pattern *pattern);
void pii_pattern_free(struct pii_pattern *pattern);

/* --- for the stream ------------------------------------------------------------------------------------------------------------------- */

struct line_patterns;

/* The patterns of `options`, which must outlive them. 0, -E2BIG or -ENOMEM. */
int line_patterns_new(const struct pii_options *options, struct line_patterns **ret_patterns) MUST_CHECK;
void line_patterns_free(struct line_patterns *lines);
/* scan_text() up to the last line that is complete, with matches of the patterns told in between. */
int line_patterns_scan(struct line_patterns *lines, struct scanner *scanner, struct view *view, size_t *next) MUST_CHECK;
/* The text's first bytes are gone. */
void line_patterns_drop(struct line_patterns *lines, size_t bytes);

#endif
