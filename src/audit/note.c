// SPDX-License-Identifier: Apache-2.0
/* Signed notes and their keys: see the header. */
#include <errno.h>
#include <inttypes.h>
#include <sodium/crypto_hash_sha256.h>
#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "audit/note.h"

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define SEED_BYTES 32u
#define SIGNATURE_BYTES 64u
#define PREFIX "PRIVATE+KEY+"

void base64_put(char *text, const void *bytes, size_t size)
{
	sodium_bin2base64(text, 4 * ((size + 2) / 3) + 1, bytes, size, sodium_base64_VARIANT_ORIGINAL);
}

int base64_get(const char *text, size_t length, void *bytes, size_t room)
{
	size_t size;

	for (size_t i = 0; i < length; i++)
		if (text[i] & 0x80) /* libsodium 1.0.18 takes some of them for letters */
			return -EINVAL;
	if (sodium_base642bin(bytes, room, text, length, NULL, &size, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return -EINVAL;
	return (int)size;
}

/* The length of the UTF-8 character at `at`, 0 when it is none (RFC 3629). */
static size_t character(const u8 *at, const u8 *end)
{
	size_t length = *at < 0x80                ? 1
		      : *at >= 0xc2 && *at < 0xe0 ? 2
		      : (*at & 0xf0) == 0xe0      ? 3
		      : *at >= 0xf0 && *at < 0xf5 ? 4
						  : 0;

	if (!length || (size_t)(end - at) < length)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) || (*at == 0xf0 && at[1] < 0x90) ||
	    (*at == 0xf4 && at[1] > 0x8f))
		return 0;
	return length;
}

/* UTF-8 without control characters but newlines. */
static bool plain(const char *text, size_t size)
{
	const u8 *at = (const u8 *)text, *end = at + size;

	while (at < end) {
		size_t length = *at < 0x20 && *at != '\n' ? 0 : character(at, end);

		if (!length)
			return false;
		at += length;
	}
	return true;
}

/* Unicode's spaces (White_Space, as Go's unicode.IsSpace has it), as UTF-8. */
static bool has_space(const char *name)
{
	static const char *const spaces[] = { " ",
					      "\xc2\x85",
					      "\xc2\xa0",
					      "\xe1\x9a\x80",
					      "\xe2\x80\xa8",
					      "\xe2\x80\xa9",
					      "\xe2\x80\xaf",
					      "\xe2\x81\x9f",
					      "\xe3\x80\x80" };

	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (strstr(name, spaces[i]))
			return true;
	for (const char *at = strstr(name, "\xe2\x80"); at; at = strstr(at + 1, "\xe2\x80")) /* U+2000 to U+200A */
		if ((u8)at[2] >= 0x80 && (u8)at[2] <= 0x8a)
			return true;
	return false;
}

bool note_name_valid(const char *name)
{
	size_t length = strlen(name);

	return length && length <= NOTE_NAME_MAX && !strpbrk(name, "+\n") && plain(name, length) && !has_space(name);
}

/* The first four bytes of a hash over name and key. */
static u32 key_id(const struct note_key *key)
{
	crypto_hash_sha256_state state;
	u8 hash[32], type[2] = { '\n', key->type };

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const u8 *)key->name, strlen(key->name));
	crypto_hash_sha256_update(&state, type, sizeof(type));
	crypto_hash_sha256_update(&state, key->verifier, sizeof(key->verifier));
	crypto_hash_sha256_final(&state, hash);
	return (u32)hash[0] << 24 | (u32)hash[1] << 16 | (u32)hash[2] << 8 | hash[3];
}

static void from_seed(struct note_key *key, const u8 seed[SEED_BYTES])
{
	(void)crypto_sign_ed25519_seed_keypair(key->verifier, key->signer, seed);
	key->signs = true;
	key->id = key_id(key);
}

int note_key_new(const char *name, struct note_key *ret_key)
{
	struct note_key key = { .type = NOTE_ED25519 };
	u8 seed[SEED_BYTES];

	if (!note_name_valid(name))
		return -EINVAL;
	(void)snprintf(key.name, sizeof(key.name), "%s", name);
	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -errno;
	from_seed(&key, seed);
	sodium_memzero(seed, sizeof(seed));
	*ret_key = key;
	note_key_done(&key);
	return 0;
}

int note_key_parse(const char *text, struct note_key *ret_key)
{
	struct note_key key = { 0 };
	bool secret = strncmp(text, PREFIX, strlen(PREFIX)) == 0;
	const char *name = text + (secret ? strlen(PREFIX) : 0), *plus = strchr(name, '+'), *data;
	u8 bytes[1 + 32];
	char id[9];
	size_t length;

	if (!plus || (size_t)(plus - name) > NOTE_NAME_MAX || strspn(plus + 1, "0123456789abcdef") != 8 || plus[9] != '+')
		return -EINVAL;
	memcpy(key.name, name, (size_t)(plus - name));
	data = plus + 10;
	length = strcspn(data, " \t\r\n");
	if (!note_name_valid(key.name) || data[length + strspn(data + length, " \t\r\n")] ||
	    base64_get(data, length, bytes, sizeof(bytes)) != (int)sizeof(bytes))
		return -EINVAL;
	key.type = bytes[0];
	if (secret)
		from_seed(&key, bytes + 1);
	else
		memcpy(key.verifier, bytes + 1, sizeof(key.verifier));
	sodium_memzero(bytes, sizeof(bytes));
	key.id = key_id(&key);
	(void)snprintf(id, sizeof(id), "%08" PRIx32, key.id);
	if (memcmp(id, plus + 1, 8) != 0 || (key.type != NOTE_ED25519 && (secret || key.type != NOTE_COSIGNATURE))) {
		note_key_done(&key);
		return -EINVAL;
	}
	*ret_key = key;
	note_key_done(&key);
	return 0;
}

static const char *key_text(const struct note_key *key, const char *prefix, const u8 *data, char text[NOTE_KEY_TEXT])
{
	u8 bytes[1 + 32] = { key->type };
	char encoded[4 * (sizeof(bytes) + 2) / 3 + 1];

	memcpy(bytes + 1, data, 32);
	base64_put(encoded, bytes, sizeof(bytes));
	(void)snprintf(text, NOTE_KEY_TEXT, "%s%s+%08" PRIx32 "+%s", prefix, key->name, key->id, encoded);
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(encoded, sizeof(encoded));
	return text;
}

const char *note_key_verifier(const struct note_key *key, char text[NOTE_KEY_TEXT])
{
	return key_text(key, "", key->verifier, text);
}

const char *note_key_signer(const struct note_key *key, char text[NOTE_KEY_TEXT])
{
	return key_text(key, PREFIX, key->signer, text); /* its first half is the seed */
}

void note_key_done(struct note_key *key)
{
	sodium_memzero(key->signer, sizeof(key->signer));
}

int note_sign(const struct note_key *key, const char *text, char note[NOTE_MAX])
{
	u8 bytes[4 + SIGNATURE_BYTES] = { (u8)(key->id >> 24), (u8)(key->id >> 16), (u8)(key->id >> 8), (u8)key->id };
	char encoded[4 * ((sizeof(bytes) + 2) / 3) + 1];
	size_t length = strlen(text);
	int used;

	if (!key->signs || !length || text[length - 1] != '\n' || !plain(text, length))
		return -EINVAL;
	(void)crypto_sign_ed25519_detached(bytes + 4, NULL, (const u8 *)text, length, key->signer);
	base64_put(encoded, bytes, sizeof(bytes));
	used = snprintf(note, NOTE_MAX, "%s\n" DASH "%s %s\n", text, key->name, encoded);
	return used < (int)NOTE_MAX ? used : -E2BIG;
}

/* Where the signatures begin: behind the last empty line. NULL when it is no note. */
static const char *signatures(const char *note, size_t size)
{
	if (size < 3 || size > NOTE_MAX || note[size - 1] != '\n' || !plain(note, size))
		return NULL;
	for (size_t at = size - 1; at > 1; at--)
		if (note[at - 1] == '\n' && note[at - 2] == '\n')
			return note + at;
	return NULL;
}

/* What a witness signs: the text behind two lines. */
static bool cosigned(const struct note_key *key, const u8 *bytes, const char *text, size_t size, u64 *ret_time)
{
	char message[NOTE_MAX + 64];
	u64 time = 0;
	int head;

	for (int i = 0; i < 8; i++)
		time = time << 8 | bytes[i];
	head = snprintf(message, sizeof(message), "cosignature/v1\ntime %" PRIu64 "\n", time);
	memcpy(message + head, text, size);
	if (ret_time)
		*ret_time = time;
	return crypto_sign_ed25519_verify_detached(bytes + 8, (const u8 *)message, (size_t)head + size, key->verifier) == 0;
}

/* One signature line without its newline: -ENOKEY when it is another key's. */
static int verify_line(const char *line, size_t length, const struct note_key *key, const char *text, size_t size, u64 *ret_time)
{
	size_t dash = strlen(DASH), name = strlen(key->name), want = 4 + SIGNATURE_BYTES + (key->type == NOTE_COSIGNATURE ? 8 : 0);
	u8 bytes[NOTE_MAX];
	const char *space;
	int count;

	if (length <= dash || memcmp(line, DASH, dash) != 0)
		return -EINVAL;
	line += dash;
	length -= dash;
	space = memchr(line, ' ', length);
	if (!space || space == line)
		return -EINVAL;
	count = base64_get(space + 1, length - (size_t)(space + 1 - line), bytes, sizeof(bytes));
	if (count < 5)
		return -EINVAL;
	if ((size_t)(space - line) != name || memcmp(line, key->name, name) != 0 || bytes[0] != (u8)(key->id >> 24) ||
	    bytes[1] != (u8)(key->id >> 16) || bytes[2] != (u8)(key->id >> 8) || bytes[3] != (u8)key->id)
		return -ENOKEY;
	if ((size_t)count != want)
		return -EBADMSG;
	if (key->type == NOTE_COSIGNATURE)
		return cosigned(key, bytes + 4, text, size, ret_time) ? 0 : -EBADMSG;
	return crypto_sign_ed25519_verify_detached(bytes + 4, (const u8 *)text, size, key->verifier) == 0 ? 0 : -EBADMSG;
}

int note_verify(const char *note, size_t size, const struct note_key *key, size_t *ret_text, u64 *ret_time)
{
	const char *line = signatures(note, size), *end = note + size;
	size_t text = line ? (size_t)(line - note) - 1 : 0;
	int found = -ENOKEY;

	if (!line || line == end)
		return -EINVAL;
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		int r = verify_line(line, (size_t)(newline - line), key, note, text, ret_time);

		if (r == -EINVAL || r == -EBADMSG)
			return r;
		if (r == 0)
			found = 0;
		line = newline + 1;
	}
	*ret_text = text;
	return found;
}
