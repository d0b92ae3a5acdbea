/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Showing oneself to a registry that answered 401: Basic, or Bearer with a token that the token server of the challenge gives (Docker's
 * "Token Authentication Specification" and "OAuth2 Token Authentication": anonymous or with user and password by GET, with a refresh token
 * by POST). Credentials go only to the registry that they are kept for and to the token server that it names, over TLS or to loopback.
 */
#ifndef LICHEN_FETCH_TOKEN_H
#define LICHEN_FETCH_TOKEN_H

#include "fetch/endpoint.h"
#include "fetch/http.h"

#define TOKEN_ANSWER_MAX (1u << 20)
#define TOKEN_MAX 65536u

/*
 * Makes endpoint->authorization anew for reading its repository. Returns 0 or an exit status: unauthorized when there is nothing to show, or
 * when the token server refuses; network when it cannot be reached.
 */
int token_obtain(const struct http *http, struct endpoint *endpoint, const struct challenge *challenge, bool plain_http,
		 struct fetch_error *ret_error) MUST_CHECK;

/* The token in a token server's answer, on the heap; NULL when there is none, or one that cannot stand in a field. */
char *token_parse(const char *json, size_t size);

#endif
