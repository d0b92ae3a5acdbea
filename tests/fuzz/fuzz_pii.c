/* SPDX-License-Identifier: Apache-2.0 */
/* Personal data in any bytes: however they are cut, the findings are the same, in order, apart, and with the bytes between them they are the input. */
#include "fuzz.h"
#include "pii/pattern.h"

struct told {
	const u8 *input;
	u64 at, last;
	u64 hash; /* of all findings */
};

static int clean(void *user, const u8 *bytes, size_t size)
{
	struct told *told = user;

	MUST(size > 0 && memcmp(bytes, told->input + told->at, size) == 0);
	told->at += size;
	return 0;
}

static int found(void *user, const struct pii_finding *finding, const u8 *bytes, size_t size, const u8 *value, size_t value_size)
{
	struct told *told = user;

	MUST(finding->start == told->at && finding->end == told->at + size && size > 0 && finding->score > 0 &&
	     finding->score <= 100);
	MUST(memcmp(bytes, told->input + told->at, size) == 0 && value_size > 0);
	told->at += size;
	for (size_t i = 0; i < value_size; i++)
		told->hash = (told->hash ^ value[i]) * 0x100000001b3;
	told->hash = (told->hash ^ finding->start) * 0x100000001b3;
	told->hash = (told->hash ^ finding->end) * 0x100000001b3;
	told->hash = (told->hash ^ finding->entity) * 0x100000001b3;
	return 0;
}

/* The input in pieces of `piece` bytes. Returns a hash of what was found. */
static u64 scan(const u8 *data, size_t size, size_t piece, struct pii_pattern *const *patterns)
{
	struct told told = { .input = data };
	const struct pii_sink sink = { .clean = clean, .found = found, .user = &told };
	const struct pii_options options = { .entities = pii_set_all(), .patterns = patterns, .pattern_count = patterns ? 1 : 0 };
	struct pii_stream *stream;

	MUST(pii_stream_new(&options, &sink, &stream) == 0);
	for (size_t at = 0; at < size; at += piece)
		MUST(pii_stream_feed(stream, data + at, piece < size - at ? piece : size - at) == 0);
	MUST(pii_stream_finish(stream) == 0);
	MUST(told.at == size);
	pii_stream_free(stream);
	return told.hash;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	size_t piece = input_number(&in, 1) + 1;
	struct pii_pattern *pattern = NULL;
	char why[200];

	if (!in.left)
		return 0;
	MUST(scan(in.at, in.left, in.left, NULL) == scan(in.at, in.left, piece, NULL));
	MUST(pii_pattern_new("P", "\\bid[0-9]+", &pattern, why, sizeof(why)) == 0);
	MUST(scan(in.at, in.left, in.left, &pattern) == scan(in.at, in.left, piece, &pattern));
	pii_pattern_free(pattern);
	return 0;
}
