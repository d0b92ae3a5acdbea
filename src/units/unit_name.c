/* SPDX-License-Identifier: Apache-2.0 */
/* Names of units. */
#include "units/unit_name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const types[] = { "service", "socket", "target", "mount",  "automount", "swap",
				     "path",    "timer",  "slice",  "device", "scope",     NULL };

static bool known_type(const char *type)
{
	size_t i = 0;

	while (types[i] && strcmp(types[i], type) != 0)
		i++;
	return types[i] != NULL;
}

int unit_name_parse(const char *text, struct unit_name *ret)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
	struct unit_name name = { 0 };
	size_t length = strlen(text), at;
	const char *dot = strrchr(text, '.');
	bool typed = dot && known_type(dot + 1);

	if (length + sizeof(".service") > sizeof(name.full) || strspn(text, allowed) != length || !length || *text == '.' ||
	    *text == '@')
		return -EINVAL;
	if (!typed)
		dot = text + length;
	(void)snprintf(name.full, sizeof(name.full), "%s%s", text, typed ? "" : ".service");
	at = strcspn(name.full, "@");
	if (at >= (size_t)(dot - text)) {
		memcpy(name.prefix, text, (size_t)(dot - text));
	} else {
		memcpy(name.prefix, text, at);
		memcpy(name.instance, text + at + 1, (size_t)(dot - text) - at - 1);
		name.is_template = !*name.instance;
		name.has_instance = *name.instance;
	}
	if (!*name.prefix)
		return -EINVAL;
	*ret = name;
	ret->type = ret->full + (dot - text) + 1;
	return 0;
}

void unit_name_template(const struct unit_name *name, char text[UNIT_NAME_MAX + 1])
{
	*text = '\0';
	if (name->has_instance)
		(void)snprintf(text, UNIT_NAME_MAX + 1, "%.240s@.%s", name->prefix, name->type);
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

void unit_name_unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++) {
		if (*at == '-') {
			*to++ = '/';
		} else if (*at == '\\' && at[1] == 'x' && hex(at[2]) >= 0 && hex(at[3]) >= 0) {
			*to++ = (char)(hex(at[2]) * 16 + hex(at[3]));
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}
