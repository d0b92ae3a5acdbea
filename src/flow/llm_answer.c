// SPDX-License-Identifier: Apache-2.0
/* What a server of models answers. */
#include "flow/llm_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the account ------------------------------------------------------------------------------------------------------------------ */

/* Reads a number of tokens; JSON null and a missing member say nothing. */
static void take_count(struct llm_answer *answer, const json_t *value, u64 *to, bool *has)
{
	if (!value || json_is_null(value))
		return;
	if (!json_is_integer(value) || json_integer_value(value) < 0) {
		answer->wrong_usage = true;
		return;
	}
	u64 count = (u64)json_integer_value(value);
	*to = count > *to ? count : *to;
	*has = true;
}

static void take_usage(struct llm_answer *answer, const json_t *usage)
{
	if (!json_is_object(usage)) {
		answer->wrong_usage = answer->wrong_usage || (usage && !json_is_null(usage));
		return;
	}
	if (answer->api == LLM_OPENAI) {
		take_count(answer, json_object_get(usage, "prompt_tokens"), &answer->input, &answer->has_input);
		u64 total = 0;
		bool has_total = false;
		take_count(answer, json_object_get(usage, "completion_tokens"), &answer->output, &answer->has_output);
		take_count(answer, json_object_get(usage, "total_tokens"), &total, &has_total);
		/* xAI has what was thought in the total alone */
		if (has_total && answer->has_input && answer->has_output && total > answer->input &&
		    total - answer->input > answer->output)
			answer->output = total - answer->input;
		return;
	}
	/* What is written to a cache or read from it is not in input_tokens. */
	static const char *const caches[] = { "cache_creation_input_tokens", "cache_read_input_tokens" };
	u64 input = 0;
	bool has = false;
	take_count(answer, json_object_get(usage, "input_tokens"), &input, &has);
	for (size_t i = 0; i < ARRAY_SIZE(caches) && has; i++) {
		u64 more = 0;
		take_count(answer, json_object_get(usage, caches[i]), &more, &has);
		if (__builtin_add_overflow(input, more, &input))
			input = UINT64_MAX;
	}
	answer->has_input = answer->has_input || has;
	answer->input = input > answer->input ? input : answer->input;
	take_count(answer, json_object_get(usage, "output_tokens"), &answer->output, &answer->has_output);
}

enum llm_account llm_answer_account(const struct llm_answer *answer, u64 *ret_input, u64 *ret_output)
{
	if (answer->wrong_usage)
		return LLM_ACCOUNT_WRONG;
	if (!answer->has_input || !answer->has_output)
		return LLM_ACCOUNT_MISSING;
	if (!answer->input || (answer->size && !answer->output))
		return LLM_ACCOUNT_WRONG;
	*ret_input = answer->input;
	*ret_output = answer->output;
	return LLM_ACCOUNT_TOLD;
}

/* --- text ------------------------------------------------------------------------------------------------------------------------- */

static int add_text(struct llm_answer *answer, const json_t *text)
{
	size_t size = json_string_length(text), wanted = answer->size + size + 1;
	if (!size)
		return 0;
	if (wanted > answer->room) {
		size_t room = wanted < 2 * answer->room ? 2 * answer->room : wanted;
		char *longer = realloc(answer->text, room);
		if (!longer)
			return -ENOMEM;
		answer->text = longer;
		answer->room = room;
	}
	memcpy(answer->text + answer->size, json_string_value(text), size);
	answer->size += size;
	answer->text[answer->size] = '\0';
	answer->pieces++;
	return 0;
}

static void take_finish(struct llm_answer *answer, const json_t *reason)
{
	const char *text = json_string_value(reason);
	if (!text)
		return;
	snprintf(answer->finish, sizeof(answer->finish), "%.31s", text);
	for (char *at = answer->finish; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	answer->ended = true;
}

/* {"error": {"message": TEXT}} or {"error": TEXT}, which all of them say. */
static int take_error(struct llm_answer *answer, const json_t *root)
{
	const json_t *error = json_object_get(root, "error");
	const char *text = json_is_string(error) ? json_string_value(error) : json_string_value(json_object_get(error, "message"));
	if (!error || json_is_null(error))
		return -EBADMSG;
	snprintf(answer->error, sizeof(answer->error), "%s", text ? text : "no reason");
	for (char *at = answer->error; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return -EREMOTEIO;
}

static json_t *read_object(const char *bytes, size_t size)
{
	json_t *root = json_loadb(bytes, size, JSON_ALLOW_NUL, NULL);
	if (json_is_object(root))
		return root;
	json_decref(root);
	return NULL;
}

/* --- whole ------------------------------------------------------------------------------------------------------------------------ */

static int take_openai(struct llm_answer *answer, const json_t *root)
{
	const json_t *choice = json_array_get(json_object_get(root, "choices"), 0);
	const json_t *message = json_object_get(choice, "message");
	const json_t *text = message ? json_object_get(message, "content") : json_object_get(choice, "text");
	if (!json_is_string(text) && !(message && json_is_null(text)))
		return take_error(answer, root);
	take_usage(answer, json_object_get(root, "usage"));
	take_finish(answer, json_object_get(choice, "finish_reason"));
	return add_text(answer, text);
}

static int take_anthropic(struct llm_answer *answer, const json_t *root)
{
	const json_t *content = json_object_get(root, "content");
	size_t index;
	json_t *block;
	if (!json_is_array(content))
		return take_error(answer, root);
	take_usage(answer, json_object_get(root, "usage"));
	take_finish(answer, json_object_get(root, "stop_reason"));
	json_array_foreach(content, index, block)
	{
		int error = add_text(answer, json_object_get(block, "text"));
		if (error)
			return error;
	}
	return 0;
}

int llm_answer_document(struct llm_answer *answer, const char *bytes, size_t size)
{
	json_t *root = read_object(bytes, size);
	if (!root)
		return -EBADMSG;
	int error = answer->api == LLM_OPENAI ? take_openai(answer, root) : take_anthropic(answer, root);
	answer->ended = answer->ended || !error;
	json_decref(root);
	return error;
}

/* --- as a stream ------------------------------------------------------------------------------------------------------------------ */

static bool is_enough(const struct llm_answer *answer)
{
	u64 bytes;
	return answer->pieces > answer->most ||
	       (!__builtin_mul_overflow(answer->most, LLM_TOKEN_BYTES, &bytes) && answer->size > bytes);
}

static int take_openai_chunk(struct llm_answer *answer, const json_t *root)
{
	const json_t *choices = json_object_get(root, "choices"), *choice = json_array_get(choices, 0);
	const json_t *delta = json_object_get(choice, "delta");
	const json_t *text = delta ? json_object_get(delta, "content") : json_object_get(choice, "text");
	if (!json_is_array(choices))
		return take_error(answer, root);
	take_usage(answer, json_object_get(root, "usage"));
	take_finish(answer, json_object_get(choice, "finish_reason"));
	return add_text(answer, text);
}

static int take_anthropic_event(struct llm_answer *answer, const json_t *root)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	if (!type)
		return -EBADMSG;
	if (strcmp(type, "error") == 0)
		return take_error(answer, root);
	if (strcmp(type, "message_start") == 0) {
		take_usage(answer, json_object_get(json_object_get(root, "message"), "usage"));
	} else if (strcmp(type, "message_delta") == 0) {
		take_usage(answer, json_object_get(root, "usage"));
		take_finish(answer, json_object_get(json_object_get(root, "delta"), "stop_reason"));
	} else if (strcmp(type, "message_stop") == 0) {
		answer->ended = true;
	} else if (strcmp(type, "content_block_delta") == 0) {
		return add_text(answer, json_object_get(json_object_get(root, "delta"), "text"));
	}
	return 0; /* ping, and what comes to be */
}

int llm_answer_event(struct llm_answer *answer, const char *data, size_t size)
{
	if (answer->api == LLM_OPENAI && size == 6 && memcmp(data, "[DONE]", 6) == 0) {
		answer->ended = true;
		return 0;
	}
	json_t *root = read_object(data, size);
	if (!root)
		return -EBADMSG;
	int error = answer->api == LLM_OPENAI ? take_openai_chunk(answer, root) : take_anthropic_event(answer, root);
	json_decref(root);
	return !error && is_enough(answer) ? -ECANCELED : error;
}

void llm_answer_done(struct llm_answer *answer)
{
	free(answer->text);
	answer->text = NULL;
	answer->size = answer->room = 0;
}
