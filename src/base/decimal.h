/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as decimal text, hosted and freestanding. */
#ifndef LICHEN_BASE_DECIMAL_H
#define LICHEN_BASE_DECIMAL_H

#include "base/types.h"

#define DECIMAL_MAX 20u /* digits of the largest u64 */

/* Writes a number's digits, at most DECIMAL_MAX and no NUL behind them. Returns how many. */
static inline u64 decimal_put(char *to, u64 number)
{
	char digits[DECIMAL_MAX];
	u64 n = 0, at = 0;

	do
		digits[n++] = (char)('0' + number % 10);
	while (number /= 10);
	while (n)
		to[at++] = digits[--n];
	return at;
}

#endif
