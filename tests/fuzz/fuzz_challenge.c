/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields WWW-Authenticate of an answer, one a line; each line also as a Content-Range. What comes out are texts without control
 * characters, and a realm where Bearer is offered; reading more fields takes nothing away.
 */
#include <ctype.h>
#include <errno.h>

#include "fetch/challenge.h"
#include "fetch/http.h"
#include "fuzz.h"

static void check_text(const char *text)
{
	size_t length = strnlen(text, CHALLENGE_TEXT_MAX);

	MUST(length < CHALLENGE_TEXT_MAX);
	for (size_t i = 0; i < length; i++)
		MUST(!iscntrl((unsigned char)text[i]));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct challenge challenge = { .basic = false }, before;
	struct input in = { data, size };
	char line[2 * CHALLENGE_TEXT_MAX];

	while (in.left) {
		input_line(&in, line, sizeof(line));
		before = challenge;
		challenge_read(&challenge, line);
		check_text(challenge.realm);
		check_text(challenge.service);
		check_text(challenge.scope);
		MUST(challenge.basic >= before.basic && challenge.bearer >= before.bearer);
		MUST(challenge.bearer == (challenge.realm[0] != '\0'));
		MUST(!before.bearer || strcmp(before.realm, challenge.realm) == 0);
		MUST(content_range_start(line) >= -EBADMSG);
	}
	return 0;
}
