// SPDX-License-Identifier: Apache-2.0
/* Texts of checkpoints and of proofs. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"

#define HASH_TEXT 44u /* characters of a hash in base64 */

int checkpoint_sign(const struct note_key *key, u64 size, const struct merkle_hash *root, char note[NOTE_MAX])
{
	char hash[HASH_TEXT + 1], text[NOTE_NAME_MAX + HASH_TEXT + 32];

	base64_put(hash, root->bytes, sizeof(root->bytes));
	(void)snprintf(text, sizeof(text), "%s\n%" PRIu64 "\n%s\n", key->name, size, hash);
	return note_sign(key, text, note);
}

/* A decimal number without leading zeros and nothing else, below MERKLE_SIZE_MAX. */
static int number(const char *text, size_t length, u64 *ret_number)
{
	u64 value = 0;

	if (!length || length > 19 || (length > 1 && *text == '0'))
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		value = value * 10 + (u64)(text[i] - '0');
	}
	if (value > MERKLE_SIZE_MAX)
		return -EINVAL;
	*ret_number = value;
	return 0;
}

int checkpoint_parse(const char *text, size_t size, struct checkpoint *ret_checkpoint)
{
	struct checkpoint found = { .size = 0 };
	const char *lines[3], *end = text + size;
	size_t lengths[3];

	for (int i = 0; i < 3; i++) {
		const char *newline = text < end ? memchr(text, '\n', (size_t)(end - text)) : NULL;

		if (!newline || newline == text)
			return -EINVAL;
		lines[i] = text;
		lengths[i] = (size_t)(newline - text);
		text = newline + 1;
	}
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));

		if (!newline || newline == text)
			return -EINVAL;
		text = newline + 1;
	}
	if (lengths[0] > NOTE_NAME_MAX || memchr(lines[0], 0, lengths[0]) || number(lines[1], lengths[1], &found.size) < 0 ||
	    lengths[2] != HASH_TEXT ||
	    base64_get(lines[2], lengths[2], found.root.bytes, sizeof(found.root.bytes)) != (int)sizeof(found.root.bytes))
		return -EINVAL;
	memcpy(found.origin, lines[0], lengths[0]);
	*ret_checkpoint = found;
	return 0;
}

int checkpoint_open(const char *note, size_t size, const struct note_key *key, struct checkpoint *ret_checkpoint)
{
	struct checkpoint found;
	size_t text;
	int r = note_verify(note, size, key, &text, NULL);

	if (r == 0)
		r = checkpoint_parse(note, text, &found);
	if (r == 0 && strcmp(found.origin, key->name) != 0)
		r = -ENOKEY;
	if (r == 0)
		*ret_checkpoint = found;
	return r;
}

char *checkpoint_proof_text(const void *entry, size_t size, u64 index, const struct merkle_proof *proof, const char *note)
{
	size_t extra = 4 * ((size + 2) / 3) + 1, room = extra + proof->count * (HASH_TEXT + 1) + strlen(note) + 128;
	char *text = malloc(room);
	size_t used;

	if (!text)
		return NULL;
	used = (size_t)snprintf(text, room, "c2sp.org/tlog-proof@v1\nextra ");
	base64_put(text + used, entry, size);
	used += extra - 1;
	used += (size_t)snprintf(text + used, room - used, "\nindex %" PRIu64 "\n", index);
	for (u32 i = 0; i < proof->count; i++) {
		base64_put(text + used, proof->hashes[i].bytes, sizeof(proof->hashes[i].bytes));
		used += HASH_TEXT;
		text[used++] = '\n';
	}
	(void)snprintf(text + used, room - used, "\n%s", note);
	return text;
}
