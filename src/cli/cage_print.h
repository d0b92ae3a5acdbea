/* SPDX-License-Identifier: Apache-2.0 */
/* What `lichen cage check` prints: a policy with all that it means, as YAML that is a policy again, or as JSON (docs/cage-json.md). */
#ifndef LICHEN_CLI_CAGE_PRINT_H
#define LICHEN_CLI_CAGE_PRINT_H

#include <jansson.h>
#include <stdio.h>

#include "cage/policy.h"

#define CAGE_NOTE 512u /* bytes of a sentence */

/* Hands over, one after another, what each layer is asked for. */
void cage_each_layer(const struct cage_policy *policy, void (*each)(void *arg, const char *layer, const char *asked), void *arg);
/* Hands over what may surprise: sentences. */
void cage_each_note(const struct cage_policy *policy, void (*each)(void *arg, const char *note), void *arg);

/* "none", "host" or "proxy". */
const char *cage_network_name(enum cage_network mode);
/* Writes the digest's 64 hexadecimal digits. Returns `to`. */
const char *cage_digest_text(const struct cage_policy *policy, char to[2 * CAGE_DIGEST + 1]);

void cage_print_policy(const struct cage_policy *policy, FILE *to);
/* The whole object. NULL: no memory. */
json_t *cage_policy_json(const struct cage_policy *policy) MUST_CHECK;
/* The same for one that was refused. */
json_t *cage_refusal_json(const char *name, const struct cage_policy_error *error) MUST_CHECK;

#endif
