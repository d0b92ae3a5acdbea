// SPDX-License-Identifier: Apache-2.0
/* What calls of models cost. */
#include "flow/model_price.h"

#include <errno.h>
#include <string.h>

#include "flow/money.h"

#define MILLION 1000000u

struct row {
	const char *name, *input, *output;
};

static const struct row rows[] = {
#define MODEL_PRICE(name, input, output) { name, input, output },
#include "flow/model_price.def"
#undef MODEL_PRICE
};

static bool all_digits(const char *text, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

/* What stands behind a model's name where it has a date: "" , "-latest", "-20250929", "-2024-07-18". */
static bool is_version(const char *rest)
{
	if (!*rest || strcmp(rest, "-latest") == 0)
		return true;
	if (*rest++ != '-')
		return false;
	if (strlen(rest) == 8)
		return all_digits(rest, 8);
	return strlen(rest) == 10 && rest[4] == '-' && rest[7] == '-' && all_digits(rest, 4) && all_digits(rest + 5, 2) &&
	       all_digits(rest + 8, 2);
}

int model_price_find(const char *model, struct model_price *ret)
{
	struct model_price price;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t length = strlen(rows[i].name);
		if (strncmp(model, rows[i].name, length) != 0 || !is_version(model + length))
			continue;
		if (money_parse(rows[i].input, &price.input) || money_parse(rows[i].output, &price.output))
			return -ENOENT; /* a test reads every row */
		*ret = price;
		return 0;
	}
	return -ENOENT;
}

int model_price_cost(const struct model_price *price, u64 input, u64 output, u64 *ret_nano)
{
	/* Two products of 128 bits each; their sum can carry out. */
	unsigned __int128 total, part = (unsigned __int128)price->output * output;
	if (__builtin_add_overflow((unsigned __int128)price->input * input, part, &total) ||
	    __builtin_add_overflow(total, MILLION - 1, &total))
		return -EOVERFLOW;
	total /= MILLION;
	if (total > UINT64_MAX)
		return -EOVERFLOW;
	*ret_nano = (u64)total;
	return 0;
}
