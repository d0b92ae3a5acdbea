// SPDX-License-Identifier: Apache-2.0
/* Masks of 64 bytes: what they say of bytes, and that the triggers that are left out by them have no match. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pii/base64.h"
#include "pii/prefilter.h"
#include "unit.h"

static int pass_clean(void *user, const u8 *bytes, size_t size)
{
	(void)user, (void)bytes, (void)size;
	return 0;
}

static int note_found(void *user, const struct pii_finding *finding, const u8 *bytes, size_t size, const u8 *value,
		      size_t value_size)
{
	(void)bytes, (void)size;
	fprintf(user, "%s %d-%d %u %.*s\n", pii_entity_name(finding->entity), (int)finding->start, (int)finding->end,
		finding->score, (int)value_size, (const char *)value);
	return 0;
}

/* What is found in an input that comes in pieces, a line each: the caller's to free. */
static char *scan_cut(const char *input, size_t size, size_t piece)
{
	char *text = NULL;
	size_t text_size;
	FILE *to = open_memstream(&text, &text_size);
	const struct pii_sink sink = { .clean = pass_clean, .found = note_found, .user = to };
	const struct pii_options options = { .entities = pii_set_all() };
	struct pii_stream *stream;
	assert_int_equal(pii_stream_new(&options, &sink, &stream), 0);
	for (size_t at = 0; at < size; at += piece)
		assert_int_equal(pii_stream_feed(stream, input + at, piece < size - at ? piece : size - at), 0);
	assert_int_equal(pii_stream_finish(stream), 0);
	pii_stream_free(stream);
	fclose(to);
	return text;
}

/* Findings, parts of them, and what is between. */
static const char *const parts[] = {
	"4111 1111 1111 1111",
	"DE89 3704 0044 0532 0130 00",
	"MT84MALT011000012345MTLCAST001S",
	"bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
	"0x52908400098527886E0F7030069857D2E4169EE7",
	"1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
	"joe@example.com",
	"https://u:secret@host/",
	"Authorization: Basic dXNlcjpwYXNzd29yZA==",
	"\"authorization\":\"bearer abcdefgh12\"",
	"10.20.30.40",
	"2001:db8::8a2e:370:7334",
	"1:2:3:4:5:6:7:8",
	"fe80:1234:5678:9abc:def0:1234:5678:9abc",
	"1:2:3:4:5:6:1.2.3.4",
	"00:1a:2b:3c:4d:5e",
	"00-1A-2B-3C-4D-5E",
	"001a.2b3c.4d5e",
	"123-45-6789",
	"078 05 1120",
	"1EG4-TE5-MK73",
	"1EG4TE5MK73",
	"AB123456C",
	"AB 12 34 56 C",
	"2341 2341 2346",
	"ABCPE1234F",
	"12345678Z",
	"X1234567L",
	"X-1234567-L",
	"RSSMRA85T10A562S",
	"44051401359",
	"131052-308T",
	"131052A308T",
	"S1234567D",
	"820701-2409184",
	"+49 30 123456",
	"(415) 555-2671",
	"020 7946 0958",
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
	"-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7\n-----END PRIVATE KEY-----",
	"AKIAIOSFODNN7EXAMPL2",
	"sk_live_4eC39HqLyjWDarjtT1zdp7dc",
	"SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKc",
	"AIzaSyD4k2J8x7Vb3n9Qw5Er6Ty7Ui8Op9As0Df",
	"dmFsdWU6IGpvZUBleGFtcGxlLmNvbQ",
	"2026-11-23T09:05:30.123Z",
	"d41d8cd98f00b204e9800998ecf8427e",
	" ",
	" ",
	"\n",
	":",
	"-",
	".",
	"_",
	"x",
	"7",
	"@",
	"phone ",
	"ssn: ",
	"\"",
	",",
	"/",
};

/* Fills a text with these, whole and cut off. Returns its size. */
static size_t make_text(u64 *random, char *text, size_t room)
{
	size_t size = 0;
	while (size < room - 256) {
		*random ^= *random << 13, *random ^= *random >> 7, *random ^= *random << 17;
		const char *part = parts[(*random >> 20) % ARRAY_SIZE(parts)];
		size_t whole = strlen(part), length = (*random >> 40) % 4 ? whole : (*random >> 44) % whole + 1;
		memcpy(text + size, part, length);
		size += length;
	}
	return size;
}

/* Bytes that come one at a time are never behind a block that is there whole: nothing is left out by masks, which is what is compared. */
static void what_masks_leave_out_has_no_match(void **state)
{
	(void)state;
	u64 random = 88172645463325252;
	for (unsigned round = 0; round < 60; round++) {
		char text[2048];
		size_t size = make_text(&random, text, sizeof(text));
		char *fast = scan_cut(text, size, size), *slow = scan_cut(text, size, 1);
		assert_string_equal(fast, slow);
		free(fast), free(slow);
	}
}

static void both_ways_leave_out_the_same(void **state)
{
	(void)state;
	if (prefilter_choose() == prefilter_plain)
		return;
	const struct pii_set all = pii_set_all();
	u64 random = 1;
	for (unsigned round = 0; round < 60; round++) {
		char text[2048] = "";
		struct masks masks[ARRAY_SIZE(text) / 64];
		struct scanner scanner;
		scanner_init(&scanner, &all);
		scanner.base64_depth = 1;
		make_text(&random, text, sizeof(text));
		classify_avx2((const u8 *)text, ARRAY_SIZE(masks), masks);
		for (size_t i = 1; i + 1 < ARRAY_SIZE(masks); i++) {
			const u8 *block = (const u8 *)text + i * 64;
			struct triggers plain, fast;
			prefilter_plain(&scanner, masks + i, block, &plain);
			prefilter_avx2(&scanner, masks + i, block, &fast);
			assert_int_equal(plain.digits, fast.digits);
			assert_int_equal(plain.others, fast.others);
			assert_int_equal(fast.base64 & ~plain.base64, 0);
			for (u64 left = plain.base64 & ~fast.base64; left; left &= left - 1)
				assert_int_equal(base64_phase(block + __builtin_ctzll(left)), 4);
		}
	}
}

static void classes_of_bytes_are_the_same_in_both_ways(void **state)
{
	(void)state;
	u8 bytes[256];
	struct masks plain[4], fast[4];
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (u8)i;
	classify_sse2(bytes, 4, plain);
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		u64 bit = (u64)1 << i % 64;
		const struct masks *m = &plain[i / 64];
		bool digit = i >= '0' && i <= '9', word = digit || (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');
		assert_int_equal((m->digit & bit) != 0, digit);
		assert_int_equal((m->word & bit) != 0, word);
		assert_int_equal((m->hex & bit) != 0, digit || (i && strchr("abcdefABCDEF", (int)i)));
		assert_int_equal((m->number & bit) != 0, digit || (i && strchr(" ()+-./", (int)i)));
		assert_int_equal((m->base64 & bit) != 0, word || (i && strchr("+/-_", (int)i)));
		assert_int_equal((m->mark & bit) != 0, i && strchr("-._GIJK", (int)i));
		assert_int_equal((m->at & bit) != 0, i == '@');
		assert_int_equal((m->colon & bit) != 0, i == ':');
		assert_int_equal((m->dash & bit) != 0, i == '-');
		assert_int_equal((m->dot & bit) != 0, i == '.');
	}
	if (!__builtin_cpu_supports("avx2"))
		return;
	classify_avx2(bytes, 4, fast);
	assert_memory_equal(plain, fast, sizeof(plain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_of_bytes_are_the_same_in_both_ways),
		cmocka_unit_test(both_ways_leave_out_the_same),
		cmocka_unit_test(what_masks_leave_out_has_no_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
