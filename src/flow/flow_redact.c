// SPDX-License-Identifier: Apache-2.0
/* Redaction of whole texts by src/pii, and what is no UTF-8. */
#include "flow/flow_redact.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pii/redact.h"

/* --- redaction -------------------------------------------------------------------------------------------------------------------------- */

static int add(void *user, const void *bytes, size_t size)
{
	return fwrite(bytes, 1, size, user) == size ? 0 : -ENOMEM;
}

static int redact_into(const struct flow_config *config, const char *text, size_t size, FILE *to)
{
	const struct pii_options options = { .entities = pii_set_all() };
	struct pii_redaction redaction = { .strategy = PII_MASK };
	struct pii_redactor *redactor;

	if (strcmp(config->redaction_strategy, "remove") == 0)
		redaction.strategy = PII_REMOVE;
	if (strcmp(config->redaction_strategy, "hash") == 0)
		redaction = (struct pii_redaction){ PII_HASH, config->redaction_key, sizeof(config->redaction_key) };
	int r = pii_redactor_new(&options, &redaction, add, to, &redactor);
	if (r < 0)
		return r;
	r = pii_redactor_feed(redactor, text, size);
	if (r == 0)
		r = pii_redactor_finish(redactor);
	pii_redactor_free(redactor);
	return r;
}

int flow_redact(const struct flow_config *config, const char *text, size_t size, char **ret, size_t *ret_size)
{
	char *made = NULL;
	size_t made_size = 0;
	FILE *to = open_memstream(&made, &made_size);
	int r = 0;

	if (!to)
		return -ENOMEM;
	if (size > 0)
		r = config->pii_redaction_enabled ? redact_into(config, text, size, to) : add(to, text, size);
	if (fclose(to) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0) {
		free(made);
		return r;
	}
	*ret = made;
	*ret_size = made_size;
	return 0;
}

/* --- UTF-8 ------------------------------------------------------------------------------------------------------------------------------ */

/* Bytes of the character at a place (RFC 3629); 0: there is none. */
static size_t character(const u8 *at, size_t left)
{
	size_t size = *at < 0x80 ? 1 : *at >= 0xc2 && *at < 0xe0 ? 2 : (*at & 0xf0) == 0xe0 ? 3 : *at >= 0xf0 && *at < 0xf5 ? 4 : 0;

	if (size == 0 || size > left || *at == 0)
		return 0;
	for (size_t i = 1; i < size; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) || (*at == 0xf0 && at[1] < 0x90) ||
	    (*at == 0xf4 && at[1] > 0x8f))
		return 0;
	return size;
}

int flow_text_clean(const char *bytes, size_t size, char **ret, size_t *ret_size)
{
	const u8 *from = (const u8 *)bytes;
	size_t bad = 0, used = 0;
	char *to;

	for (size_t at = 0, n; at < size; at += n ? n : 1) {
		n = character(from + at, size - at);
		bad += n == 0;
	}
	to = malloc(size + 2 * bad + 1);
	if (!to)
		return -ENOMEM;
	for (size_t at = 0, n; at < size; at += n ? n : 1) {
		n = character(from + at, size - at);
		memcpy(to + used, n ? bytes + at : "\xef\xbf\xbd", n ? n : 3);
		used += n ? n : 3;
	}
	to[used] = '\0';
	*ret = to;
	*ret_size = used;
	return 0;
}
