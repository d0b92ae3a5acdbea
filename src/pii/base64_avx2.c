// SPDX-License-Identifier: Apache-2.0
/*
 * Whether base64 may stand for text, at all four places where its fours may begin at once. Values are had from characters by adding what the high nibble
 * says, fours of them become three bytes by two multiplications and a shuffle (W. Muła and D. Lemire's way). Of the first six bytes, none may be a control
 * character; no byte that goes on a character of UTF-8 may stand alone, and none that begins one may.
 */
#include <immintrin.h>

#include "pii/base64.h"

#define AVX2 __attribute__((target("avx2")))

/* What sixteen characters stand for: 0 … 63 each. */
AVX2 static inline __m128i values(__m128i text)
{
	/* To '+' '-' '/' their low nibble tells what to add, to others the high one; to '_' 33 more than to what is around it. */
	const __m128i by_low = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 62 - '+', 0, 62 - '-', 0, 63 - '/');
	const __m128i by_high = _mm_setr_epi8(0, 0, 0, 52 - '0', -'A', -'A', 26 - 'a', 26 - 'a', 0, 0, 0, 0, 0, 0, 0, 0);
	const __m128i nibble = _mm_set1_epi8(15);
	__m128i high = _mm_shuffle_epi8(by_high, _mm_and_si128(_mm_srli_epi16(text, 4), nibble));
	__m128i low = _mm_shuffle_epi8(by_low, _mm_and_si128(text, nibble));
	__m128i sign = _mm_cmpgt_epi8(_mm_set1_epi8('0'), text), under = _mm_cmpeq_epi8(text, _mm_set1_epi8('_'));
	__m128i add = _mm_or_si128(_mm_and_si128(sign, low), high);
	return _mm_add_epi8(_mm_add_epi8(text, add), _mm_and_si128(under, _mm_set1_epi8(63 - '_' + 'A')));
}

/* What two times sixteen values stand for: twelve bytes in each half, and four of nothing. */
AVX2 static inline __m256i bytes_of(__m256i sixes)
{
	const __m256i order = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1, 2, 1, 0, 6, 5, 4, 10, 9, 8,
					       14, 13, 12, -1, -1, -1, -1);
	__m256i twelves = _mm256_maddubs_epi16(sixes, _mm256_set1_epi16(0x0140));
	return _mm256_shuffle_epi8(_mm256_madd_epi16(twelves, _mm256_set1_epi32(0x00011000)), order);
}

/* Where bytes are beyond ASCII, where they go on a character, and where they are control characters: 32 bits each. */
struct kinds {
	u64 high, goes_on, control;
};

AVX2 static inline struct kinds kinds_of(__m256i bytes)
{
	__m256i low = _mm256_cmpgt_epi8(_mm256_set1_epi8(' '), bytes), white = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n'));
	white = _mm256_or_si256(white, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\t')));
	white = _mm256_or_si256(white, _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\r')));
	__m256i control = _mm256_or_si256(_mm256_andnot_si256(_mm256_or_si256(white, bytes), low),
					  _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(0x7f)));
	return (struct kinds){
		.high = (u32)_mm256_movemask_epi8(bytes),
		.goes_on = (u32)_mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(-64), bytes)),
		.control = (u32)_mm256_movemask_epi8(control),
	};
}

AVX2 bool base64_may_be_text(const u8 *text)
{
	const u64 six = 0x003f003f003f003f, ones = 0x0001000100010001;
	__m128i sixes = values(_mm_loadu_si128((const __m128i *)(const void *)text));
	__m256i first = _mm256_inserti128_si256(_mm256_castsi128_si256(sixes), _mm_srli_si128(sixes, 1), 1);
	struct kinds one = kinds_of(bytes_of(first)), other = kinds_of(bytes_of(_mm256_srli_si256(first, 2)));
	/* Sixteen bits for each place. */
	u64 high = one.high | other.high << 32, goes_on = one.goes_on | other.goes_on << 32,
	    control = one.control | other.control << 32;
	u64 begins = high & ~goes_on;
	u64 wrong = (control | (goes_on & ~(high << 1))) & six;
	wrong |= (begins & six) << 1 & ~goes_on;
	return ((wrong - ones) & ~wrong & ones << 15) != 0;
}
