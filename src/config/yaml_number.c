// SPDX-License-Identifier: Apache-2.0
/* Numbers of the strict YAML reader: exact, in integers, and within limits. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/yaml_strict.h"

/* Reads decimal digits, at least one, and none but 0 before others. False: that is no number, or one of more than 64 bits. */
static bool take_digits(const char **at, u64 *ret)
{
	const char *from = *at;
	u64 number = 0;
	for (; isdigit((unsigned char)**at); (*at)++)
		if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, (u64)(**at - '0'), &number))
			return false;
	*ret = number;
	return *at > from && (*from != '0' || *at == from + 1);
}

/* A number times 10^digits. False: it is none, too large, or has more digits. */
static bool take_fixed(const char *at, unsigned digits, u64 *ret)
{
	u64 number;
	if (!take_digits(&at, &number))
		return false;
	if (*at == '.' && !isdigit((unsigned char)*++at))
		return false;
	for (unsigned i = 0; i < digits; i++) {
		u64 digit = isdigit((unsigned char)*at) ? (u64)(*at++ - '0') : 0;
		if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, digit, &number))
			return false;
	}
	at += strspn(at, "0");
	*ret = number;
	return !*at;
}

static bool is_number(const struct yaml_node *node)
{
	enum yaml_type type = yaml_type(node);
	return type == YAML_INT || type == YAML_FLOAT;
}

int yaml_int(const struct yaml_node *node, s64 least, s64 most, s64 *ret, struct yaml_error *error)
{
	u64 number = 0;
	bool minus = node->kind == YAML_SCALAR && node->text[0] == '-';
	bool good = is_number(node) && take_fixed(node->text + minus, 0, &number) && number <= INT64_MAX;
	s64 value = minus ? -(s64)number : (s64)number;
	if (!good || value < least || value > most)
		return yaml_refuse(node, error, "an integer from %lld to %lld is due here%s%.40s", (long long)least,
				   (long long)most, node->kind == YAML_SCALAR && node->length ? ", not " : "",
				   node->kind == YAML_SCALAR ? node->text : "");
	*ret = value;
	return 0;
}

/* As text, without zeros at the end: 1500 with 3 digits is "1.5". */
static const char *fixed_text(u64 number, unsigned digits, char to[32])
{
	u64 scale = 1;
	for (unsigned i = 0; i < digits; i++)
		scale *= 10;
	int length = snprintf(to, 32, "%llu", (unsigned long long)(number / scale));
	if (number % scale) {
		length += snprintf(to + length, 32 - (size_t)length, ".%0*llu", (int)digits, (unsigned long long)(number % scale));
		while (to[length - 1] == '0')
			to[--length] = 0;
	}
	return to;
}

int yaml_fixed(const struct yaml_node *node, unsigned digits, u64 least, u64 most, u64 *ret, struct yaml_error *error)
{
	char from[32], to[32];
	u64 number = 0;
	if (!is_number(node) || !take_fixed(node->text, digits, &number) || number < least || number > most)
		return yaml_refuse(node, error, "a number from %s to %s with at most %u digits behind the point is due here",
				   fixed_text(least, digits, from), fixed_text(most, digits, to), digits);
	*ret = number;
	return 0;
}

/* --- sizes and durations ---------------------------------------------------------------------------------------------------------------- */

struct unit {
	const char *name;
	u64 factor;
};

/* Largest first. */
static const struct unit bytes[] = {
	{ "t", (u64)1 << 40 }, { "T", (u64)1 << 40 }, { "g", 1 << 30 }, { "G", 1 << 30 }, { "m", 1 << 20 }, { "M", 1 << 20 },
	{ "k", 1 << 10 },      { "K", 1 << 10 },      { "b", 1 },       { "B", 1 },       { NULL, 0 }
};
static const struct unit times[] = { { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 } };

/* A plain int is `plain` units; a string has its unit's name behind it. False: it is neither, or too large. */
static bool take_unit(const struct yaml_node *node, const struct unit *units, u64 plain, u64 *ret)
{
	const char *at = node->text;
	u64 number;
	if (is_number(node))
		return take_fixed(at, 0, &number) && !__builtin_mul_overflow(number, plain, ret);
	if (yaml_type(node) != YAML_STRING || !take_digits(&at, &number))
		return false;
	while (units->name && strcmp(at, units->name) != 0)
		units++;
	return units->name && !__builtin_mul_overflow(number, units->factor, ret);
}

/* In the largest unit that it is a whole count of. */
static const char *unit_text(u64 number, const struct unit *units, char to[32])
{
	while (number && number % units->factor)
		units++;
	(void)snprintf(to, 32, "%llu%s", (unsigned long long)(number / units->factor), number ? units->name : "");
	return to;
}

static int read_unit(const struct yaml_node *node, const struct unit *units, u64 plain, const char *due, u64 least, u64 most,
		     u64 *ret, struct yaml_error *error)
{
	char from[32], to[32];
	u64 number = 0;
	if (!take_unit(node, units, plain, &number) || number < least || number > most)
		return yaml_refuse(node, error, "%s from %s to %s is due here", due, unit_text(least, units, from),
				   unit_text(most, units, to));
	*ret = number;
	return 0;
}

int yaml_size(const struct yaml_node *node, u64 least, u64 most, u64 *ret, struct yaml_error *error)
{
	return read_unit(node, bytes, 1, "a size (bytes, or a number with b, k, m, g or t)", least, most, ret, error);
}

int yaml_duration(const struct yaml_node *node, u64 least, u64 most, u64 *ret, struct yaml_error *error)
{
	return read_unit(node, times, 1000, "a time (seconds, or a number with ms, s, m, h or d)", least, most, ret, error);
}
