/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream with what was found replaced.
 *
 *   mask    [EMAIL_ADDRESS]
 *   hash    [EMAIL_ADDRESS:hgbpoklajfdmncegioabhplk]: the same value has the same hash under the same key. BLAKE2b with the key, 96 bits, each half byte as a
 *           letter a … p, so that it is no number again. Numbers are hashed without what stands between their groups, e-mail addresses in lower case.
 *   remove  nothing
 */
#ifndef LICHEN_PII_REDACT_H
#define LICHEN_PII_REDACT_H

#include "pii/pii.h"

enum pii_strategy {
	PII_MASK,
	PII_HASH, /* needs a key: who has the hash of a short number without one tries all numbers */
	PII_REMOVE,
};

#define PII_KEY_LEAST 16u /* bytes */
#define PII_KEY_MOST 65536u

struct pii_redaction {
	enum pii_strategy strategy;
	const u8 *key; /* PII_HASH: the caller's */
	size_t key_size;
};

struct pii_redactor;

/* What is handed on, in order. Returns 0 or negative errno, which ends the work. */
typedef int pii_writer(void *user, const void *bytes, size_t size);

/* Returns 0, -ENOMEM, -E2BIG, or -EINVAL when the key is too short or too long. */
int pii_redactor_new(const struct pii_options *options, const struct pii_redaction *redaction, pii_writer *write, void *user,
		     struct pii_redactor **ret_redactor) MUST_CHECK;
/* As pii_stream_feed() and pii_stream_finish() do, and what the writer returned. */
int pii_redactor_feed(struct pii_redactor *redactor, const void *bytes, size_t size) MUST_CHECK;
int pii_redactor_finish(struct pii_redactor *redactor) MUST_CHECK;
void pii_redactor_free(struct pii_redactor *redactor);

/* One text as a whole, masked. Returns 0, with a text to be freed and its size; or as above. */
int pii_mask_text(const char *text, size_t size, char **ret_masked, size_t *ret_size) MUST_CHECK;

#endif
