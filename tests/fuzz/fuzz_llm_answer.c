/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes from a server of models: the first byte says as what, the second how it is cut. How a stream is cut makes no difference; no account of tokens is
 * accepted that is no number; a stream is not read beyond its cap.
 */
#include <errno.h>

#include "flow/call_frames.h"
#include "flow/llm_answer.h"
#include "flow/sse.h"
#include "fuzz.h"

#define MOST 8u

static int take_event(void *user, const char *data, size_t size)
{
	struct llm_answer *answer = user;

	MUST(data[size] == '\0');
	int error = llm_answer_event(answer, data, size);
	MUST(answer->pieces <= MOST + 1);
	return error;
}

static int read_stream(struct llm_answer *answer, struct input in, size_t step)
{
	struct sse sse = { .event = take_event, .user = answer };
	int error = 0;

	while (in.left && !error) {
		struct input part = input_take(&in, step);
		char *copy = malloc(part.left); /* exactly: AddressSanitizer sees a read beyond */

		MUST(copy);
		memcpy(copy, part.at, part.left);
		error = sse_feed(&sse, copy, part.left);
		free(copy);
	}
	sse_done(&sse);
	return error;
}

static void check_account(const struct llm_answer *answer)
{
	u64 input = 0, output = 0;

	if (llm_answer_account(answer, &input, &output) == LLM_ACCOUNT_TOLD)
		MUST(input > 0 && (output > 0 || !answer->size) && !answer->wrong_usage);
	MUST(!answer->size || strlen(answer->finish) < sizeof(answer->finish));
}

static void check_stream(enum llm_api api, struct input in, size_t step)
{
	struct llm_answer whole = { .api = api, .most = MOST }, cut = { .api = api, .most = MOST };
	int one = read_stream(&whole, in, in.left), two = read_stream(&cut, in, step);

	MUST(one == two);
	MUST(whole.size == cut.size && (!whole.size || memcmp(whole.text, cut.text, whole.size) == 0));
	MUST(whole.input == cut.input && whole.output == cut.output && whole.ended == cut.ended);
	check_account(&whole);
	llm_answer_done(&whole);
	llm_answer_done(&cut);
}

static int take_frame(void *user, const char *event, const json_t *frame)
{
	MUST(event && json_is_object(frame));
	(void)user;
	return 0;
}

static int take_data(void *user, const char *bytes, size_t size)
{
	size_t *total = user;

	MUST(bytes && size);
	*total += size;
	return 0;
}

static void check_frames(struct input in, size_t step)
{
	size_t whole = 0, cut = 0, left = in.left;
	struct call_frames one = { .sink = { take_frame, take_data, &whole } }, two = { .sink = { take_frame, take_data, &cut } };
	int error = call_frames_feed(&one, (const char *)in.at, in.left), other = 0;

	while (in.left && !other) {
		struct input part = input_take(&in, step);
		other = call_frames_feed(&two, (const char *)part.at, part.left);
	}
	MUST(error == other && whole == cut && whole <= left && one.ended == two.ended);
	call_frames_done(&one);
	call_frames_done(&two);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	u64 kind = input_number(&in, 1), step = 1 + input_number(&in, 1) % 64;
	enum llm_api api = kind & 1 ? LLM_ANTHROPIC : LLM_OPENAI;
	struct llm_answer answer = { .api = api, .most = MOST };

	switch (kind / 2 % 3) {
	case 0:
		if (llm_answer_document(&answer, (const char *)in.at, in.left) == 0)
			check_account(&answer);
		llm_answer_done(&answer);
		break;
	case 1:
		check_stream(api, in, step);
		break;
	default:
		check_frames(in, step);
		break;
	}
	return 0;
}
