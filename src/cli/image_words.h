/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs about images share: opening the store, exit statuses, progress, and what was lost. */
#ifndef LICHEN_CLI_IMAGE_WORDS_H
#define LICHEN_CLI_IMAGE_WORDS_H

#include "cli/options.h"
#include "image/image.h"

/* Says "lichen NAME: TEXT" on stderr. Returns the exit status for this negative errno (image_error.h, lichen.h). */
int image_say(const struct command *command, int error, const struct image_error *why) MUST_CHECK;

/* Opens the store. Returns 0, or the exit status after saying why not. */
int image_store_begin(const struct command *command, struct image_store *ret_store) MUST_CHECK;

/* Collects garbage, closes the store, and returns `status`, or another when that failed, which has been said. */
int image_store_end(const struct command *command, struct image_store *store, int status) MUST_CHECK;

/* Makes image_add tell its progress on stderr, if that is a terminal, once it has lasted a second. */
void image_progress_begin(struct image_add *add);
/* Takes the progress away, and says what this host could not keep. */
void image_progress_end(const struct command *command, const struct image_add *add);

/* "12.3MB", as docker writes sizes. Returns `text`. */
const char *size_words(u64 bytes, char text[16]);

/* "3 hours ago" of an RFC 3339 time; "N/A" when it is none. Returns `text`. */
const char *age_words(const char *created, char text[32]);

#endif
