// SPDX-License-Identifier: Apache-2.0
/*
 * The class of a byte is a set of eight bits, each of which is a rectangle in the table of ASCII, rows by the high and columns by the low nibble. So
 * the classes of 32 bytes are two look-ups in tables of sixteen and an AND (W. Muła and G. Langdale's way); the plain form does the same a
 * byte at a time.
 */
#include "pii/classify.h"

#include <immintrin.h>

/* Bits: digits 1, letters of the rows 4 and 6 2, letters of the rows 5 and 7 4, between groups 8, + - / 16, _ 32, @ G I J K 64, - . : * = > 128. */
#define CLASS_DIGIT 1
#define CLASS_WORD (1 | 2 | 4)
#define CLASS_NUMBER (1 | 8)
#define CLASS_BASE64 (1 | 2 | 4 | 16 | 32)
#define CLASS_SPECIAL (32 | 64 | 128)

static const u8 low_nibbles[16] = { (1 | 4 | 8 | 64),
				    (1 | 2 | 4),
				    (1 | 2 | 4),
				    (1 | 2 | 4),
				    (1 | 2 | 4),
				    (1 | 2 | 4),
				    (1 | 2 | 4),
				    (1 | 2 | 4 | 64),
				    (1 | 2 | 4 | 8),
				    (1 | 2 | 4 | 8 | 64),
				    (2 | 4 | 64 | 128),
				    (2 | 8 | 16 | 64),
				    2,
				    (2 | 8 | 16 | 128),
				    (2 | 8 | 128),
				    (2 | 8 | 16 | 32) };
/* Bytes beyond ASCII have no class. */
static const u8 high_nibbles[16] = { 0, 0, (8 | 16 | 128), (1 | 128), (2 | 64), (4 | 32), 2, 4 };

void classify_plain(const u8 *text, size_t blocks, struct masks *masks)
{
	for (; blocks > 0; blocks--, masks++, text += 64) {
		*masks = (struct masks){ 0 };
		for (unsigned i = 0; i < 64; i++) {
			u8 class = low_nibbles[text[i] % 16] & high_nibbles[text[i] / 16];
			masks->digit |= (u64)((class & CLASS_DIGIT) != 0) << i;
			masks->word |= (u64)((class & CLASS_WORD) != 0) << i;
			masks->number |= (u64)((class & CLASS_NUMBER) != 0) << i;
			masks->base64 |= (u64)((class & CLASS_BASE64) != 0) << i;
			masks->special |= (u64)((class & CLASS_SPECIAL) != 0) << i;
		}
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

AVX2 static inline __m256i both_halves(const u8 *table)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

AVX2 static inline __m256i classes(const u8 *text)
{
	const __m256i low = both_halves(low_nibbles), high = both_halves(high_nibbles);
	__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)text), nibble = _mm256_set1_epi8(15);
	return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(bytes, nibble)),
				_mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble)));
}

AVX2 void classify_avx2(const u8 *text, size_t blocks, struct masks *masks)
{
	for (; blocks > 0; blocks--, masks++, text += 64) {
		__m256i first = classes(text), second = classes(text + 32);
		masks->digit = select_class(first, second, CLASS_DIGIT);
		masks->word = select_class(first, second, CLASS_WORD);
		masks->number = select_class(first, second, CLASS_NUMBER);
		masks->base64 = select_class(first, second, CLASS_BASE64);
		masks->special = select_class(first, second, CLASS_SPECIAL);
	}
}

classifier *classifier_choose(void)
{
	return __builtin_cpu_supports("avx2") ? classify_avx2 : classify_plain;
}
