/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Personal data and secrets in a stream of bytes: where they are, and what they are.
 *
 *     bytes ──▶ normalise.c ──▶ scan.c: trigger bytes ──▶ matchers (entities.def, tokens.def) ──▶ stream.c: findings and the bytes between
 *
 * 1. The stream keeps a window of the input, 64 KiB and what is undecided at its end. Nothing grows with the input.
 * 2. normalise.c makes a second text of it: percent, JSON and C escapes decoded, full-width forms as ASCII, zero-width characters gone; with a map of
 *    offsets back. base64.c decodes runs of base64 that hold text, and scans what comes out likewise, twice at most.
 * 3. Bytes are classified by 64 (classify.c). A byte that can be in the middle of something (the first digit of a word, '@', ':' …) is a trigger; most are
 *    left out by what the masks and the bytes beside them tell (prefilter.c). About the others scan.c asks the matchers that wait for them. They look
 *    at most PII_LEFT_MAX bytes before, never over the end of a line, and PII_MATCH_MAX behind.
 * 4. A matcher that meets the end of the window while more may come leaves no verdict: the trigger is asked again when there is more. So findings
 *    do not depend on how the input was cut.
 * 5. Findings that overlap become one, named after the surest, so that nothing of either is left over.
 *
 * What rules do not find: names of people, postal addresses, whatever has no form of its own.
 */
#ifndef LICHEN_PII_PII_H
#define LICHEN_PII_PII_H

#include <assert.h>

#include "base/types.h"

#define PII_LEFT_MAX 256u    /* bytes between a match's begin and its trigger */
#define PII_MATCH_MAX 16384u /* bytes of a match, normalised */
#define PII_NAME_MAX 64u     /* bytes of an entity's name */
#define PII_PATTERNS_MAX 32u

/* What is looked for. The user's own patterns are numbered behind these, in their order. */
enum pii_entity {
#define PII_ENTITY(name, about) PII_##name,
#include "pii/entities.def"
#undef PII_ENTITY
	PII_ENTITY_COUNT,
};

/* A set of enum pii_entity. */
struct pii_set {
	u64 bits[2];
};
static_assert(PII_ENTITY_COUNT <= 128, "a struct pii_set has room");

/* "EMAIL_ADDRESS"; NULL beyond the last. */
const char *pii_entity_name(unsigned entity);
/* What it is, with the source of its rule. */
const char *pii_entity_about(unsigned entity);
/* Returns the entity of that name, whatever its case, or -ENOENT. */
int pii_entity_find(const char *name) MUST_CHECK;

/* Sets of entities; that of all. */
struct pii_set pii_set_all(void);
void pii_set_add(struct pii_set *set, unsigned entity);
bool pii_set_has(const struct pii_set *set, unsigned entity);

struct pii_finding {
	u64 start, end;  /* bytes of the input, counted from 0; `end` is behind the last */
	unsigned entity; /* enum pii_entity; PII_ENTITY_COUNT + n is the pattern n */
	unsigned score;  /* 1 … 100: how sure. Checksums give 90 and more, mere forms less */
	bool encoded;    /* the bytes are written in another way than the value: percent, base64 … */
};

/* Who gets what was found. Both return 0; or negative errno, which ends the scan and is what the stream's functions return. */
struct pii_sink {
	/* Bytes that are in no finding, in their order. Never empty. */
	int (*clean)(void *user, const u8 *bytes, size_t size);
	/* A finding: the bytes of the input, and its value normalised. */
	int (*found)(void *user, const struct pii_finding *finding, const u8 *bytes, size_t size, const u8 *value,
		     size_t value_size);
	void *user;
};

/* A pattern of the user's own: a Perl-compatible regular expression, matched within lines (pattern.c). */
struct pii_pattern;

struct pii_options {
	struct pii_set entities;
	struct pii_pattern *const *patterns; /* the caller's */
	size_t pattern_count;                /* at most PII_PATTERNS_MAX */
};

struct pii_stream;

/* Returns 0, -ENOMEM or -E2BIG (too many patterns). The options and the sink are copied, the patterns are not. */
int pii_stream_new(const struct pii_options *options, const struct pii_sink *sink, struct pii_stream **ret_stream) MUST_CHECK;
/*
 * Takes the next bytes of the input. Returns 0, what the sink returned, or -ELOOP: a pattern met its match limit, and what it would have found is not
 * known. After an error the stream can only be freed, and the bytes not handed to the sink must not be passed on.
 */
int pii_stream_feed(struct pii_stream *stream, const void *bytes, size_t size) MUST_CHECK;
/* The input is at its end. Returns as pii_stream_feed() does. */
int pii_stream_finish(struct pii_stream *stream) MUST_CHECK;
void pii_stream_free(struct pii_stream *stream);

#endif
