/* SPDX-License-Identifier: Apache-2.0 */
/* Signed notes, checkpoints and keys. Input: a kind, then text. What is accepted is written as it was read. */
#include <errno.h>

#include "audit/checkpoint.h"
#include "fuzz.h"

/* Its signatures are not secret: the corpus has notes by it. */
#define SIGNER "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"

static void key(const char *text)
{
	char again[NOTE_KEY_TEXT];
	struct note_key parsed, second;

	if (note_key_parse(text, &parsed) < 0)
		return;
	MUST(note_name_valid(parsed.name));
	(void)(parsed.signs ? note_key_signer(&parsed, again) : note_key_verifier(&parsed, again));
	MUST(strncmp(text, again, strlen(again)) == 0);
	MUST(note_key_parse(again, &second) == 0 && second.id == parsed.id);
}

/* A text that can be signed is verified, and is the text. */
static void sign(const struct note_key *signer, const char *text)
{
	char note[NOTE_MAX];
	int size = note_sign(signer, text, note);
	size_t found;

	if (size < 0)
		return;
	MUST(note_verify(note, (size_t)size, signer, &found, NULL) == 0);
	MUST(found == strlen(text) && memcmp(note, text, found) == 0);
}

static void open_note(const struct note_key *signer, const char *text, size_t size)
{
	struct note_key witness = *signer;
	struct checkpoint checkpoint;
	size_t found = 0;
	u64 time = 0;
	int r = note_verify(text, size, signer, &found, NULL);

	MUST(r == 0 || r == -EINVAL || r == -ENOKEY || r == -EBADMSG);
	MUST(r != 0 || (found < size && found > 0 && text[found - 1] == '\n' && text[found] == '\n'));
	witness.type = NOTE_COSIGNATURE;
	(void)!note_verify(text, size, &witness, &found, &time);
	(void)!checkpoint_open(text, size, signer, &checkpoint);
	if (checkpoint_parse(text, size, &checkpoint) == 0)
		MUST(checkpoint.size <= MERKLE_SIZE_MAX && checkpoint.origin[0] && strlen(checkpoint.origin) <= NOTE_NAME_MAX);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct note_key signer;
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	MUST(note_key_parse(SIGNER, &signer) == 0);
	switch (data[0] % 3) {
	case 0:
		open_note(&signer, text, size - 1);
		break;
	case 1:
		key(text);
		break;
	default:
		sign(&signer, text);
	}
	free(text);
	return 0;
}
