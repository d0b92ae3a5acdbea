// SPDX-License-Identifier: Apache-2.0
/* What an image is called. Letters are ASCII whatever the locale is. */
#include "image/reference.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_word(char c)
{
	return is_lower(c) || is_upper(c) || is_digit(c) || c == '_';
}

bool digest_valid(const char *text)
{
	if (strncmp(text, "sha256:", 7) != 0 || strlen(text) != DIGEST_TEXT_LENGTH)
		return false;
	for (text += 7; *text; text++)
		if (!is_digit(*text) && !(*text >= 'a' && *text <= 'f'))
			return false;
	return true;
}

static bool port_valid(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits >= 1 && digits <= 5 && !text[digits];
}

/* HOST[:PORT]: a host is labels of letters, digits and inner hyphens, or an IPv6 address in brackets. */
static bool registry_valid(const char *text)
{
	const char *end;
	if (*text == '[') {
		size_t length = strspn(text + 1, "0123456789abcdefABCDEF:");
		end = text + 1 + length;
		return length >= 2 && *end == ']' && (!end[1] || (end[1] == ':' && port_valid(end + 2)));
	}
	char before = '.';
	for (end = text; *end && *end != ':'; before = *end++) {
		bool inner = *end == '-' && before != '.' && end[1] && end[1] != '.' && end[1] != ':';
		bool dot = *end == '.' && before != '.';
		if (!inner && !dot && (!is_word(*end) || *end == '_'))
			return false;
	}
	return before != '.' && (!*end || port_valid(end + 1));
}

/* Components of [a-z0-9]+, joined inside by one dot, one or two underscores or any hyphens, between slashes. */
static bool repository_valid(const char *text)
{
	for (bool inside = false; *text; inside = *text != '/', text += *text == '/') {
		size_t separators = strspn(text, "._-");
		if (separators) {
			bool one = separators == 1, two = separators == 2 && text[0] == '_' && text[1] == '_';
			if (!inside || !(one || two || strspn(text, "-") == separators))
				return false;
			text += separators;
		}
		size_t word = 0;
		while (is_lower(text[word]) || is_digit(text[word]))
			word++;
		if (!word)
			return false;
		text += word;
		if (*text == '/' && !text[1])
			return false;
	}
	return true;
}

static bool tag_valid(const char *text)
{
	if (!is_word(*text))
		return false;
	while (is_word(*text) || *text == '.' || *text == '-')
		text++;
	return !*text;
}

/* Does the name, up to its first slash, begin with a registry? */
static bool has_registry(const char *name, size_t length)
{
	if (length == 9 && memcmp(name, "localhost", 9) == 0)
		return true;
	for (size_t i = 0; i < length; i++)
		if (name[i] == '.' || name[i] == ':' || is_upper(name[i]))
			return true;
	return false;
}

/* Splits a name without tag and digest. */
static int parse_name(const char *name, struct image_reference *made, const char **ret_why)
{
	size_t first = strcspn(name, "/");
	const char *prefix = "", *rest = name;
	if (first > REFERENCE_NAME_MAX) {
		*ret_why = "the name is longer than 255 characters";
		return -EINVAL;
	}
	if (name[first] == '/' && has_registry(name, first)) {
		snprintf(made->registry, sizeof(made->registry), "%.*s", (int)first, name);
		rest = name + first + 1;
	}
	if (!made->registry[0] || strcmp(made->registry, "index.docker.io") == 0)
		snprintf(made->registry, sizeof(made->registry), "docker.io");
	if (strcmp(made->registry, "docker.io") == 0 && !strchr(rest, '/'))
		prefix = "library/";
	if (!registry_valid(made->registry))
		*ret_why = "the registry is no host name or address";
	else if (!*rest)
		*ret_why = "there is no name of a repository";
	else if (strlen(made->registry) + 1 + strlen(prefix) + strlen(rest) > REFERENCE_NAME_MAX)
		*ret_why = "the name is longer than 255 characters";
	else if (!repository_valid(rest))
		*ret_why = "a repository is lowercase letters and digits, with . _ - / between them";
	else
		return snprintf(made->repository, sizeof(made->repository), "%s%s", prefix, rest) < (int)sizeof(made->repository)
			     ? 0
			     : -EINVAL;
	return -EINVAL;
}

int image_reference_parse(const char *text, struct image_reference *ret_reference, const char **ret_why)
{
	struct image_reference made = { .registry = "" };
	char name[REFERENCE_TEXT_MAX + 1];
	if (strlen(text) > REFERENCE_TEXT_MAX) {
		*ret_why = "it is too long";
		return -EINVAL;
	}
	memcpy(name, text, strlen(text) + 1);
	char *at = strchr(name, '@');
	if (at) {
		*at++ = '\0';
		if (!digest_valid(at)) {
			*ret_why = "a digest is sha256: and 64 digits of lowercase hexadecimal";
			return -EINVAL;
		}
		memcpy(made.digest, at, sizeof(made.digest));
	}
	char *colon = strrchr(name, ':');
	if (colon && !strchr(colon, '/')) {
		*colon++ = '\0';
		if (strlen(colon) > REFERENCE_TAG_MAX || !tag_valid(colon)) {
			*ret_why = "a tag is at most 128 letters, digits, _ . and -, and begins with none of the last two";
			return -EINVAL;
		}
		memcpy(made.tag, colon, strlen(colon) + 1);
	} else if (!at) {
		memcpy(made.tag, "latest", sizeof("latest"));
	}
	int error = parse_name(name, &made, ret_why);
	if (!error)
		*ret_reference = made;
	return error;
}

/* Appends a text that fits by the sizes of its fields. */
static char *append(char *to, const char *mark, const char *text)
{
	if (!*text)
		return to;
	size_t mark_length = strlen(mark), length = strlen(text);
	memcpy(to, mark, mark_length);
	memcpy(to + mark_length, text, length + 1);
	return to + mark_length + length;
}

const char *image_reference_text(const struct image_reference *reference, char text[REFERENCE_TEXT_MAX + 1])
{
	char *end = append(text, "", reference->registry);
	end = append(end, "/", reference->repository);
	end = append(end, ":", reference->tag);
	append(end, "@", reference->digest);
	return text;
}
