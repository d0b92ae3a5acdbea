// SPDX-License-Identifier: Apache-2.0
/* Amounts of money as text. */
#include "flow/money.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int money_parse(const char *text, u64 *ret_nano)
{
	u64 nano = 0, unit = MONEY_DOLLAR;
	const char *at = text;
	if (!is_digit(*at))
		return -EINVAL;
	for (; is_digit(*at); at++)
		if (__builtin_mul_overflow(nano, 10u, &nano) || __builtin_add_overflow(nano, (u64)(*at - '0'), &nano))
			return -ERANGE;
	if (__builtin_mul_overflow(nano, MONEY_DOLLAR, &nano))
		return -ERANGE;
	if (*at == '.') {
		if (!is_digit(*++at))
			return -EINVAL;
		for (; is_digit(*at); at++) {
			unit /= 10;
			if (!unit && *at != '0')
				return -ERANGE;
			if (__builtin_add_overflow(nano, unit * (u64)(*at - '0'), &nano))
				return -ERANGE;
		}
	}
	if (*at)
		return -EINVAL;
	*ret_nano = nano;
	return 0;
}

char *money_text(u64 nano, char to[MONEY_TEXT])
{
	snprintf(to, MONEY_TEXT, "%llu.%09llu", (unsigned long long)(nano / MONEY_DOLLAR),
		 (unsigned long long)(nano % MONEY_DOLLAR));
	size_t length = strlen(to), least = length - 7;
	while (length > least && to[length - 1] == '0')
		to[--length] = '\0';
	return to;
}
