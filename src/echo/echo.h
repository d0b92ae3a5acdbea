/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lichen-echo-model: no model. It speaks as servers of models do, on a UNIX socket or on loopback, and answers with the words that it was asked:
 * for tests, and for examples that run without a model. The same request always gets the same answer. A token is a word.
 *
 *     POST /v1/chat/completions, /v1/completions    OpenAI's shapes, whole or as a stream
 *     POST /v1/messages                             Anthropic's
 *     GET  /v1/models, /health
 *
 * Its account of tokens can be made wrong (--usage), late (--delay), or never come (--forever): what a budget must survive.
 */
#ifndef LICHEN_ECHO_ECHO_H
#define LICHEN_ECHO_ECHO_H

#include <jansson.h>

#include "base/types.h"

#define ECHO_REQUEST_MAX (16u << 20) /* bytes of a request's body */
#define ECHO_HEADER_MAX 65536u

/* What is told of the tokens. */
enum echo_usage {
	ECHO_USAGE_TRUE,
	ECHO_USAGE_NONE,
	ECHO_USAGE_ZERO,
	ECHO_USAGE_LOW,  /* one and one */
	ECHO_USAGE_HIGH, /* a thousand times as many */
	ECHO_USAGE_HUGE, /* the largest 64-bit number */
	ECHO_USAGE_NEGATIVE,
	ECHO_USAGE_TEXT, /* "many" */
	ECHO_USAGE_FRACTION,
};

struct echo_options {
	enum echo_usage usage;
	long delay;   /* milliseconds before the account: before the answer, in a stream before its last event */
	long status;  /* answer with this status and an error; 0: none */
	bool forever; /* a stream has no end, and ignores max_tokens */
	bool cut;     /* the connection ends in the middle of the answer */
	bool garbage; /* the answer is no JSON */
};

enum echo_api {
	ECHO_CHAT,
	ECHO_COMPLETION,
	ECHO_MESSAGES,
};

/* What was asked. */
struct echo_question {
	enum echo_api api;
	json_t *body;
	const char *model, *text; /* text: the last message of the user, or the prompt */
	u64 input, most;          /* words that were sent; words that may be answered */
	bool stream, with_usage;
};

/* An answer in words: "echo:" and the question's. */
struct echo_words {
	const char *rest; /* of the text */
	u64 given;
	bool started;
};

/* Reads a request's body; takes the reference. NULL, or what is wrong with it. */
const char *echo_question_read(enum echo_api api, json_t *body, struct echo_question *ret) MUST_CHECK;

/* The next word, with a blank before it unless it is the first; false: there is none. */
bool echo_word(struct echo_words *words, char *to, size_t room);
u64 echo_count_words(const char *text);

/* Answers on a connection. */
void echo_answer(int fd, const struct echo_options *options, const struct echo_question *question);

/* Serves one connection: reads a request, answers, ends. */
void echo_serve(int fd, const struct echo_options *options);

/* Writes an answer whole: a JSON document (takes the reference) with its status. */
void echo_send(int fd, long status, json_t *document, bool cut);
/* Begins a stream of events (chunked); sends one, with the event's name unless that is NULL; ends it. False: nobody reads any more. */
bool echo_stream_begin(int fd);
bool echo_stream_event(int fd, const char *name, const char *data);
bool echo_stream_json(int fd, const char *name, json_t *event);
void echo_stream_end(int fd);

#endif
