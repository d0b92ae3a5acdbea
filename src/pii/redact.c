// SPDX-License-Identifier: Apache-2.0
/* Replaces what a stream finds. */
#include "pii/redact.h"

#include <errno.h>
#include <sodium/crypto_generichash.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pii/pattern.h"

#define HASH_SIZE 12u /* bytes; crypto_generichash makes 16 and more, of which these are the first */

struct pii_redactor {
	struct pii_stream *stream;
	struct pii_options options;
	enum pii_strategy strategy;
	pii_writer *write;
	void *user;
	u8 key[crypto_generichash_KEYBYTES];
};

static bool is_address(unsigned entity)
{
	return entity == PII_EMAIL_ADDRESS || entity == PII_IP_ADDRESS || entity == PII_MAC_ADDRESS;
}

/* Numbers, which people group in several ways: only letters and digits count. */
static bool is_number(unsigned entity)
{
	return entity < PII_URL_PASSWORD && entity != PII_CRYPTO && !is_address(entity);
}

static void hash_value(const struct pii_redactor *redactor, unsigned entity, const u8 *value, size_t size, char *to)
{
	u8 hash[crypto_generichash_BYTES_MIN], part[256];
	crypto_generichash_state state;
	size_t n = 0;
	bool number = is_number(entity), fold = number || is_address(entity);
	crypto_generichash_init(&state, redactor->key, sizeof(redactor->key), sizeof(hash));
	for (size_t i = 0; i < size; i++) {
		u8 byte = value[i];
		if (number && !is_word(byte))
			continue;
		part[n++] = fold ? (u8)to_lower(byte) : byte;
		if (n == sizeof(part)) {
			crypto_generichash_update(&state, part, n);
			n = 0;
		}
	}
	crypto_generichash_update(&state, part, n);
	crypto_generichash_final(&state, hash, sizeof(hash));
	for (size_t i = 0; i < HASH_SIZE; i++) {
		*to++ = (char)('a' + (hash[i] >> 4));
		*to++ = (char)('a' + (hash[i] & 15));
	}
}

static int pass_clean(void *user, const u8 *bytes, size_t size)
{
	const struct pii_redactor *redactor = user;
	return redactor->write(redactor->user, bytes, size);
}

static int replace(void *user, const struct pii_finding *finding, const u8 *bytes, size_t size, const u8 *value, size_t value_size)
{
	struct pii_redactor *redactor = user;
	char text[PII_NAME_MAX + 2 * HASH_SIZE + 4];
	(void)bytes, (void)size;
	if (redactor->strategy == PII_REMOVE)
		return 0;
	const char *name = pii_entity_name(finding->entity);
	if (!name)
		name = pii_pattern_name(redactor->options.patterns[finding->entity - PII_ENTITY_COUNT]);
	size_t length = strlen(name);
	text[0] = '[';
	memcpy(text + 1, name, ++length);
	if (redactor->strategy == PII_HASH) {
		text[length++] = ':';
		hash_value(redactor, finding->entity, value, value_size, text + length);
		length += (size_t)2 * HASH_SIZE;
	}
	text[length++] = ']';
	return redactor->write(redactor->user, text, length);
}

int pii_redactor_new(const struct pii_options *options, const struct pii_redaction *redaction, pii_writer *write, void *user,
		     struct pii_redactor **ret_redactor)
{
	if (redaction->strategy == PII_HASH && (redaction->key_size < PII_KEY_LEAST || redaction->key_size > PII_KEY_MOST))
		return -EINVAL;
	struct pii_redactor *redactor = calloc(1, sizeof(*redactor));
	if (!redactor)
		return -ENOMEM;
	redactor->options = *options;
	redactor->strategy = redaction->strategy;
	redactor->write = write;
	redactor->user = user;
	if (redaction->strategy == PII_HASH)
		crypto_generichash(redactor->key, sizeof(redactor->key), redaction->key, redaction->key_size, NULL, 0);
	const struct pii_sink sink = { .clean = pass_clean, .found = replace, .user = redactor };
	int error = pii_stream_new(options, &sink, &redactor->stream);
	if (error) {
		free(redactor);
		return error;
	}
	*ret_redactor = redactor;
	return 0;
}

int pii_redactor_feed(struct pii_redactor *redactor, const void *bytes, size_t size)
{
	return pii_stream_feed(redactor->stream, bytes, size);
}

int pii_redactor_finish(struct pii_redactor *redactor)
{
	return pii_stream_finish(redactor->stream);
}

void pii_redactor_free(struct pii_redactor *redactor)
{
	if (!redactor)
		return;
	pii_stream_free(redactor->stream);
	explicit_bzero(redactor->key, sizeof(redactor->key));
	free(redactor);
}

/* --- a text as a whole ---------------------------------------------------------------------------------------------------------------- */

static int write_to(void *user, const void *bytes, size_t size)
{
	FILE *to = user;
	return fwrite(bytes, 1, size, to) == size ? 0 : -ENOMEM;
}

int pii_mask_text(const char *text, size_t size, char **ret_masked, size_t *ret_size)
{
	const struct pii_options options = { .entities = pii_set_all() };
	const struct pii_redaction mask = { .strategy = PII_MASK };
	struct pii_redactor *redactor = NULL;
	char *masked = NULL;
	size_t masked_size = 0;
	FILE *to = open_memstream(&masked, &masked_size);
	int error = to ? pii_redactor_new(&options, &mask, write_to, to, &redactor) : -ENOMEM;
	if (!error)
		error = pii_redactor_feed(redactor, text, size);
	if (!error)
		error = pii_redactor_finish(redactor);
	pii_redactor_free(redactor);
	if (to && fclose(to) && !error)
		error = -ENOMEM;
	if (error) {
		free(masked);
		return error;
	}
	*ret_masked = masked;
	*ret_size = masked_size;
	return 0;
}
