/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed notes (https://c2sp.org/signed-note, Go's golang.org/x/mod/sumdb/note): text, an empty line, and lines "— NAME BASE64". Of signatures, Ed25519
 * (type 1) and the timestamped ones of witnesses (type 4, https://c2sp.org/tlog-cosignature) are known. Keys are written as Go's package does:
 *
 *     NAME+ID+BASE64                  verifier: ID is 8 hexadecimal digits, BASE64 of the type's byte and the public key
 *     PRIVATE+KEY+NAME+ID+BASE64      signer: the same with the seed
 */
#ifndef LICHEN_AUDIT_NOTE_H
#define LICHEN_AUDIT_NOTE_H

#include "base/types.h"

#define NOTE_NAME_MAX 200u
#define NOTE_KEY_TEXT (NOTE_NAME_MAX + 80u) /* a key as text, NUL included */
#define NOTE_MAX 16384u                     /* bytes of a note; longer ones are malformed */

enum note_type {
	NOTE_ED25519 = 1,
	NOTE_COSIGNATURE = 4,
};

struct note_key {
	char name[NOTE_NAME_MAX + 1];
	u32 id;
	u8 type; /* enum note_type */
	u8 verifier[32];
	u8 signer[64]; /* of a signer: what libsodium makes of the seed */
	bool signs;
};

/* Whether a key may have this name: UTF-8 without spaces, control characters and plus, not empty, not too long. */
bool note_name_valid(const char *name);

/* A new signer. 0, -EINVAL for the name, or negative errno of getrandom(2). */
int note_key_new(const char *name, struct note_key *ret_key) MUST_CHECK;
/* Reads a signer or verifier; white space at the end is passed over. 0 or -EINVAL. */
int note_key_parse(const char *text, struct note_key *ret_key) MUST_CHECK;
/* Writes a verifier, or a signer's secret, without a newline. Returns `text`. */
const char *note_key_verifier(const struct note_key *key, char text[NOTE_KEY_TEXT]);
const char *note_key_signer(const struct note_key *key, char text[NOTE_KEY_TEXT]);
/* Overwrites what is secret. */
void note_key_done(struct note_key *key);

/* Signs a text that ends in a newline. Returns the length of the note, which a NUL follows; -EINVAL: the text cannot be signed, -E2BIG. */
int note_sign(const struct note_key *key, const char *text, char note[NOTE_MAX]) MUST_CHECK;

/* Looks for a valid signature of that key. *ret_text: how many bytes of the note are its text, the last newline included; *ret_time (may be NULL): when, of
 * a witness. 0; -EINVAL: it is no note; -ENOKEY: the key has not signed it; -EBADMSG: its signature is wrong. */
int note_verify(const char *note, size_t size, const struct note_key *key, size_t *ret_text, u64 *ret_time) MUST_CHECK;

/* Base64 with padding (RFC 4648, section 4), strict. Writes `size` bytes as text, NUL included: 4 * ((size + 2) / 3) + 1. */
void base64_put(char *text, const void *bytes, size_t size);
/* Returns the number of bytes, at most `room`; or -EINVAL. */
int base64_get(const char *text, size_t length, void *bytes, size_t room) MUST_CHECK;

#endif
