/* SPDX-License-Identifier: Apache-2.0 */
/* What calls of models cost: the built-in table (model_price.def) and the arithmetic. */
#ifndef LICHEN_FLOW_MODEL_PRICE_H
#define LICHEN_FLOW_MODEL_PRICE_H

#include "base/types.h"

struct model_price {
	u64 input, output; /* nano-dollars for a million tokens */
};

/* The built-in price of a model, or of the model of which it is a dated version. Returns 0 or -ENOENT. */
int model_price_find(const char *model, struct model_price *ret) MUST_CHECK;

/* What so many tokens cost, rounded up to a whole nano-dollar. Returns 0 or -EOVERFLOW. */
int model_price_cost(const struct model_price *price, u64 input, u64 output, u64 *ret_nano) MUST_CHECK;

#endif
