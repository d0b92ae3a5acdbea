/* SPDX-License-Identifier: Apache-2.0 */
/* Puts pieces of text together into lines, and judges a line by its words. */
#ifndef LICHEN_WHY_LINES_H
#define LICHEN_WHY_LINES_H

#include "why/model.h"

#define LINE_MAX_BYTES 1024u /* of a line that is kept; the rest is cut */

/* Lines that have not ended yet. */
struct lines {
	struct lines_open *open;
	size_t count;
};

/* A TRACE_TEXT record. Returns 0 or -ENOMEM. */
int lines_take(struct lines *lines, struct model *model, u32 process, const struct trace_record *record, u32 order) MUST_CHECK;
/* The process has ended (MODEL_NONE: all have): what it left unfinished counts as lines. Returns 0 or -ENOMEM. */
int lines_flush(struct lines *lines, struct model *model, u32 process) MUST_CHECK;
void lines_done(struct lines *lines);

/* How bad a line sounds: log levels (klog, logfmt, bracketed), else its words. *ret_alarm: it says that something is wrong. */
enum model_severity line_severity(const char *text, bool *ret_alarm);

#endif
