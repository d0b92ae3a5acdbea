// SPDX-License-Identifier: Apache-2.0
/* What a server of models is asked. */
#include "flow/llm_request.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "proxy/proxy_host.h"

static const char *text(const json_t *message, const char *key)
{
	const char *value = json_string_value(json_object_get(message, key));
	return value ? value : "";
}

/* Anthropic has what the system says apart from the messages. */
static bool split_system(json_t *body, const json_t *messages)
{
	CLEANUP_FREE char *system = NULL;
	size_t index, size = 0;
	json_t *message, *rest = json_array();
	FILE *to = open_memstream(&system, &size);
	bool ok = rest && to;
	json_array_foreach(messages, index, message)
	{
		if (strcmp(text(message, "role"), "system") != 0)
			ok = ok && json_array_append(rest, message) == 0;
		else if (to)
			(void)fprintf(to, "%s%s", ftell(to) ? "\n\n" : "", text(message, "content"));
	}
	ok = to && fclose(to) == 0 && ok;
	ok = json_object_set_new(body, "messages", rest) == 0 && ok;
	return ok && (!size || json_object_set_new(body, "system", json_string(system)) == 0);
}

/* The older API takes one text. */
static bool set_prompt(json_t *body, const json_t *messages)
{
	const json_t *last = json_array_get(messages, json_array_size(messages) - 1);
	return json_object_set_new(body, "prompt", json_string(text(last, "content"))) == 0;
}

static bool set_messages(const struct flow_provider *provider, const struct llm_question *question, json_t *body)
{
	if (provider->api == LLM_ANTHROPIC)
		return split_system(body, question->messages);
	if (question->completion)
		return set_prompt(body, question->messages);
	return json_object_set(body, "messages", question->messages) == 0;
}

char *llm_request_body(const struct flow_provider *provider, const struct llm_question *question)
{
	bool openai = provider->api == LLM_OPENAI;
	json_t *body = json_pack("{s:s, s:I}", "model", question->model, question->completion ? "max_tokens" : provider->most_field,
				 (json_int_t)question->most);
	bool ok = body && set_messages(provider, question, body);
	if (ok && question->temperature)
		ok = json_object_set_new(body, "temperature", json_copy((json_t *)question->temperature)) == 0;
	if (ok && question->stop)
		ok = json_object_set_new(body, openai ? "stop" : "stop_sequences", json_copy((json_t *)question->stop)) == 0;
	if (ok && question->stream)
		ok = json_object_set_new(body, "stream", json_true()) == 0;
	if (ok && question->stream && openai && provider->asks_usage)
		ok = json_object_set_new(body, "stream_options", json_pack("{s:b}", "include_usage", 1)) == 0;
	char *made = ok ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
	json_decref(body);
	return made;
}

/* The pattern for lichen-fetch that names a URL's host and port. */
static bool set_target(const struct flow_provider *provider, const char *url, json_t *request)
{
	const char *host = strstr(url, "://");
	char pattern[PROXY_TARGET_MAX + 8];
	host = host ? host + 3 : url;
	int length = (int)strcspn(host, "/?#");
	bool port = memchr(host, ':', (size_t)length) && host[length - 1] != ']' && (*host != '[' || strstr(host, "]:"));
	const char *other = strncmp(url, "https", 5) == 0 ? ":443" : ":80";
	if (snprintf(pattern, sizeof(pattern), "%.*s%s", length, host, port ? "" : other) >= (int)sizeof(pattern))
		return false;
	/* What the operator declares may be anywhere; what is built in is on the Internet. */
	return json_object_set_new(request, provider->declared ? "private" : "allow", json_pack("[s]", pattern)) == 0;
}

static const char *path_of(const struct flow_provider *provider, const struct llm_question *question)
{
	if (provider->api == LLM_ANTHROPIC)
		return "/messages";
	return question->completion ? "/completions" : "/chat/completions";
}

static json_t *headers_of(const struct flow_provider *provider)
{
	if (provider->api == LLM_ANTHROPIC)
		return json_pack("{s:s, s:s}", "Content-Type", "application/json", "anthropic-version", "2023-06-01");
	return json_pack("{s:s}", "Content-Type", "application/json");
}

static bool set_key(const struct flow_provider *provider, json_t *request, const char *key)
{
	bool anthropic = provider->api == LLM_ANTHROPIC;
	if (!key)
		return true;
	return json_object_set_new(request, "secrets",
				   json_pack("{s:{s:s, s:s}}", anthropic ? "x-api-key" : "Authorization", "env", key, "prefix",
					     anthropic ? "" : "Bearer ")) == 0;
}

json_t *llm_request(const struct flow_provider *provider, const struct llm_question *question, const char *body, const char *socket,
		    const char *key, s64 max_bytes)
{
	const char *base = provider->url ? provider->url : "http://localhost/v1";
	size_t length = strlen(base);
	char url[1024];
	length -= base[length - 1] == '/';
	if (snprintf(url, sizeof(url), "%.*s%s", (int)length, base, path_of(provider, question)) >= (int)sizeof(url))
		return NULL;
	json_t *request = json_pack("{s:s, s:s, s:o, s:s, s:I}", "method", "POST", "url", url, "headers", headers_of(provider),
				    "body", body, "max_body", (json_int_t)max_bytes);
	bool ok = request && set_key(provider, request, key);
	if (ok)
		ok = socket ? json_object_set_new(request, "unix", json_string(socket)) == 0 : set_target(provider, base, request);
	if (ok)
		return request;
	json_decref(request);
	return NULL;
}
