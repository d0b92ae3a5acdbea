// SPDX-License-Identifier: Apache-2.0
/*
 * With SSE2, which every processor has, bytes are compared with each of a class and with the ends of ranges. With AVX2 the class of a byte is a set of
 * eight bits, each of which is a rectangle in the table of ASCII, rows by the high and columns by the low nibble: the classes of 32 bytes are two look-ups
 * in tables of sixteen and an AND (W. Muła and G. Langdale's way).
 */
#include "pii/classify.h"

#include <immintrin.h>
#include <sys/platform/x86.h>

/* Bits: digits 1, letters of the rows 4 and 6 2, letters of the rows 5 and 7 4, between groups 8, + - / 16, _ 32, G I J K 64, A … F and a … f 128. */
#define CLASS_DIGIT 1
#define CLASS_WORD (1 | 2 | 4)
#define CLASS_HEX (1 | 128)
#define CLASS_NUMBER (1 | 8)
#define CLASS_BASE64 (1 | 2 | 4 | 16 | 32)
#define CLASS_MARK (32 | 64)

static const u8 low_nibbles[16] = { (1 | 4 | 8),
				    (1 | 2 | 4 | 128),
				    (1 | 2 | 4 | 128),
				    (1 | 2 | 4 | 128),
				    (1 | 2 | 4 | 128),
				    (1 | 2 | 4 | 128),
				    (1 | 2 | 4 | 128),
				    (1 | 2 | 4 | 64),
				    (1 | 2 | 4 | 8),
				    (1 | 2 | 4 | 8 | 64),
				    (2 | 4 | 64),
				    (2 | 8 | 16 | 64),
				    2,
				    (2 | 8 | 16),
				    (2 | 8),
				    (2 | 8 | 16 | 32) };
/* Bytes beyond ASCII have no class. */
static const u8 high_nibbles[16] = { 0, 0, (8 | 16), 1, (2 | 64 | 128), (4 | 32), (2 | 128), 4 };

static inline __m128i equal(__m128i bytes, char byte)
{
	return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte));
}

static inline __m128i between(__m128i bytes, char first, char last)
{
	__m128i offset = _mm_sub_epi8(bytes, _mm_set1_epi8(first));
	return _mm_cmpeq_epi8(_mm_min_epu8(offset, _mm_set1_epi8((char)(last - first))), offset);
}

static inline u64 bits_of(__m128i which, unsigned at)
{
	return (u64)(u32)_mm_movemask_epi8(which) << at;
}

static inline void add_sixteen(const u8 *text, unsigned at, struct masks *masks)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + at)),
		lower = _mm_or_si128(bytes, _mm_set1_epi8(0x20));
	__m128i digit = between(bytes, '0', '9'), word = _mm_or_si128(digit, between(lower, 'a', 'z'));
	__m128i dash = equal(bytes, '-'), dot = equal(bytes, '.'), under = equal(bytes, '_');
	__m128i sign = _mm_or_si128(dash, _mm_or_si128(equal(bytes, '+'), equal(bytes, '/')));
	__m128i number = _mm_or_si128(_mm_or_si128(equal(bytes, ' '), between(bytes, '(', ')')), _mm_or_si128(sign, dot));
	__m128i mark = _mm_or_si128(_mm_or_si128(between(bytes, 'I', 'K'), equal(bytes, 'G')),
				    _mm_or_si128(under, _mm_or_si128(dash, dot)));
	masks->digit |= bits_of(digit, at);
	masks->word |= bits_of(word, at);
	masks->hex |= bits_of(_mm_or_si128(digit, between(lower, 'a', 'f')), at);
	masks->number |= bits_of(_mm_or_si128(digit, number), at);
	masks->base64 |= bits_of(_mm_or_si128(word, _mm_or_si128(sign, under)), at);
	masks->mark |= bits_of(mark, at);
	masks->at |= bits_of(equal(bytes, '@'), at);
	masks->colon |= bits_of(equal(bytes, ':'), at);
	masks->dash |= bits_of(dash, at);
	masks->dot |= bits_of(dot, at);
}

void classify_sse2(const u8 *text, size_t blocks, struct masks *masks)
{
	for (; blocks > 0; blocks--, masks++, text += 64) {
		*masks = (struct masks){ 0 };
		for (unsigned at = 0; at < 64; at += 16)
			add_sixteen(text, at, masks);
	}
}

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline u64 select_class(__m256i first, __m256i second, u8 class)
{
	__m256i bits = _mm256_set1_epi8((char)class), zero = _mm256_setzero_si256();
	u32 low = (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(first, bits), zero));
	u32 high = (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(second, bits), zero));
	return ~((u64)high << 32 | low);
}

AVX2 static inline u64 select_byte(__m256i first, __m256i second, char byte)
{
	__m256i wanted = _mm256_set1_epi8(byte);
	u32 low = (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(first, wanted));
	u32 high = (u32)_mm256_movemask_epi8(_mm256_cmpeq_epi8(second, wanted));
	return (u64)high << 32 | low;
}

AVX2 static inline __m256i both_halves(const u8 *table)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

AVX2 static inline __m256i classes(__m256i bytes)
{
	const __m256i low = both_halves(low_nibbles), high = both_halves(high_nibbles);
	const __m256i nibble = _mm256_set1_epi8(15);
	return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble)),
				_mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)));
}

AVX2 void classify_avx2(const u8 *text, size_t blocks, struct masks *masks)
{
	for (; blocks > 0; blocks--, masks++, text += 64) {
		__m256i first = _mm256_loadu_si256((const __m256i *)(const void *)text);
		__m256i second = _mm256_loadu_si256((const __m256i *)(const void *)(text + 32));
		__m256i low = classes(first), high = classes(second);
		masks->digit = select_class(low, high, CLASS_DIGIT);
		masks->word = select_class(low, high, CLASS_WORD);
		masks->hex = select_class(low, high, CLASS_HEX);
		masks->number = select_class(low, high, CLASS_NUMBER);
		masks->base64 = select_class(low, high, CLASS_BASE64);
		masks->at = select_byte(first, second, '@');
		masks->colon = select_byte(first, second, ':');
		masks->dash = select_byte(first, second, '-');
		masks->dot = select_byte(first, second, '.');
		masks->mark = select_class(low, high, CLASS_MARK) | masks->dash | masks->dot;
	}
}

classifier *classifier_choose(void)
{
	return CPU_FEATURE_ACTIVE(AVX2) ? classify_avx2 : classify_sse2;
}
