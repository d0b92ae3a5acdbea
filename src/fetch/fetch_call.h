/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `lichen-fetch call`: one HTTP exchange for lichen, which opens no connection itself. The request comes as JSON (call_request.h); the answer leaves as it comes,
 * so that the caller can end it at any byte by ending this process:
 *
 *     {"event": "answer", "status": 200, "headers": [[NAME, VALUE], …]}\n
 *     {"event": "data", "size": N}\n and N bytes of the body; again and again
 *     {"event": "end"}\n
 *
 * or at any place, as the last
 *
 *     {"event": "error", "kind": KIND, "message": TEXT, "sent": BOOL}\n
 *
 * KIND is usage, denied (a host or address that the request does not allow), network, timeout, protocol (a malformed or too long answer, a certificate
 * that is not trusted) or internal. `sent`: the server may have seen the request.
 *
 * A name is judged before it is resolved, and each address when its socket is made: what was judged is what is dialled. Proxies of the environment
 * are not used, since they would resolve and dial by themselves.
 */
#ifndef LICHEN_FETCH_FETCH_CALL_H
#define LICHEN_FETCH_FETCH_CALL_H

#include "fetch/fetch_error.h"

#define CALL_FIELDS_MAX 65536 /* bytes of the answer's header */

/* Reads a request from one descriptor and writes the answer to the other. Returns the exit status. */
int call_run(int in, int out, struct fetch_error *ret_error) MUST_CHECK;

#endif
