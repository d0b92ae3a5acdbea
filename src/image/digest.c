// SPDX-License-Identifier: Apache-2.0
/* SHA-256 digests and their text. */
#include "image/digest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void digest_start(struct digest_state *state)
{
	crypto_hash_sha256_init(&state->sha);
}

void digest_add(struct digest_state *state, const void *data, size_t size)
{
	crypto_hash_sha256_update(&state->sha, data, size);
}

struct digest digest_end(struct digest_state *state)
{
	struct digest digest;
	crypto_hash_sha256_final(&state->sha, digest.bytes);
	return digest;
}

struct digest digest_of(const void *data, size_t size)
{
	struct digest_state state;
	digest_start(&state);
	digest_add(&state, data, size);
	return digest_end(&state);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a->bytes, b->bytes, DIGEST_BYTES) == 0;
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int digest_parse_hex(const char *hex, struct digest *ret_digest)
{
	struct digest digest;
	if (strlen(hex) != DIGEST_HEX)
		return -EINVAL;
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		digest.bytes[i] = (u8)(high << 4 | low);
	}
	*ret_digest = digest;
	return 0;
}

int digest_parse(const char *text, struct digest *ret_digest)
{
	return strncmp(text, "sha256:", 7) == 0 ? digest_parse_hex(text + 7, ret_digest) : -EINVAL;
}

const char *digest_hex(const struct digest *digest, char hex[DIGEST_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < DIGEST_BYTES; i++) {
		hex[2 * i] = digits[digest->bytes[i] >> 4];
		hex[2 * i + 1] = digits[digest->bytes[i] & 15];
	}
	hex[DIGEST_HEX] = '\0';
	return hex;
}

const char *digest_text(const struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
	memcpy(text, "sha256:", 7);
	digest_hex(digest, text + 7);
	return text;
}

struct digest digest_chain(const struct digest *diff_ids, size_t count)
{
	struct digest chain = diff_ids[0];
	for (size_t i = 1; i < count; i++) {
		char pair[2 * DIGEST_TEXT_SIZE];
		digest_text(&chain, pair);
		pair[DIGEST_TEXT_SIZE - 1] = ' ';
		digest_text(&diff_ids[i], pair + DIGEST_TEXT_SIZE);
		chain = digest_of(pair, sizeof(pair) - 1);
	}
	return chain;
}
