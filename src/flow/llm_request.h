/* SPDX-License-Identifier: Apache-2.0 */
/* What a server of models is asked: the request for `lichen-fetch call`, by the shape of its API. */
#ifndef LICHEN_FLOW_LLM_REQUEST_H
#define LICHEN_FLOW_LLM_REQUEST_H

#include <jansson.h>

#include "flow/flow_models.h"

struct llm_question {
	const char *model;
	json_t *messages;                 /* [{"role": …, "content": …}], of the system, the user, the assistant; redacted */
	u64 most;                         /* tokens of the answer */
	const json_t *temperature, *stop; /* NULL: not given */
	bool stream, completion;          /* completion: OpenAI's older /completions, of one prompt */
};

/* The body as text, malloc'ed: its bytes are the bound on the tokens of the prompt. NULL: out of memory. */
char *llm_request_body(const struct flow_provider *provider, const struct llm_question *question);
/*
 * The request with that body. `socket`: NULL, or the UNIX socket to dial. `key`: NULL, or the name of the variable that has the key. NULL: out of memory.
 */
json_t *llm_request(const struct flow_provider *provider, const struct llm_question *question, const char *body, const char *socket,
		    const char *key, s64 max_bytes);

#endif
