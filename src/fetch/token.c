// SPDX-License-Identifier: Apache-2.0
/* Tokens and passwords for registries. */
#include "fetch/token.h"

#include <errno.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "fetch/credentials.h"

#define TOKEN_TRIES 3u

struct answer {
	char *text;
	size_t size;
};

static bool take_answer(struct exchange *exchange, long status, const void *data, size_t size)
{
	struct answer *answer = exchange->context;
	(void)status;
	if (size > TOKEN_ANSWER_MAX - answer->size)
		return false;
	char *longer = realloc(answer->text, answer->size + size + 1);
	if (!longer)
		return false;
	memcpy(longer + answer->size, data, size);
	answer->text = longer;
	answer->size += size;
	return true;
}

char *token_parse(const char *json, size_t size)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=";
	json_t *root = json_loadb(json, size, 0, NULL);
	const char *token = json_string_value(json_object_get(root, "token"));
	if (!token || !*token)
		token = json_string_value(json_object_get(root, "access_token"));
	size_t length = token ? strlen(token) : 0;
	char *made = NULL;
	if (length && length <= TOKEN_MAX && strspn(token, allowed) == length)
		made = strdup(token);
	json_decref(root);
	return made;
}

/* Appends NAME=VALUE to a query or form. */
static bool add_parameter(char **query, const char *name, const char *value)
{
	char *escaped = curl_easy_escape(NULL, value, (int)strlen(value));
	size_t before = *query ? strlen(*query) : 0, size = before + strlen(name) + (escaped ? strlen(escaped) : 0) + 3;
	char *longer = escaped ? malloc(size) : NULL;
	if (longer) {
		snprintf(longer, size, "%s%s%s=%s", *query ? *query : "", *query ? "&" : "", name, escaped);
		free(*query);
		*query = longer;
	}
	curl_free(escaped);
	return longer != NULL;
}

/* service, and each scope by itself: a field "scope" may hold several, separated by blanks. */
static char *make_query(const struct endpoint *endpoint, const struct challenge *challenge, const char *refresh_token)
{
	char scope[CHALLENGE_TEXT_MAX], *query = NULL, *rest = NULL;
	bool ok = !challenge->service[0] || add_parameter(&query, "service", challenge->service);
	if (challenge->scope[0])
		memcpy(scope, challenge->scope, sizeof(scope));
	else
		snprintf(scope, sizeof(scope), "repository:%s:pull", endpoint->name);
	if (refresh_token) {
		ok = ok && add_parameter(&query, "scope", scope) && add_parameter(&query, "client_id", "lichen") &&
		     add_parameter(&query, "grant_type", "refresh_token") && add_parameter(&query, "refresh_token", refresh_token);
	} else {
		for (char *one = strtok_r(scope, " ", &rest); one && ok; one = strtok_r(NULL, " ", &rest))
			ok = add_parameter(&query, "scope", one);
	}
	if (!ok) {
		free(query);
		query = NULL;
	}
	return query;
}

static int set_authorization(struct endpoint *endpoint, const char *scheme, const char *value, struct fetch_error *ret_error)
{
	size_t size = strlen(scheme) + strlen(value) + 2;
	char *made = malloc(size);
	if (!made)
		return fetch_fail_memory(ret_error);
	snprintf(made, size, "%s %s", scheme, value);
	free(endpoint->authorization);
	endpoint->authorization = made;
	endpoint->generation++;
	return 0;
}

/* What an answer of the token server means. `*ret_again`: a later try may succeed. */
static int judge_answer(const struct exchange *exchange, const struct answer *answer, struct endpoint *endpoint, bool *ret_again,
			struct fetch_error *ret_error)
{
	*ret_again = false;
	if (exchange->code == CURLE_PEER_FAILED_VERIFICATION)
		return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL,
				  "the certificate of %s, where %s gives tokens, is not trusted: %s", exchange->url,
				  endpoint->registry, exchange->problem);
	*ret_again = exchange->code != CURLE_OK || exchange->status >= 500 || exchange->status == 429;
	if (exchange->code != CURLE_OK)
		return fetch_fail(ret_error, LICHEN_FETCH_NETWORK, "cannot get a token for %s from %.200s: %s", endpoint->registry,
				  exchange->url, exchange->problem);
	if (*ret_again)
		return fetch_fail(ret_error, LICHEN_FETCH_NETWORK, "cannot get a token for %s: %.200s answers %ld",
				  endpoint->registry, exchange->url, exchange->status);
	if (exchange->status != 200)
		return fetch_fail(ret_error, exchange->status == 404 ? LICHEN_FETCH_PROTOCOL : LICHEN_FETCH_UNAUTHORIZED,
				  "%s gives no token for %s: its token server answers %ld", endpoint->registry, endpoint->name,
				  exchange->status);
	char *token = answer->text ? token_parse(answer->text, answer->size) : NULL;
	int error = token ? set_authorization(endpoint, "Bearer", token, ret_error)
			  : fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL, "the token server of %s answers without a token",
				       endpoint->registry);
	free(token);
	return error;
}

static int ask(const struct http *http, struct endpoint *endpoint, const char *url, const char *form, const char *authorization,
	       struct fetch_error *ret_error)
{
	int error = 0;
	bool again = true;
	for (unsigned attempt = 0; attempt < TOKEN_TRIES && again; attempt++) {
		struct answer answer = { NULL, 0 };
		struct exchange exchange = {
			.url = url, .form = form, .authorization = authorization, .body = take_answer, .context = &answer
		};
		struct timespec pause = { 0, 500000000L << attempt };
		pause.tv_sec = pause.tv_nsec / 1000000000L;
		pause.tv_nsec %= 1000000000L;
		if (http_run(http, &exchange))
			return fetch_fail_memory(ret_error);
		error = judge_answer(&exchange, &answer, endpoint, &again, ret_error);
		http_end(NULL, &exchange);
		if (answer.text)
			sodium_memzero(answer.text, answer.size);
		free(answer.text);
		if (again && attempt + 1 < TOKEN_TRIES)
			nanosleep(&pause, NULL);
	}
	return error;
}

static int bearer(const struct http *http, struct endpoint *endpoint, const struct challenge *challenge,
		  const struct credentials *shown, bool plain_http, struct fetch_error *ret_error)
{
	if (shown->registry_token)
		return endpoint->authorization ? fetch_fail(ret_error, LICHEN_FETCH_UNAUTHORIZED,
							    "%s refuses the registrytoken in %s", endpoint->registry, shown->source)
					       : set_authorization(endpoint, "Bearer", shown->registry_token, ret_error);
	if (!endpoint_url_allowed(challenge->realm, plain_http))
		return fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL,
				  "%s names %.200s as its token server, which is not asked: it is not https", endpoint->registry,
				  challenge->realm);
	CLEANUP_FREE char *query = make_query(endpoint, challenge, shown->identity_token);
	CLEANUP_FREE char *basic = shown->user && !shown->identity_token ? credentials_basic(shown) : NULL;
	if (!query || (shown->user && !shown->identity_token && !basic))
		return fetch_fail_memory(ret_error);
	if (shown->identity_token)
		return ask(http, endpoint, challenge->realm, query, NULL, ret_error);
	size_t size = strlen(challenge->realm) + strlen(query) + 2;
	CLEANUP_FREE char *url = malloc(size);
	if (!url)
		return fetch_fail_memory(ret_error);
	snprintf(url, size, "%s%c%s", challenge->realm, strchr(challenge->realm, '?') ? '&' : '?', query);
	return ask(http, endpoint, url, NULL, basic, ret_error);
}

static int nothing_to_show(const struct endpoint *endpoint, const struct credentials *shown, struct fetch_error *ret_error)
{
	if (shown->helper)
		return fetch_fail(
			ret_error, LICHEN_FETCH_UNAUTHORIZED,
			"%s wants a login, which %s leaves to %s; lichen runs no credential helper: put it under \"auths\"",
			endpoint->registry, shown->source, shown->helper);
	return fetch_fail(ret_error, LICHEN_FETCH_UNAUTHORIZED, "%s wants a login, and %s has none for it", endpoint->registry,
			  shown->source[0] ? shown->source : "no config.json");
}

int token_obtain(const struct http *http, struct endpoint *endpoint, const struct challenge *challenge, bool plain_http,
		 struct fetch_error *ret_error)
{
	struct credentials shown;
	int error = credentials_find(endpoint->registry, &shown, ret_error);

	if (!error && challenge->bearer) {
		error = bearer(http, endpoint, challenge, &shown, plain_http, ret_error);
		if (error == LICHEN_FETCH_UNAUTHORIZED && !shown.user && !shown.identity_token && !shown.registry_token)
			error = nothing_to_show(endpoint, &shown, ret_error);
	} else if (!error && challenge->basic && shown.user) {
		char *basic = credentials_basic(&shown);
		if (!basic)
			error = fetch_fail_memory(ret_error);
		else if (endpoint->authorization && strcmp(endpoint->authorization, basic) == 0)
			error = fetch_fail(ret_error, LICHEN_FETCH_UNAUTHORIZED, "%s refuses user and password in %s",
					   endpoint->registry, shown.source);
		else
			error = set_authorization(endpoint, "Basic", basic + strlen("Basic "), ret_error);
		free(basic);
	} else if (!error && challenge->basic) {
		error = nothing_to_show(endpoint, &shown, ret_error);
	} else if (!error) {
		error = fetch_fail(ret_error, LICHEN_FETCH_PROTOCOL,
				   "%s answers 401 and names no way to log in that lichen knows (Bearer, Basic)",
				   endpoint->registry);
	}
	credentials_done(&shown);
	return error;
}
