/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Denials of one run, each told once. Two sets of hashes, open addressing, never more than half full: what was tried, before anything is looked up (a
 * program that tries the same thing a million times costs little), and what was told.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cage/denial.h"
#include "host/trace_file.h"

#define TABLE_SIZE (2 * DENIALS_KNOWN) /* a power of two */

struct hashes {
	u64 slot[TABLE_SIZE]; /* 0 = free */
	u32 count;
};

struct cage_denials {
	const struct cage_policy *policy;
	const u64 *refused;
	void (*tell)(void *data, const struct cage_denial *denial);
	void *data;
	u64 count;
	struct hashes tried, told;
	struct cage_attempt attempt;
	struct cage_denial denial;
	pthread_mutex_t lock; /* around all of it */
};

/* Whether it is new; of a full set nothing is known, and all is. */
static bool is_new(struct hashes *set, u64 value)
{
	value |= !value;
	for (u64 at = value % TABLE_SIZE;; at = (at + 1) % TABLE_SIZE) {
		if (set->slot[at] == value)
			return false;
		if (set->slot[at])
			continue;
		if (set->count < DENIALS_KNOWN) {
			set->count++;
			set->slot[at] = value;
		}
		return true;
	}
}

static u64 hash_attempt(const struct cage_attempt *attempt)
{
	u64 state = hash_bytes(HASH_BEGIN, &attempt->nr, sizeof(attempt->nr));

	state = hash_bytes(state, &attempt->result, sizeof(attempt->result));
	state = hash_bytes(state, &attempt->flags, sizeof(attempt->flags));
	state = hash_bytes(state, &attempt->number, sizeof(attempt->number));
	state = hash_bytes(state, &attempt->protocol, sizeof(attempt->protocol));
	state = hash_bytes(state, &attempt->address, attempt->address_size);
	return hash_bytes(state, attempt->path, strlen(attempt->path));
}

/* Tells it, if it is new. */
static void tell_denial(struct cage_denials *denials)
{
	struct cage_denial *denial = &denials->denial;

	if (!is_new(&denials->told, hash_bytes(hash_bytes(HASH_BEGIN, &denial->what, sizeof(denial->what)), denial->object,
					       strlen(denial->object))))
		return;
	denial->quiet = cage_policy_quiet(denials->policy, denial->what, denial->object);
	denials->count += !denial->quiet;
	denial->number = denials->count;
	denials->tell(denials->data, denial);
}

static void take_attempt(struct cage_denials *denials, const struct trace_record *record)
{
	struct cage_attempt *attempt = &denials->attempt;
	struct cage_denial *denial = &denials->denial;

	if (!is_new(&denials->tried, hash_attempt(attempt)))
		return;
	if (attempt->path[0])
		cage_attempt_resolve(attempt->path, attempt->links);
	if (!cage_denial_judge(denials->policy, denials->refused, attempt, denial) || cage_denial_ordinary(attempt))
		return;
	denial->pid = record->pid;
	(void)snprintf(denial->comm, sizeof(denial->comm), "%.16s", record->comm);
	tell_denial(denials);
}

void cage_denials_take(void *data, const struct trace_record *record)
{
	struct cage_denials *denials = data;

	if (record->kind != TRACE_CALL)
		return;
	(void)pthread_mutex_lock(&denials->lock);
	for (u32 n = 0; cage_attempt_get(record, n, &denials->attempt); n++)
		take_attempt(denials, record);
	(void)pthread_mutex_unlock(&denials->lock);
}

void cage_denials_add(struct cage_denials *denials, enum cage_denied what, const char *object, const char *why)
{
	(void)pthread_mutex_lock(&denials->lock);
	denials->denial = (struct cage_denial){ .what = what, .why = why, .nr = -1 };
	(void)snprintf(denials->denial.object, sizeof(denials->denial.object), "%s", object);
	tell_denial(denials);
	(void)pthread_mutex_unlock(&denials->lock);
}

int cage_denials_new(const struct cage_policy *policy, const u64 *refused,
		     void (*tell)(void *data, const struct cage_denial *denial), void *data, struct cage_denials **ret)
{
	struct cage_denials *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->policy = policy;
	new->refused = refused;
	new->tell = tell;
	new->data = data;
	(void)pthread_mutex_init(&new->lock, NULL);
	*ret = new;
	return 0;
}

u64 cage_denials_count(const struct cage_denials *denials)
{
	return denials->count;
}

void cage_denials_free(struct cage_denials *denials)
{
	free(denials);
}

/* --- printing ---------------------------------------------------------------------------------------------------------------------- */

/* Bytes of a printable character of UTF-8 at `at`; 0: it is none. */
static size_t printable(const u8 *at)
{
	u32 code;
	size_t length;

	if (at[0] < 0x80)
		return at[0] >= ' ' && at[0] != 0x7f && at[0] != '\\';
	length = at[0] >= 0xf0 && at[0] < 0xf5 ? 4 : at[0] >= 0xe0 && at[0] < 0xf0 ? 3 : at[0] >= 0xc2 && at[0] < 0xe0 ? 2 : 0;
	code = length ? at[0] & (0x7fu >> length) : 0;
	for (size_t i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (at[i] & 0x3f);
	}
	if (code < 0xa0 || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff || (length == 3 && code < 0x800) ||
	    (length == 4 && code < 0x10000))
		return 0;
	/* what turns the direction of a line, or breaks it */
	if ((code >= 0x200e && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069))
		return 0;
	return length;
}

const char *cage_denial_print(const struct cage_denial *denial, char text[CAGE_OBJECT_PRINTED])
{
	const u8 *at = (const u8 *)denial->object;
	char *to = text;

	while (*at) {
		size_t length = printable(at);

		if (!length)
			to += snprintf(to, 5, "\\%03o", *at++);
		for (; length; length--)
			*to++ = (char)*at++;
	}
	memcpy(to, denial->cut ? "\u2026" : "", denial->cut ? sizeof("\u2026") : 1);
	return text;
}
