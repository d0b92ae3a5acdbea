/* SPDX-License-Identifier: Apache-2.0 */
/* A layer of any bytes, compressed or not: it is unpacked or refused, and nothing outside the root changes. */
#include "unpack_place.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct place place = place_make();

	(void)place_unpack(&place, data, size);
	place_check(&place);
	return 0;
}
