/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong in words, and what was left away: kept until somebody who may print does. */
#ifndef LICHEN_OCI_OCI_ERROR_H
#define LICHEN_OCI_OCI_ERROR_H

#include "base/types.h"

/* A sentence without a full stop. */
struct oci_error {
	char text[1024];
};

/* Fills error->text. Returns `number`, a negative errno. */
int oci_fail(struct oci_error *error, int number, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same, with the text of errno behind it: "FORMAT: no such file or directory". Returns -errno. */
int oci_fail_errno(struct oci_error *error, const char *format, ...) PRINTF_LIKE(2, 3);

/* Things that were asked for, that this machine does not give, and without which a container is as safe: sentences, one a line. */
struct oci_notes {
	char text[4096];
};

/* Adds a sentence, unless it is there already; what does not fit is dropped. */
void oci_note(struct oci_notes *notes, const char *format, ...) PRINTF_LIKE(2, 3);

/* Writes a sentence to stderr: for a process of a container or a hook, to which nobody listens who could print it. */
void oci_last_words(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
