/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server of models answers: text, why it ends, and an account of tokens that is not believed blindly.
 *
 * Shapes: OpenAI's chat.completion and text_completion and their chunks (a stream ends with the event "[DONE]"), Anthropic's message and its events.
 *
 * A stream is cut off (-ECANCELED) when it has more pieces than tokens were asked for: a piece of text is one token at least. So is one with more than
 * LLM_TOKEN_BYTES for each token.
 */
#ifndef LICHEN_FLOW_LLM_ANSWER_H
#define LICHEN_FLOW_LLM_ANSWER_H

#include <jansson.h>

#include "base/types.h"

#define LLM_TOKEN_BYTES 256u /* of text: more than any token of a known vocabulary has */
#define LLM_ERROR_MAX 256u

enum llm_api {
	LLM_OPENAI,
	LLM_ANTHROPIC,
};

/* Zero it, set the first part; llm_answer_done() frees. */
struct llm_answer {
	enum llm_api api;
	u64 most; /* tokens that were asked for */

	char *text;
	size_t size, room;
	u64 pieces;
	u64 input, output; /* the largest that was told */
	bool has_input, has_output;
	bool wrong_usage;          /* an account was there, and was no number of tokens */
	bool ended;                /* the server said that this is all */
	char finish[32];           /* why, in its words: "stop", "length" … */
	char error[LLM_ERROR_MAX]; /* what it said instead of an answer */
};

/* How far an account can be used. */
enum llm_account {
	LLM_ACCOUNT_TOLD,
	LLM_ACCOUNT_MISSING,
	LLM_ACCOUNT_WRONG, /* no numbers, or none for what was sent or what came */
};

/* A whole answer. 0; -EBADMSG: it is none; -EREMOTEIO: an error (answer->error); -ENOMEM. */
int llm_answer_document(struct llm_answer *answer, const char *bytes, size_t size) MUST_CHECK;
/* One event of a stream. As above, and -ECANCELED: what came until now is all that is wanted. */
int llm_answer_event(struct llm_answer *answer, const char *data, size_t size) MUST_CHECK;
/* What the server accounts for, now that its answer is complete. */
enum llm_account llm_answer_account(const struct llm_answer *answer, u64 *ret_input, u64 *ret_output);
void llm_answer_done(struct llm_answer *answer);

#endif
