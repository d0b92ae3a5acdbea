/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 digests, as images name everything: 32 bytes, written "sha256:HEX" (image-spec, descriptor.md). */
#ifndef LICHEN_IMAGE_DIGEST_H
#define LICHEN_IMAGE_DIGEST_H

#include <sodium/crypto_hash_sha256.h>

#include "base/types.h"

#define DIGEST_BYTES 32u
#define DIGEST_HEX (2 * DIGEST_BYTES)
#define DIGEST_TEXT_SIZE (7 + DIGEST_HEX + 1) /* "sha256:", the digits, NUL */

struct digest {
	u8 bytes[DIGEST_BYTES];
};

/* A digest in the making: digest_start(), digest_add() in pieces, digest_end(). */
struct digest_state {
	crypto_hash_sha256_state sha;
};

void digest_start(struct digest_state *state);
void digest_add(struct digest_state *state, const void *data, size_t size);
struct digest digest_end(struct digest_state *state);

/* The digest of these bytes. */
struct digest digest_of(const void *data, size_t size);

bool digest_equal(const struct digest *a, const struct digest *b);

/* Parses "sha256:" and 64 lowercase hexadecimal digits, nothing else. Returns 0 or -EINVAL. */
int digest_parse(const char *text, struct digest *ret_digest) MUST_CHECK;

/* Parses the 64 digits alone. Returns 0 or -EINVAL. */
int digest_parse_hex(const char *hex, struct digest *ret_digest) MUST_CHECK;

/* Writes the digits. Returns `hex`. */
const char *digest_hex(const struct digest *digest, char hex[DIGEST_HEX + 1]);

/* Writes "sha256:" and the digits. Returns `text`. */
const char *digest_text(const struct digest *digest, char text[DIGEST_TEXT_SIZE]);

/*
 * The chain id of layers (image-spec, config.md, "Layer ChainID"): that of the first is its diff id, of others
 * sha256("CHAIN DIFFID"). `count` is at least 1.
 */
struct digest digest_chain(const struct digest *diff_ids, size_t count);

#endif
