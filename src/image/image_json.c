// SPDX-License-Identifier: Apache-2.0
/* JSON from outside. jansson itself bounds the depth, and refuses text that is no UTF-8 and strings with NUL. */
#include "image/image_json.h"

#include <errno.h>

int image_json_load(const char *json, size_t size, size_t max, const char *what, json_t **ret_root, struct image_error *ret_error)
{
	json_error_t wrong;
	if (size > max)
		return image_fail(ret_error, -EBADMSG, "the %s has %zu bytes; the limit is %zu", what, size, max);
	json_t *root = json_loadb(json, size, JSON_REJECT_DUPLICATES, &wrong);
	if (!root)
		return image_fail(ret_error, -EBADMSG, "the %s is no JSON: %s in line %d", what, wrong.text, wrong.line);
	*ret_root = root;
	return 0;
}
