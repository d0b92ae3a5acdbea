/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts of money: integer nano-dollars (10^-9 USD), never floating point; what does not fit is refused, never wrapped. */
#ifndef LICHEN_FLOW_MONEY_H
#define LICHEN_FLOW_MONEY_H

#include "base/types.h"

#define MONEY_DOLLAR 1000000000ull
#define MONEY_TEXT 32u /* the longest amount as text, with its NUL */

/*
 * Reads dollars: digits, and behind a dot at most nine that are not trailing zeros ("1", "1.0", "0.00015"). No sign, exponent or blank. Returns 0; -EINVAL; or
 * -ERANGE: above 18,446,744,073.709551615, or finer than a nano-dollar.
 */
int money_parse(const char *text, u64 *ret_nano) MUST_CHECK;

/* Writes dollars with at least two and at most nine digits behind the dot. Returns `to`. */
char *money_text(u64 nano, char to[MONEY_TEXT]);

#endif
