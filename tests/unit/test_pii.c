// SPDX-License-Identifier: Apache-2.0
/* What is found in a stream: examples that authorities publish, near misses, offsets, and that the way the input is cut makes no difference. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pii/pattern.h"
#include "pii/redact.h"
#include "unit.h"

/* --- what a scan tells, as text: "NAME start-end value\n" for each finding, and the bytes that it handed on ------------------------------ */

struct record {
	char *text;
	size_t text_size;
	FILE *to;
	u64 at; /* bytes of the input that were handed out */
	const char *input;
	struct pii_pattern *const *patterns;
};

static int note_clean(void *user, const u8 *bytes, size_t size)
{
	struct record *record = user;
	assert_true(size > 0);
	assert_memory_equal(bytes, record->input + record->at, size);
	record->at += size;
	return 0;
}

static int note_found(void *user, const struct pii_finding *finding, const u8 *bytes, size_t size, const u8 *value,
		      size_t value_size)
{
	struct record *record = user;
	const char *name = pii_entity_name(finding->entity);
	assert_int_equal(finding->start, record->at);
	assert_int_equal(finding->end, record->at + size);
	assert_memory_equal(bytes, record->input + record->at, size);
	record->at += size;
	fprintf(record->to, "%s %d-%d %.*s%s\n",
		name ? name : pii_pattern_name(record->patterns[finding->entity - PII_ENTITY_COUNT]), (int)finding->start,
		(int)finding->end, (int)value_size, (const char *)value, finding->encoded ? " encoded" : "");
	return 0;
}

/* Scans an input that is cut into pieces of `first` bytes and then of `rest` bytes each. The result is the caller's to free. */
static char *scan_cut(const char *input, size_t size, size_t first, size_t rest, struct pii_pattern *const *patterns, size_t count)
{
	struct record record = { .input = input, .patterns = patterns };
	record.to = open_memstream(&record.text, &record.text_size);
	const struct pii_sink sink = { .clean = note_clean, .found = note_found, .user = &record };
	const struct pii_options options = { .entities = pii_set_all(), .patterns = patterns, .pattern_count = count };
	struct pii_stream *stream;
	assert_int_equal(pii_stream_new(&options, &sink, &stream), 0);
	for (size_t at = 0; at < size;) {
		size_t part = at ? rest : first;
		part = part && part < size - at ? part : size - at;
		char *copy = malloc(part); /* exactly: AddressSanitizer sees a read beyond */
		memcpy(copy, input + at, part);
		assert_int_equal(pii_stream_feed(stream, copy, part), 0);
		free(copy);
		at += part;
	}
	assert_int_equal(pii_stream_finish(stream), 0);
	assert_int_equal(record.at, size);
	pii_stream_free(stream);
	fclose(record.to);
	return record.text;
}

static void assert_masked(const char *input, const char *wanted)
{
	char *masked;
	size_t size;
	assert_int_equal(pii_mask_text(input, strlen(input), &masked, &size), 0);
	if (size != strlen(wanted) || memcmp(masked, wanted, size) != 0)
		print_error("input: %s\n", input);
	assert_string_equal(masked, wanted);
	free(masked);
}

static void assert_untouched(const char *input)
{
	assert_masked(input, input);
}

/* --- one entity after the other ------------------------------------------------------------------------------------------------------- */

static void cards_by_range_length_grouping_and_luhn(void **state)
{
	(void)state;
	/* Test numbers that the networks publish. */
	static const char *const cards[] = {
		"4111111111111111",        "4012888888881881",    "4222222222222",     "5555555555554444",    "5105105105105100",
		"2223003122003222",        "378282246310005",     "371449635398431",   "6011111111111117",    "6011000990139424",
		"30569309025904",          "38520000023237",      "3530111333300000",  "3566002020360505",    "6200000000000005",
		"6759649826438453",        "4111 1111 1111 1111", "3782-822463-10005", "5555-5555-5555-4444", "3056 930902 5904",
		"4111 1111 1111 1111 110",
	};
	for (size_t i = 0; i + 1 < ARRAY_SIZE(cards); i++)
		assert_masked(cards[i], "[CREDIT_CARD]");
	assert_untouched("6540 6541 6542 6543 654A 1 5841 5842 5844 5845"); /* a list of code points */
	assert_untouched("a = \"-----BEGIN PRIVATE KEY-----\" + aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_untouched("Boston, MA 02110-1301");
	assert_masked("(4111111111111111)", "([CREDIT_CARD])");
	assert_masked("1,4111111111111111,Bob", "1,[CREDIT_CARD],Bob");
	assert_masked("4111 1111 1111 1111 12/27", "[CREDIT_CARD] 12/27");
	assert_untouched("4111111111111112");               /* Luhn */
	assert_masked("9792020000000001", "[CREDIT_CARD]"); /* Troy */
	assert_untouched("3855 861045 94018");              /* in the groups of an American Express card, which it is not */
	assert_untouched("9111111111111119");               /* nobody's range */
	assert_untouched("411111111111116");                /* Visa has no 15 */
	assert_untouched("41 11111 1111 11111");            /* not grouped so */
	assert_untouched("x4111111111111111");              /* in a word */
	assert_untouched("41111111111111110000000");        /* in a longer number */
	assert_untouched("3.4111111111111111");
	assert_untouched("0000000000000000");
	assert_untouched("4111-1111-1111-1111-1111");
}

static void accounts(void **state)
{
	(void)state;
	/* Examples of the IBAN registry. */
	static const char *const ibans[] = {
		"DE89370400440532013000",           "GB29NWBK60161331926819",
		"FR1420041010050500013M02606",      "NO9386011117947",
		"MT84MALT011000012345MTLCAST001S",  "SA0380000000608010167519",
		"BR9700360305000010009795493P1",    "AL47212110090000000235698741",
		"GB29 NWBK 6016 1331 9268 19",      "DE89 3704 0044 0532 0130 00",
		"LC55HEMM000100010012001200023015",
	};
	for (size_t i = 0; i < ARRAY_SIZE(ibans); i++)
		assert_masked(ibans[i], "[IBAN_CODE]");
	assert_untouched("DE89370400440532013001");
	assert_untouched("GB29NWBK601613319268190"); /* too long for its country */
	assert_untouched("be22 0370 da88 055c");     /* valid by its check digits; but Belgium's have no letters */
	assert_untouched("ZZ89370400440532013000");
	assert_untouched("xDE89370400440532013000");
	assert_untouched("DE89 37040044 0532 0130 00");
	assert_masked("routing number 021000021", "routing number [ABA_ROUTING_NUMBER]");
	assert_masked("\"routingNumber\":\"011401533\"", "\"routingNumber\":\"[ABA_ROUTING_NUMBER]\"");
	assert_untouched("routing number 021000022");
	assert_untouched("order 021000021");
	assert_untouched("database 021000021"); /* 'aba' is no word there */
	assert_masked("account number: 000123456789", "account number: [US_BANK_NUMBER]");
	assert_untouched("count 000123456789");
}

static void coins(void **state)
{
	(void)state;
	assert_masked("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "[CRYPTO]");         /* of the first block */
	assert_masked("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "[CRYPTO]");         /* Bitcoin wiki, P2SH */
	assert_masked("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "[CRYPTO]"); /* BIP 173 */
	assert_masked("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "[CRYPTO]");
	assert_masked("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "[CRYPTO]"); /* BIP 350 */
	assert_masked("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "[CRYPTO]");                     /* ERC-55 */
	assert_masked("0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359", "[CRYPTO]");
	assert_untouched("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb");
	assert_untouched("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5");
	assert_untouched("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd"); /* Bech32, not Bech32m */
	assert_untouched("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD");
	assert_untouched("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe");
}

static void addresses_of_the_network(void **state)
{
	(void)state;
	assert_masked("john.doe+tag@mail.example.co.uk", "[EMAIL_ADDRESS]");
	assert_masked("<mailto:jane@example.com>.", "<mailto:[EMAIL_ADDRESS]>.");
	assert_masked("o'brien@example.ie, b@x.de.", "[EMAIL_ADDRESS], [EMAIL_ADDRESS].");
	assert_masked("j@xn--bcher-kva.example 'a@b.org'", "[EMAIL_ADDRESS] '[EMAIL_ADDRESS]'");
	assert_untouched("OID 1.3.101.112, section 7.3.1.1, \"version\": \"10.7.193.13\"");
	assert_untouched("AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36");
	assert_masked("build host 10.0.0.7", "build host [IP_ADDRESS]");
	assert_masked("version 1.2 on node/10.0.0.1", "version 1.2 on node/[IP_ADDRESS]");
	assert_untouched("5.5.9(9");
	assert_untouched("photo@2x.png user@host a@b.c @example.com foo@ x@.com john@-x.com");
	assert_masked("192.168.1.10 10.0.0.1:80 172.16.0.0/12", "[IP_ADDRESS] [IP_ADDRESS]:80 [IP_ADDRESS]/12");
	assert_masked("10.0.0.1-10.0.0.99", "[IP_ADDRESS]-[IP_ADDRESS]");
	assert_untouched("1.2.3.4.5 256.1.1.1 1.2.3 01.2.3.4 v1.2.3.4 version 1.2.3.4");
	assert_masked("2001:db8::ff00:42:8329", "[IP_ADDRESS]");
	assert_masked("[2001:0db8:85a3:0000:0000:8a2e:0370:7334]:80", "[[IP_ADDRESS]]:80");
	assert_masked("fe80::1 ::ffff:192.0.2.1 64:ff9b::192.0.2.33", "[IP_ADDRESS] [IP_ADDRESS] [IP_ADDRESS]");
	assert_untouched("::1 std::string a::b 12:34:56 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 12345::1");
	assert_masked("00:1A:2b:3C:4D:5E 00-1A-2B-3C-4D-5E 001a.2b3c.4d5e", "[MAC_ADDRESS] [MAC_ADDRESS] [MAC_ADDRESS]");
	assert_untouched(
		"00:00:00:00:00:00 ff:ff:ff:ff:ff:ff 00:1A:2B:3C:4D 00:1A:2B:3C:4D:5E:6F 00:1A:2B:3C:4D:5G 00:1A-2B:3C:4D:5E");
	assert_masked("postgres://bob:hunter2@db:5432/x", "postgres://bob:[URL_PASSWORD]@db:5432/x");
	assert_masked("https://u:p%40ss@h.example/", "https://u:[URL_PASSWORD]@h.example/");
	assert_masked("redis://:secret@cache", "redis://:[URL_PASSWORD]@cache");
	assert_untouched("https://u:${PW}@h.example/ https://example.com:8080/a@b http://user@host/");
}

static void telephones(void **state)
{
	(void)state;
	static const char *const numbers[] = {
		"+14155552671", "+1 415-555-2671", "+44 20 7946 0958", "+49 (0)30 123456",  "+33 6 12 34 56 78", "(415) 555-2671",
		"415-555-2671", "415.555.2671",    "1-800-234-5678",   "06 12 34 56 78",    "020 7946 0958",     "030 12345678",
		"0171/1234567", "+91 98765 43210", "+81-3-1234-5678",  "0044 20 7946 0958", "+61 2 9374 4000",   "+5511912345678",
	};
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		assert_masked(numbers[i], "[PHONE_NUMBER]");
	assert_masked("call 4155552671", "call [PHONE_NUMBER]");
	assert_masked("Tel. 612 345 678", "Tel. [PHONE_NUMBER]");
	assert_masked("{\"phoneNumber\": \"5552671\"}", "{\"phoneNumber\": \"[PHONE_NUMBER]\"}");
	assert_untouched(
		"4155552671 1700000000 123-456-7890 415-155-2671 911-555-2671 +99 1 +1 415 555 26 2026-11-23 09:05:30 23.11.2026");
	assert_untouched("0.123456789 1.234.567.890 20261123-090530 +0123456789 555-2671");
	assert_untouched("id a99bb9fa-9817-4361-8989-bccf84518859"); /* an Aadhaar number in a UUID */
	assert_untouched(
		"string'                                                           5391653"); /* 'ring' is the first of 64 bytes */
	assert_untouched("9a 46 8f 02 52 54 06 17 ef c1 c6");
	assert_untouched("35a676f2: be33 be72 664c 0022 9145 1993");
	assert_masked("le 06 12 34 56 78 de ce bureau", "le [PHONE_NUMBER] de ce bureau");
	assert_untouched("17.02.2038 12:00 2150020811333");
	assert_untouched("Call show(3, 'B', 19960302)");
	assert_untouched("<Buffer 01 02 03 04 05>, news/0104/010417.html");
}

static void persons_in_america(void **state)
{
	(void)state;
	assert_masked("536-90-4399", "[US_SSN]");
	assert_masked("Social Security No. 536904399", "Social Security No. [US_SSN]");
	assert_untouched(
		"000-12-3456 666-12-3456 536-00-4399 536-90-0000 078-05-1120 219-09-9999 536904399 123-45-678 536-90-43990");
	assert_masked("912-70-1234", "[US_ITIN]");
	assert_untouched("912-66-1234 912-93-1234");
	assert_masked("NPI 1234567893", "NPI [US_NPI]"); /* CMS's own example */
	assert_untouched("NPI 1234567890");
	assert_untouched("order 1234567893");
	assert_masked("1EG4-TE5-MK73 1EG4TE5MK73", "[US_MBI] [US_MBI]"); /* CMS's own example */
	assert_untouched("0EG4-TE5-MK73 1SG4-TE5-MK73 1EG4-TE5-MK7S 1EG4-TE5-MK733 1EG4-TE5MK73");
}

static void persons_in_europe(void **state)
{
	(void)state;
	assert_masked("NHS number 9434765919", "NHS number [UK_NHS]"); /* NHS Data Dictionary */
	assert_masked("nhs: 943 476 5919", "nhs: [UK_NHS]");
	assert_untouched("NHS 9434765918");
	assert_untouched("ref 9434765919");
	assert_masked("AB123456C AB 12 34 56 C", "[UK_NINO] [UK_NINO]");
	assert_untouched("QQ123456C AB123456E BG123456A DA123456A AO123456A AB1234567C");
	assert_masked("12345678Z 12345678-Z", "[ES_NIF] [ES_NIF]");
	assert_masked("X1234567L X-1234567-L", "[ES_NIE] [ES_NIE]");
	assert_untouched("12345678A 1234567Z X1234567A W1234567L");
	assert_masked("RSSMRA85T10A562S MRTMTT91D08F205J", "[IT_FISCAL_CODE] [IT_FISCAL_CODE]");
	assert_untouched("RSSMRA85T10A562T RSSMRA85T41A562S RSSMRA85F10A562S");
	assert_masked("44051401359 02070803628", "[PL_PESEL] [PL_PESEL]");
	assert_untouched("44051401358 44131401359");
	assert_masked("131052-308T", "[FI_PERSONAL_IDENTITY_CODE]"); /* DVV's own example */
	assert_masked("131052A308T", "[FI_PERSONAL_IDENTITY_CODE]");
	assert_untouched("131052-308U 321052-308T");
}

static void persons_in_asia_and_australia(void **state)
{
	(void)state;
	assert_masked("2341 2341 2346", "[IN_AADHAAR]");
	assert_masked("Aadhaar 234123412346", "Aadhaar [IN_AADHAAR]");
	assert_untouched("234123412346 2341 2341 2347 1234 1234 1235");
	assert_masked("ABCPE1234F", "[IN_PAN]");
	assert_untouched("ABCXE1234F ABCPE12345 ABCPE0000F abcpe1234f");
	assert_masked("S1234567D F1234567N", "[SG_NRIC_FIN] [SG_NRIC_FIN]");
	assert_untouched("S1234567E");
	assert_masked("900101-1234568", "[KR_RRN]");
	assert_untouched("901301-1234568 900101-9234568");
	assert_masked("ABN 51 824 753 556", "ABN [AU_ABN]"); /* of the Australian Taxation Office */
	assert_untouched("ABN 51 824 753 557");
	assert_untouched("order 51824753556");
	assert_masked("TFN 123 456 782", "TFN [AU_TFN]");
	assert_masked("Medicare 2123 45670 1", "Medicare [AU_MEDICARE]");
}

#define HEX32 "0123456789abcdef0123456789abcdef"
#define WORD36 "16C7e42F292c6912E7710c838347Ae178B4a"

static void secrets(void **state)
{
	(void)state;
	assert_masked("id AKIAIOSFODNN7EXAMPLE.", "id [AWS_ACCESS_KEY].");
	assert_masked("token=ghp_" WORD36, "token=[GITHUB_TOKEN]");
	assert_masked("glpat-AbCdEfGhIj0123456789", "[GITLAB_TOKEN]");
	assert_masked("xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx", "[SLACK_TOKEN]");
	assert_masked("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "[STRIPE_KEY]");
	assert_masked("AIzaSyDaGmWKa4JsXZ-HjGw7ISLn_3namBGewQe", "[GOOGLE_KEY]");
	assert_masked("npm_" WORD36, "[NPM_TOKEN]");
	assert_masked("sk-ant-api03-AbCdEfGhIjKlMnOp0123456789-_AbCdEf", "[ANTHROPIC_KEY]");
	assert_masked("SK" HEX32 " hf_AbCdEfGhIjKlMnOpQrStUvWxYz01234567", "[API_KEY] [HUGGINGFACE_TOKEN]");
	assert_untouched("AKIAIOSFODNN7EXAMPL xAKIAIOSFODNN7EXAMPLE ghp_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX ghp_" HEX32);
	assert_untouched("tskey-some-long-words-in-a-row sk-" HEX32 " SG.not.a.key");
	assert_masked("Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: Basic [HTTP_AUTHORIZATION]");
	assert_masked("curl -H 'authorization: bearer abcdefgh12345678' x",
		      "curl -H 'authorization: bearer [HTTP_AUTHORIZATION]' x");
	assert_masked("{\"Authorization\": \"Bearer ghp_" WORD36 "\"}", "{\"Authorization\": \"Bearer [GITHUB_TOKEN]\"}");
	assert_untouched("Authorization: Bearer $TOKEN authorization: basic rules xAuthorization: Basic dXNlcjpwYXNzd29yZA==");
	assert_masked("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "[JWT]");
	assert_untouched("eyJhbGciOiJIUzI1NiJ9 eyJ0eXAiOiJ4In0AAAA.eyJzdWIiOiIxIn0.c2ln");
	assert_masked(
		"a\n-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\nb",
		"a\n[PRIVATE_KEY]\nb");
	assert_masked(
		"{\"k\":\"-----BEGIN PRIVATE KEY-----\\nMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEA\\n-----END PRIVATE KEY-----\\n\"}",
		"{\"k\":\"[PRIVATE_KEY]\\n\"}");
	assert_untouched(
		"-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEA\n-----END CERTIFICATE-----");
}

/* --- other ways to write it ----------------------------------------------------------------------------------------------------------- */

static void assert_told(const char *input, const char *wanted)
{
	char *told = scan_cut(input, strlen(input), 0, 0, NULL, 0);
	assert_string_equal(told, wanted);
	free(told);
}

static void offsets_of_what_is_written_otherwise(void **state)
{
	(void)state;
	assert_told("a=john%40example.com&b", "EMAIL_ADDRESS 2-20 john@example.com encoded\n");
	assert_told("\"john\\u0040example.com\"", "EMAIL_ADDRESS 1-22 john@example.com encoded\n");
	assert_told("x\\n4111111111111111\\n", "CREDIT_CARD 3-19 4111111111111111\n");
	assert_told("４１１１１１１１１１１１１１１１", "CREDIT_CARD 0-48 4111111111111111 encoded\n");
	assert_told("\u200b4111\u200b1111\u200b1111\u200b1111\u200b", "CREDIT_CARD 3-28 4111111111111111 encoded\n");
	assert_told("4111\u00a01111\u00a01111\u00a01111", "CREDIT_CARD 0-22 4111 1111 1111 1111 encoded\n");
	assert_told("415\u2011555\u20112671", "PHONE_NUMBER 0-16 415-555-2671 encoded\n");
	assert_told("100% of 4111111111111111 \\", "CREDIT_CARD 8-24 4111111111111111\n");
}

static void base64_is_looked_into(void **state)
{
	(void)state;
	assert_told("x am9obkBleGFtcGxlLmNvbQ== y", "EMAIL_ADDRESS 2-24 john@example.com encoded\n");
	/* A prefix of another alignment; base64 of base64; percent in base64. */
	assert_masked("/p/am9obkBleGFtcGxlLmNvbQ==", "/p/[EMAIL_ADDRESS]==");
	assert_masked("WW1GdmFtOW9ia0JsZUdGdGNHeGxMbU52YlE9PSB4", "[EMAIL_ADDRESS]PSB4");
	assert_masked("eyJtYWlsIjoiam9obiU0MGV4YW1wbGUuY29tIn0=", "eyJtYWlsIjoi[EMAIL_ADDRESS]In0=");
	assert_untouched("VGhlcmUgaXMgbm90aGluZyBpbiBpdC4= internationalization /usr/lib/x86_64-linux-gnu");
}

/* Far more than a stretch of base64, with something everywhere. */
static void long_base64_is_looked_into_everywhere(void **state)
{
	(void)state;
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	enum { LINES = 600 };
	char *plain = malloc(LINES * 33 + 1), *coded = malloc(LINES * 44 + 1), *told;
	for (unsigned i = 0; i < LINES; i++)
		snprintf(plain + (size_t)i * 33, 34, "user number %04u n%04u@mail.org\n\n", i, i);
	for (size_t i = 0; i < LINES * 11; i++) {
		const u8 *at = (const u8 *)plain + i * 3;
		u32 bits = (u32)at[0] << 16 | (u32)at[1] << 8 | at[2];
		for (unsigned k = 0; k < 4; k++)
			coded[i * 4 + k] = alphabet[bits >> (18 - 6 * k) & 63];
	}
	told = scan_cut(coded, LINES * 44, 0, 0, NULL, 0);
	unsigned found = 0;
	for (const char *at = told; (at = strstr(at, "EMAIL_ADDRESS")) != NULL; at++)
		found++;
	assert_int_equal(found, LINES);
	for (size_t rest = 1000; rest < 5000; rest += 777) {
		char *again = scan_cut(coded, LINES * 44, rest, rest, NULL, 0);
		assert_string_equal(again, told);
		free(again);
	}
	free(told);
	/* The same in lines, as mail has it. */
	size_t size = LINES * 44, lines = 0;
	char *wrapped = malloc(size + size / 76 * 2 + 2);
	for (size_t at = 0; at < size; at += 76, lines += 2) {
		size_t part = size - at < 76 ? size - at : 76;
		memcpy(wrapped + at + lines, coded + at, part);
		memcpy(wrapped + at + lines + part, "\r\n", 2);
	}
	for (size_t rest = 900; rest < 70000; rest = rest * 3 + 1) {
		told = scan_cut(wrapped, size + lines, rest, rest, NULL, 0);
		found = 0;
		for (const char *at = told; (at = strstr(at, "EMAIL_ADDRESS")) != NULL; at++)
			found++;
		assert_int_equal(found, LINES);
		free(told);
	}
	free(wrapped);
	free(plain);
	free(coded);
}

/* --- how the input is cut ------------------------------------------------------------------------------------------------------------- */

static const char sample[] =
	"card 4111 1111 1111 1111 12/27 and 378282246310005, DE89 3704 0044 0532 0130 00 GB29NWBK60161331926819\n"
	"john.doe@example.com; +1 (415) 555-2671 or call 4155552671 192.168.1.10 2001:db8::ff00:42:8329 00:1A:2b:3C:4D:5E\n"
	"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa\n"
	"ssn 536-90-4399 routing 021000021 1EG4-TE5-MK73 AB 12 34 56 C AB123456C X-1234567-L 131052-308T RSSMRA85T10A562S\n"
	"postgres://bob:p%40ss@db.example.com/x ghp_16C7e42F292c6912E7710c838347Ae178B4a AKIAIOSFODNN7EXAMPLE\n"
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl 4111111111111111@example.com ４１１１１１１１１１１１１１１１\n"
	"\u200b4111\u200b1111\u200b1111\u200b1111\u200b john%40example.com \\u0034111111111111111 x am9obkBleGFtcGxlLmNvbQ== y\n"
	"-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEA\n-----END PRIVATE KEY-----\n"
	"order A-77 order B-8812 order C-1\nlast line: jane@example.org";

static void the_cut_makes_no_difference(void **state)
{
	struct pii_pattern *pattern;
	char why[200];
	(void)state;
	assert_int_equal(pii_pattern_new("ORDER", "[A-Z]-\\d+", &pattern, why, sizeof(why)), 0);
	struct pii_pattern *const patterns[] = { pattern };
	for (size_t count = 0; count < 2; count++) {
		char *told = scan_cut(sample, sizeof(sample) - 1, 0, 0, patterns, count);
		assert_non_null(strstr(told, "jane@example.org"));
		assert_true((strstr(told, "ORDER") != NULL) == (count == 1));
		for (size_t cut = 1; cut < sizeof(sample) - 1; cut++) {
			char *again = scan_cut(sample, sizeof(sample) - 1, cut, 0, patterns, count);
			assert_string_equal(again, told);
			free(again);
		}
		static const size_t sizes[] = { 1, 2, 3, 7, 63, 64, 65 };
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			char *again = scan_cut(sample, sizeof(sample) - 1, sizes[i], sizes[i], patterns, count);
			assert_string_equal(again, told);
			free(again);
		}
		free(told);
	}
	pii_pattern_free(pattern);
}

/* More than the window, with what is found at every place of a block. */
static void long_inputs_are_scanned_whole(void **state)
{
	(void)state;
	enum { ROWS = 9000 };
	char *input = malloc(ROWS * 64), *told, *again;
	size_t size = 0;
	for (unsigned i = 0; i < ROWS; i++)
		size += (size_t)snprintf(input + size, 64, "%.*s4111111111111111%c", (int)(i % 41),
					 "                                          ", i % 7 ? '\n' : ' ');
	told = scan_cut(input, size, 0, 0, NULL, 0);
	unsigned found = 0;
	for (const char *at = told; (at = strstr(at, "CREDIT_CARD")) != NULL; at++)
		found++;
	assert_int_equal(found, ROWS);
	again = scan_cut(input, size, 4099, 4099, NULL, 0);
	assert_string_equal(again, told);
	free(again);
	free(told);
	free(input);
}

static void what_never_ends_is_handed_on(void **state)
{
	(void)state;
	/* Runs without end of each kind of byte that a matcher likes. */
	static const char *const parts[] = { "a",      "1",    "1 ",  "%",    "\\",
					     "\u200b", "a@",   "a.",  ":",    "-----BEGIN PRIVATE KEY-----",
					     "YWJj",   "a:b@", "aa:", "://a:" };
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		size_t length = strlen(parts[i]), size = 300000 / length * length;
		char *input = malloc(size);
		for (size_t at = 0; at < size; at++)
			input[at] = parts[i][at % length];
		free(scan_cut(input, size, 65536, 65536, NULL, 0));
		free(input);
	}
}

/* --- patterns and strategies ---------------------------------------------------------------------------------------------------------- */

static void patterns_are_matched_in_lines_with_limits(void **state)
{
	struct pii_pattern *pattern;
	char why[200];
	(void)state;
	assert_int_equal(pii_pattern_new("a b", "x", &pattern, why, sizeof(why)), -EINVAL);
	assert_int_equal(pii_pattern_new("A", "(", &pattern, why, sizeof(why)), -EINVAL);
	assert_non_null(strstr(why, "parenthesis"));
	assert_int_equal(pii_pattern_new("EMPLOYEE", "^E\\d{3}$|ü+", &pattern, why, sizeof(why)), 0);
	struct pii_pattern *patterns[] = { pattern };
	char *told = scan_cut("E123\nxE123\nE124\nfür E125", 25, 0, 0, patterns, 1);
	assert_string_equal(told, "EMPLOYEE 0-4 E123\nEMPLOYEE 11-15 E124\nEMPLOYEE 17-19 ü\n");
	free(told);
	pii_pattern_free(pattern);
	/* What would take for ever is an error, not a miss. */
	assert_int_equal(pii_pattern_new("SLOW", "(a+)+$", &pattern, why, sizeof(why)), 0);
	patterns[0] = pattern;
	struct record record = { .input = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n" };
	const struct pii_sink sink = { .clean = note_clean, .found = note_found, .user = &record };
	const struct pii_options options = { .entities = pii_set_all(), .patterns = patterns, .pattern_count = 1 };
	struct pii_stream *stream;
	assert_int_equal(pii_stream_new(&options, &sink, &stream), 0);
	assert_int_equal(pii_stream_feed(stream, record.input, strlen(record.input)), -ELOOP);
	assert_int_equal(record.at, 0);
	pii_stream_free(stream);
	pii_pattern_free(pattern);
}

static int to_stream(void *user, const void *bytes, size_t size)
{
	return fwrite(bytes, 1, size, user) == size ? 0 : -EIO;
}

static char *redact(const char *input, enum pii_strategy strategy, const char *key)
{
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	const struct pii_options options = { .entities = pii_set_all() };
	const struct pii_redaction redaction = { strategy, (const u8 *)key, key ? strlen(key) : 0 };
	struct pii_redactor *redactor;
	assert_int_equal(pii_redactor_new(&options, &redaction, to_stream, to, &redactor), 0);
	assert_int_equal(pii_redactor_feed(redactor, input, strlen(input)), 0);
	assert_int_equal(pii_redactor_finish(redactor), 0);
	pii_redactor_free(redactor);
	fclose(to);
	return text;
}

static void hashes_tell_equal_values_and_no_more(void **state)
{
	(void)state;
	char *one = redact("4111111111111111", PII_HASH, "0123456789abcdef"),
	     *two = redact("4111 1111 1111 1111", PII_HASH, "0123456789abcdef");
	char *other = redact("4111111111111111", PII_HASH, "0123456789abcdeg"),
	     *mail = redact("A@B.org a@b.org", PII_HASH, "0123456789abcdef");
	assert_string_equal(one, two);
	assert_string_not_equal(one, other);
	assert_int_equal(strlen(one), strlen("[CREDIT_CARD:]") + 24);
	assert_memory_equal(mail, mail + strlen(mail) / 2 + 1, strlen(mail) / 2);
	char *again = redact(one, PII_MASK, NULL), *removed = redact("a 4111111111111111 b", PII_REMOVE, NULL);
	assert_string_equal(again, one); /* a hash is nothing that is found */
	assert_string_equal(removed, "a  b");
	free(one), free(two), free(other), free(mail), free(again), free(removed);
	const struct pii_options options = { .entities = pii_set_all() };
	struct pii_redactor *redactor;
	assert_int_equal(
		pii_redactor_new(&options, &(struct pii_redaction){ PII_HASH, (const u8 *)"short", 5 }, to_stream, NULL, &redactor),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cards_by_range_length_grouping_and_luhn),
		cmocka_unit_test(accounts),
		cmocka_unit_test(coins),
		cmocka_unit_test(addresses_of_the_network),
		cmocka_unit_test(telephones),
		cmocka_unit_test(persons_in_america),
		cmocka_unit_test(persons_in_europe),
		cmocka_unit_test(persons_in_asia_and_australia),
		cmocka_unit_test(secrets),
		cmocka_unit_test(offsets_of_what_is_written_otherwise),
		cmocka_unit_test(base64_is_looked_into),
		cmocka_unit_test(long_base64_is_looked_into_everywhere),
		cmocka_unit_test(the_cut_makes_no_difference),
		cmocka_unit_test(long_inputs_are_scanned_whole),
		cmocka_unit_test(what_never_ends_is_handed_on),
		cmocka_unit_test(patterns_are_matched_in_lines_with_limits),
		cmocka_unit_test(hashes_tell_equal_values_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
