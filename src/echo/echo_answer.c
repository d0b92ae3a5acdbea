// SPDX-License-Identifier: Apache-2.0
/* The shapes of answers: OpenAI's chat.completion and text_completion, Anthropic's message; whole and as events. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "echo/echo.h"

#define WORD_MAX 4096u

static void wait_ms(long ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	while (ms && nanosleep(&left, &left))
		;
}

static json_t *told(const struct echo_options *options, u64 is)
{
	switch (options->usage) {
	case ECHO_USAGE_TRUE:
		return json_integer((json_int_t)is);
	case ECHO_USAGE_NONE:
	case ECHO_USAGE_ZERO:
		return json_integer(0);
	case ECHO_USAGE_LOW:
		return json_integer(1);
	case ECHO_USAGE_HIGH:
		return json_integer((json_int_t)is * 1000 + 1000000);
	case ECHO_USAGE_HUGE:
		return json_integer(INT64_MAX);
	case ECHO_USAGE_NEGATIVE:
		return json_integer(-5);
	case ECHO_USAGE_TEXT:
		return json_string("many");
	case ECHO_USAGE_FRACTION:
		return json_real(1.5);
	}
	return NULL;
}

/* The account; NULL for none. */
static json_t *usage_of(const struct echo_options *options, const struct echo_question *question, u64 output)
{
	if (options->usage == ECHO_USAGE_NONE)
		return NULL;
	bool messages = question->api == ECHO_MESSAGES;
	json_t *usage = json_pack("{s:o, s:o}", messages ? "input_tokens" : "prompt_tokens", told(options, question->input),
				  messages ? "output_tokens" : "completion_tokens", told(options, output));
	if (usage && !messages && options->usage == ECHO_USAGE_TRUE)
		json_object_set_new(usage, "total_tokens", json_integer((json_int_t)question->input + (json_int_t)output));
	return usage;
}

static const char *end_of(const struct echo_question *question, bool whole)
{
	if (question->api == ECHO_MESSAGES)
		return whole ? "end_turn" : "max_tokens";
	return whole ? "stop" : "length";
}

/* --- whole ------------------------------------------------------------------------------------------------------------------------ */

static json_t *document_of(const struct echo_question *question, const char *text, bool whole)
{
	const char *end = end_of(question, whole);
	switch (question->api) {
	case ECHO_CHAT:
		return json_pack("{s:s, s:s, s:i, s:s, s:[{s:i, s:{s:s, s:s}, s:s}]}", "id", "chatcmpl-echo", "object",
				 "chat.completion", "created", 0, "model", question->model, "choices", "index", 0, "message",
				 "role", "assistant", "content", text, "finish_reason", end);
	case ECHO_COMPLETION:
		return json_pack("{s:s, s:s, s:i, s:s, s:[{s:i, s:s, s:s}]}", "id", "cmpl-echo", "object", "text_completion",
				 "created", 0, "model", question->model, "choices", "index", 0, "text", text, "finish_reason", end);
	case ECHO_MESSAGES:
		return json_pack("{s:s, s:s, s:s, s:s, s:[{s:s, s:s}], s:s}", "id", "msg_echo", "type", "message", "role",
				 "assistant", "model", question->model, "content", "type", "text", "text", text, "stop_reason",
				 end);
	}
	return NULL;
}

static void answer_whole(int fd, const struct echo_options *options, const struct echo_question *question)
{
	struct echo_words words = { .rest = question->text };
	size_t length = 0;
	char word[WORD_MAX];
	CLEANUP_FREE char *text = calloc(1, 2 * strlen(question->text) + WORD_MAX);
	bool more = false;
	if (!text)
		return;
	while (words.given < question->most && (more = echo_word(&words, word, sizeof(word)))) {
		memcpy(text + length, word, strlen(word));
		length += strlen(word);
	}
	json_t *document =
		document_of(question, text,
			    !more || !echo_word(&(struct echo_words){ .rest = words.rest, .started = true }, word, sizeof(word)));
	json_t *usage = usage_of(options, question, words.given);
	if (document && usage)
		json_object_set_new(document, "usage", usage);
	wait_ms(options->delay);
	echo_send(fd, 200, document, options->cut);
}

/* --- as a stream ------------------------------------------------------------------------------------------------------------------ */

static json_t *piece_of(const struct echo_question *question, const char *text, const char *end)
{
	json_t *ending = end ? json_string(end) : json_null();
	switch (question->api) {
	case ECHO_CHAT:
		return json_pack("{s:s, s:s, s:s, s:[{s:i, s:{s:s*}, s:o}]}", "id", "chatcmpl-echo", "object",
				 "chat.completion.chunk", "model", question->model, "choices", "index", 0, "delta", "content", text,
				 "finish_reason", ending);
	case ECHO_COMPLETION:
		return json_pack("{s:s, s:s, s:s, s:[{s:i, s:s, s:o}]}", "id", "cmpl-echo", "object", "text_completion", "model",
				 question->model, "choices", "index", 0, "text", text ? text : "", "finish_reason", ending);
	case ECHO_MESSAGES:
		json_decref(ending);
		return json_pack("{s:s, s:i, s:{s:s, s:s}}", "type", "content_block_delta", "index", 0, "delta", "type",
				 "text_delta", "text", text);
	}
	return NULL;
}

static bool begin(int fd, const struct echo_options *options, const struct echo_question *question)
{
	if (question->api != ECHO_MESSAGES)
		return true;
	json_t *message = json_pack("{s:s, s:s, s:s, s:s, s:[]}", "id", "msg_echo", "type", "message", "role", "assistant", "model",
				    question->model, "content");
	json_t *usage = usage_of(options, question, 1);
	if (message && usage)
		json_object_set_new(message, "usage", usage);
	return echo_stream_json(fd, "message_start", json_pack("{s:s, s:o}", "type", "message_start", "message", message)) &&
	       echo_stream_json(fd, "content_block_start",
				json_pack("{s:s, s:i, s:{s:s, s:s}}", "type", "content_block_start", "index", 0, "content_block",
					  "type", "text", "text", ""));
}

static void finish(int fd, const struct echo_options *options, const struct echo_question *question, u64 output, bool whole)
{
	json_t *usage = usage_of(options, question, output);
	const char *end = end_of(question, whole);
	if (question->api == ECHO_MESSAGES) {
		json_t *event = json_pack("{s:s, s:{s:s}}", "type", "message_delta", "delta", "stop_reason", end);
		if (event && usage)
			json_object_set_new(event, "usage", usage);
		(void)(echo_stream_json(fd, "content_block_stop",
					json_pack("{s:s, s:i}", "type", "content_block_stop", "index", 0)) &&
		       echo_stream_json(fd, "message_delta", event) &&
		       echo_stream_json(fd, "message_stop", json_pack("{s:s}", "type", "message_stop")));
	} else {
		bool on = echo_stream_json(fd, NULL, piece_of(question, NULL, end));
		if (on && usage && question->with_usage)
			on = echo_stream_json(fd, NULL,
					      json_pack("{s:s, s:s, s:[], s:o}", "id", "echo", "model", question->model, "choices",
							"usage", usage));
		else
			json_decref(usage);
		if (on)
			(void)echo_stream_event(fd, NULL, "[DONE]");
	}
	echo_stream_end(fd);
}

static void answer_stream(int fd, const struct echo_options *options, const struct echo_question *question)
{
	struct echo_words words = { .rest = question->text };
	const char *name = question->api == ECHO_MESSAGES ? "content_block_delta" : NULL;
	char word[WORD_MAX];
	bool forever = options->forever && echo_count_words(question->text);
	bool more = true, on = echo_stream_begin(fd) && begin(fd, options, question);
	while (on && (forever || words.given < question->most)) {
		more = echo_word(&words, word, sizeof(word));
		if (!more && !forever)
			break;
		if (more)
			on = echo_stream_json(fd, name, piece_of(question, word, NULL));
		else
			words.rest = question->text;
		if (options->cut && words.given == 2)
			return;
	}
	wait_ms(options->delay);
	if (on)
		finish(fd, options, question, words.given,
		       !more || !echo_word(&(struct echo_words){ .rest = words.rest, .started = true }, word, sizeof(word)));
}

void echo_answer(int fd, const struct echo_options *options, const struct echo_question *question)
{
	if (question->stream)
		answer_stream(fd, options, question);
	else
		answer_whole(fd, options, question);
}
