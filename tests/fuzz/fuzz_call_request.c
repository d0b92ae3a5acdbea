/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to `lichen-fetch call`. What is accepted has a method, a URL, and fields that no line can be smuggled into. */
#include <strings.h>

#include "fetch/call_request.h"
#include "fuzz.h"

static void check_fields(const struct curl_slist *list)
{
	for (; list; list = list->next) {
		MUST(!strpbrk(list->data, "\r\n"));
		MUST(strpbrk(list->data, ":;"));
		MUST(strncasecmp(list->data, "Host:", 5) != 0 && strncasecmp(list->data, "Content-Length:", 15) != 0);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct call_request request;
	struct fetch_error error = { .status = 0 };
	int status = call_request_read((const char *)data, size, &request, &error);

	MUST(status == error.status);
	MUST(!status || *error.text);
	if (!status) {
		MUST(request.method && request.url && request.timeout_ms > 0 && request.redirects >= 0);
		MUST(request.max_body >= 0 && request.max_body <= CALL_BODY_MAX);
		MUST(!request.unix_path || *request.unix_path == '/');
		check_fields(request.headers);
		check_fields(request.secrets);
	}
	call_request_done(&request);
	return 0;
}
