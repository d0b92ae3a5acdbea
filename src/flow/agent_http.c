// SPDX-License-Identifier: Apache-2.0
/*
 * The agent http: get, post, put, delete. Hosts are config.yaml's allowed_domains, or those of them that the step names; addresses within the machine or its
 * networks only where allowed_private names them. What is sent is redacted: path and query, values of fields, body.
 */
#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "flow/flow.h"
#include "flow/flow_call.h"
#include "flow/flow_redact.h"
#include "flow/rate.h"
#include "proxy/proxy_rule.h"

#define TIMEOUT_SECONDS 30u
#define REDIRECTS 5

static const struct flow_field settings[] = {
	{ "allowed_domains", FLOW_STRINGS, false },
	{ "timeout", FLOW_INTEGER, false },
	{ "bearer_token", FLOW_SECRET, false },
};
static const struct flow_field fields[] = {
	{ "url", FLOW_STRING, true },
	{ "headers", FLOW_MAPPING, false },
	{ "params", FLOW_MAPPING, false },
	{ "timeout", FLOW_INTEGER, false },
	{ "json", FLOW_ANY, false },
	{ "body", FLOW_STRING, false },
	{ "allow_redirects", FLOW_BOOL, false },
};

/* One request and its answer. */
struct visit {
	const struct flow_task *task;
	struct flow_result *result;
	json_t *request;
	char *body; /* of the answer */
	size_t size, room;
	struct flow_reply reply;
};

static enum flow_outcome fail(struct visit *visit, enum flow_outcome outcome, const char *format, ...) PRINTF_LIKE(3, 4);
static enum flow_outcome fail(struct visit *visit, enum flow_outcome outcome, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vsnprintf(visit->result->error, sizeof(visit->result->error), format, args);
	va_end(args);
	return outcome;
}

/* --- what is sent ----------------------------------------------------------------------------------------------------------------- */

/* A text without personal data, from malloc; NULL: it must not be sent. */
static char *redacted(const struct visit *visit, const char *text, size_t length)
{
	char *made = NULL;
	size_t size;
	return flow_redact(visit->task->config, text, length, &made, &size) ? NULL : made;
}

static void put_encoded(FILE *to, const char *text)
{
	for (const unsigned char *at = (const unsigned char *)text; *at; at++)
		if (isalnum(*at) || strchr("-._~", *at))
			(void)fputc(*at, to);
		else
			(void)fprintf(to, "%%%02X", *at);
}

/* A scalar as text, from malloc. */
static char *scalar(const json_t *value)
{
	if (json_is_string(value))
		return strdup(json_string_value(value));
	return json_is_object(value) || json_is_array(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}

static bool put_params(const struct visit *visit, FILE *to, const json_t *params, bool begun)
{
	const char *name;
	json_t *value;
	char before = begun ? '&' : '?';
	json_object_foreach((json_t *)params, name, value)
	{
		CLEANUP_FREE char *text = scalar(value);
		CLEANUP_FREE char *sent = text ? redacted(visit, text, strlen(text)) : NULL;
		CLEANUP_FREE char *named = redacted(visit, name, strlen(name));
		if (!sent || !named)
			return false;
		(void)fputc(before, to);
		put_encoded(to, named);
		(void)fputc('=', to);
		put_encoded(to, sent);
		before = '&';
	}
	return true;
}

/* The URL with its parameters; what follows the host is redacted, and written so that it stays a URL. */
static char *make_url(const struct visit *visit)
{
	const char *url = json_string_value(json_object_get(visit->task->parameters, "url")), *path = strstr(url, "://");
	char *made = NULL;
	size_t size;
	FILE *to = open_memstream(&made, &size);
	if (!to)
		return NULL;
	path = path ? path + 3 : url;
	path += strcspn(path, "/?#");
	size_t length = strcspn(path, "#");
	CLEANUP_FREE char *rest = redacted(visit, path, length);
	(void)fprintf(to, "%.*s", (int)(path - url), url);
	for (const char *at = rest; at && *at; at++)
		if (strchr("[]<>\"{}|\\^` ", *at))
			(void)fprintf(to, "%%%02X", (unsigned char)*at);
		else
			(void)fputc(*at, to);
	bool ok = rest &&
		  put_params(visit, to, json_object_get(visit->task->parameters, "params"), memchr(path, '?', length) != NULL);
	if (fclose(to) || !ok) {
		free(made);
		return NULL;
	}
	return made;
}

static enum flow_outcome set_headers(struct visit *visit, bool json)
{
	const char *name;
	json_t *value, *headers = json_object();
	json_object_foreach(json_object_get(visit->task->parameters, "headers"), name, value)
	{
		CLEANUP_FREE char *text = scalar(value);
		CLEANUP_FREE char *sent = text ? redacted(visit, text, strlen(text)) : NULL;
		json = json && strcasecmp(name, "Content-Type") != 0;
		/* A password would not survive redaction, and does not belong into a flow. */
		if (!sent || json_object_set_new(headers, name, json_string(sent))) {
			json_decref(headers);
			return fail(visit, FLOW_WRONG, "the value of field %.60s is no text", name);
		}
	}
	if (json)
		(void)json_object_set_new(headers, "Content-Type", json_string("application/json"));
	return json_object_set_new(visit->request, "headers", headers) ? fail(visit, FLOW_BROKEN, "out of memory") : FLOW_OK;
}

static enum flow_outcome set_body(struct visit *visit)
{
	const json_t *json = json_object_get(visit->task->parameters, "json"),
		     *body = json_object_get(visit->task->parameters, "body");
	CLEANUP_FREE char *text = NULL;
	if (json && body)
		return fail(visit, FLOW_WRONG, "a request has json or body, not both");
	if (json)
		text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	else if (body)
		text = strdup(json_string_value(body));
	if (!text)
		return json || body ? fail(visit, FLOW_BROKEN, "out of memory") : FLOW_OK;
	CLEANUP_FREE char *sent = redacted(visit, text, strlen(text));
	if (!sent || json_object_set_new(visit->request, "body", json_string(sent)))
		return fail(visit, FLOW_BROKEN, "the body cannot be redacted");
	return FLOW_OK;
}

static enum flow_outcome set_secret(struct visit *visit)
{
	const char *written = json_string_value(json_object_get(visit->task->settings, "bearer_token"));
	char name[128];
	if (!written)
		return FLOW_OK;
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(written + 2, "}"), written + 2);
	if (!getenv(name))
		return fail(visit, FLOW_WRONG, "the variable %s, which has the token, is not set", name);
	json_t *secrets = json_pack("{s:{s:s, s:s}}", "Authorization", "env", name, "prefix", "Bearer ");
	return json_object_set_new(visit->request, "secrets", secrets) ? fail(visit, FLOW_BROKEN, "out of memory") : FLOW_OK;
}

/* --- who may be asked ------------------------------------------------------------------------------------------------------------- */

static bool has_word(const struct flow_strings *strings, const char *word)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcasecmp(strings->words[i], word) == 0)
			return true;
	return false;
}

/* AKIOS's domains have no port, which means each. */
static bool add_domain(json_t *list, const char *domain)
{
	char pattern[PROXY_RULE_TEXT];
	const char *colon = strrchr(domain, ':');
	bool port = colon && (*domain != '[' || colon[-1] == ']');
	return snprintf(pattern, sizeof(pattern), "%s%s", domain, port ? "" : ":*") < (int)sizeof(pattern) &&
	       json_array_append_new(list, json_string(pattern)) == 0;
}

static enum flow_outcome set_hosts(struct visit *visit)
{
	const struct flow_config *config = visit->task->config;
	const json_t *own = json_object_get(visit->task->settings, "allowed_domains");
	json_t *allow = json_array(), *private = json_array(), *word;
	bool ok = allow && private;
	size_t index;
	json_array_foreach(own, index, word)
	{
		if (!has_word(&config->allowed_domains, json_string_value(word))) {
			json_decref(allow);
			json_decref(private);
			return fail(visit, FLOW_DENIED, "'%.100s' is none of config.yaml's allowed_domains",
				    json_string_value(word));
		}
		ok = ok && add_domain(allow, json_string_value(word));
	}
	for (size_t i = 0; !own && i < config->allowed_domains.count; i++)
		ok = ok && add_domain(allow, config->allowed_domains.words[i]);
	for (size_t i = 0; i < config->allowed_private.count; i++)
		ok = ok && json_array_append_new(private, json_string(config->allowed_private.words[i])) == 0;
	ok = json_object_set_new(visit->request, "allow", allow) == 0 && ok;
	ok = json_object_set_new(visit->request, "private", private) == 0 && ok;
	return ok ? FLOW_OK : fail(visit, FLOW_BROKEN, "out of memory");
}

/* --- the call --------------------------------------------------------------------------------------------------------------------- */

static enum flow_outcome make_request(struct visit *visit)
{
	static const char *const methods[][2] = { { "get", "GET" }, { "post", "POST" }, { "put", "PUT" }, { "delete", "DELETE" } };
	const char *method = "";
	CLEANUP_FREE char *url = make_url(visit);
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strcmp(visit->task->action, methods[i][0]) == 0)
			method = methods[i][1];
	if (!url)
		return fail(visit, FLOW_WRONG, "the URL's parameters are no texts");
	bool stay = json_is_false(json_object_get(visit->task->parameters, "allow_redirects"));
	visit->request = json_pack("{s:s, s:s, s:i, s:I}", "method", method, "url", url, "redirects", stay ? 0 : REDIRECTS,
				   "max_body", (json_int_t)visit->task->config->max_response_mb << 20);
	if (!visit->request)
		return fail(visit, FLOW_WRONG, "the URL is no UTF-8");
	enum flow_outcome outcome = set_hosts(visit);
	if (outcome == FLOW_OK)
		outcome = set_headers(visit, json_object_get(visit->task->parameters, "json") != NULL);
	if (outcome == FLOW_OK)
		outcome = set_secret(visit);
	return outcome == FLOW_OK ? set_body(visit) : outcome;
}

static int take_data(void *user, const char *bytes, size_t size)
{
	struct visit *visit = user;
	size_t wanted = visit->size + size;
	if (wanted > visit->room) {
		size_t room = wanted < 2 * visit->room ? 2 * visit->room : wanted;
		char *longer = realloc(visit->body, room);
		if (!longer)
			return -ENOMEM;
		visit->body = longer;
		visit->room = room;
	}
	memcpy(visit->body + visit->size, bytes, size);
	visit->size = wanted;
	return 0;
}

/* Waits for the request's turn. */
static enum flow_outcome wait_turn(struct visit *visit)
{
	const struct flow_task *task = visit->task;
	u64 due = rate_take(task->http_next, flow_clock(), (u64)task->config->http_requests_per_minute), now;
	if (due > task->deadline)
		return fail(visit, FLOW_TIME, "http_requests_per_minute leaves no time for the request");
	while ((now = flow_clock()) < due) {
		struct pollfd stop = { .fd = task->stop, .events = POLLIN };
		u64 ms = (due - now) / 1000000 + 1;
		if (poll(&stop, 1, ms > 60000 ? 60000 : (int)ms) > 0)
			return fail(visit, FLOW_STOPPED, "the run was stopped");
	}
	return FLOW_OK;
}

static enum flow_outcome ask(struct visit *visit)
{
	const struct flow_task *task = visit->task;
	const json_t *own = json_object_get(task->parameters, "timeout"),
		     *timeout = own ? own : json_object_get(task->settings, "timeout");
	s64 seconds = timeout ? json_integer_value(timeout) : TIMEOUT_SECONDS;
	const struct flow_call call = {
		.request = visit->request,
		.deadline = task->deadline,
		.timeout = (u64)(seconds > 3600 ? 3600 : seconds) * 1000000000u,
		.stop = task->stop,
		.data = take_data,
		.user = visit,
	};
	flow_call(&call, &visit->reply);
	visit->result->facts =
		json_pack("{s:I, s:I}", "http_status", (json_int_t)visit->reply.status, "bytes", (json_int_t)visit->size);
	if (visit->reply.outcome != FLOW_OK)
		return fail(visit, visit->reply.outcome, "%s", visit->reply.text);
	if (visit->reply.status < 200 || visit->reply.status >= 400)
		return fail(visit, FLOW_FAILED, "the server answers %ld", visit->reply.status);
	visit->result->output = visit->body;
	visit->result->size = visit->size;
	visit->body = NULL;
	return FLOW_OK;
}

static enum flow_outcome run(const struct flow_task *task, struct flow_result *result)
{
	struct visit visit = { .task = task, .result = result };
	enum flow_outcome outcome = FLOW_OK;
	if (!task->config->network_access_allowed)
		outcome = fail(&visit, FLOW_DENIED, "network_access_allowed is false in config.yaml");
	if (outcome == FLOW_OK)
		outcome = make_request(&visit);
	if (outcome == FLOW_OK)
		outcome = wait_turn(&visit);
	if (outcome == FLOW_OK)
		outcome = ask(&visit);
	json_decref(visit.request);
	free(visit.body);
	flow_reply_done(&visit.reply);
	return outcome;
}

static const struct flow_action actions[] = {
	{ "get", fields, ARRAY_SIZE(fields) },
	{ "post", fields, ARRAY_SIZE(fields) },
	{ "put", fields, ARRAY_SIZE(fields) },
	{ "delete", fields, ARRAY_SIZE(fields) },
};

const struct flow_agent flow_agent_http = {
	.name = "http",
	.settings = settings,
	.setting_count = ARRAY_SIZE(settings),
	.actions = actions,
	.action_count = ARRAY_SIZE(actions),
	.run = run,
};
