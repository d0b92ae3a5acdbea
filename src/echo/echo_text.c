// SPDX-License-Identifier: Apache-2.0
/* What was asked, and the words of the answer. */
#include <stdio.h>
#include <string.h>

#include "echo/echo.h"

static const char blanks[] = " \t\r\n";

u64 echo_count_words(const char *text)
{
	u64 count = 0;
	while (*(text += strspn(text, blanks))) {
		count++;
		text += strcspn(text, blanks);
	}
	return count;
}

/* A message's text: a string, or the first part that is one. */
static const char *text_of(const json_t *content)
{
	size_t index;
	json_t *part;
	if (json_is_string(content))
		return json_string_value(content);
	json_array_foreach(content, index, part)
	{
		const char *text = json_string_value(json_object_get(part, "text"));
		if (text)
			return text;
	}
	return NULL;
}

static const char *read_messages(const json_t *messages, struct echo_question *question)
{
	size_t index;
	json_t *message;
	if (!json_is_array(messages) || !json_array_size(messages))
		return "messages: a list that is not empty is due";
	json_array_foreach(messages, index, message)
	{
		const char *role = json_string_value(json_object_get(message, "role")),
			   *text = text_of(json_object_get(message, "content"));
		if (!role || !text)
			return "messages: each has a role and a content";
		question->input += echo_count_words(text);
		if (strcmp(role, "user") == 0)
			question->text = text;
	}
	return question->text ? NULL : "messages: none is the user's";
}

const char *echo_question_read(enum echo_api api, json_t *body, struct echo_question *ret)
{
	const char *wrong = NULL;
	*ret = (struct echo_question){
		.api = api,
		.body = body,
		.model = json_string_value(json_object_get(body, "model")),
		.stream = json_is_true(json_object_get(body, "stream")),
		.with_usage = json_is_true(json_object_get(json_object_get(body, "stream_options"), "include_usage")),
	};
	json_t *most = json_object_get(body, "max_completion_tokens");
	if (!most)
		most = json_object_get(body, "max_tokens");
	ret->most = json_integer_value(most) > 0 ? (u64)json_integer_value(most) : 1000;
	if (api == ECHO_COMPLETION) {
		ret->text = json_string_value(json_object_get(body, "prompt"));
		wrong = ret->text ? NULL : "prompt: a text is due";
		ret->input = ret->text ? echo_count_words(ret->text) : 0;
	} else {
		wrong = read_messages(json_object_get(body, "messages"), ret);
	}
	if (!ret->model)
		wrong = "model: a text is due";
	if (!wrong && api == ECHO_MESSAGES && !most)
		wrong = "max_tokens: a number is due";
	return wrong;
}

bool echo_word(struct echo_words *words, char *to, size_t room)
{
	if (!words->started) {
		words->started = true;
		words->given = 1;
		snprintf(to, room, "echo:");
		return true;
	}
	words->rest += strspn(words->rest, blanks);
	size_t length = strcspn(words->rest, blanks);
	if (!length)
		return false;
	snprintf(to, room, " %.*s", (int)length, words->rest);
	words->rest += length;
	words->given++;
	return true;
}
