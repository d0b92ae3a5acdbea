/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of flows: always UTF-8, and without personal data where config.yaml has pii_redaction_enabled. */
#ifndef LICHEN_FLOW_FLOW_REDACT_H
#define LICHEN_FLOW_FLOW_REDACT_H

#include "flow/flow_config.h"

/* The text with what src/pii finds replaced by config's redaction_strategy; a copy when redaction is off. *ret: malloc'ed, NUL-terminated. 0, -ENOMEM, or as
 * pii_redactor_feed() says; then the text must not be used. */
int flow_redact(const struct flow_config *config, const char *text, size_t size, char **ret, size_t *ret_size) MUST_CHECK;
/* Bytes as UTF-8: what is none, and NUL, becomes U+FFFD. *ret: malloc'ed, NUL-terminated. 0 or -ENOMEM. */
int flow_text_clean(const char *bytes, size_t size, char **ret, size_t *ret_size) MUST_CHECK;

#endif
