// SPDX-License-Identifier: Apache-2.0
/* The grammar of a policy's strings. docs/cage-policy.schema.json has each as a regular expression; tests/unit/check_cage_schema.py compares. */
#include <errno.h>
#include <string.h>

#include "cage/policy_int.h"

#define DIGITS "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define NAME_MAX_BYTES 64u

static const char path_due[] = "a path (/…, ~/…, ./… or ../…, without *, ?, control characters, and .. only in front)";

static bool has_control(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20)
			return true;
	return false;
}

/* Is there a component ".."? */
static bool has_parent(const char *text)
{
	for (;;) {
		size_t length = strcspn(text, "/");
		if (length == 2 && text[0] == '.' && text[1] == '.')
			return true;
		if (!text[length])
			return false;
		text += length + 1;
	}
}

const char *policy_wrong_path(const char *text)
{
	size_t front = 0;
	if (strpbrk(text, "*?") || has_control(text))
		return path_due;
	if (strcmp(text, "~") == 0 || strcmp(text, ".") == 0)
		return NULL;
	while (strncmp(text, "../", 3) == 0)
		text += 3, front++;
	if (strcmp(text, "..") == 0)
		return NULL;
	if (!front && text[0] != '/' && strncmp(text, "~/", 2) != 0 && strncmp(text, "./", 2) != 0)
		return path_due;
	return has_parent(text) ? path_due : NULL;
}

/* A number without a 0 in front, of one to `most` digits. Returns what follows it, or NULL. */
static const char *skip_number(const char *text, size_t most)
{
	size_t digits = strspn(text, DIGITS);
	return digits == 0 || digits > most || (text[0] == '0' && digits > 1) ? NULL : text + digits;
}

const char *policy_wrong_target(const char *text)
{
	static const char due[] = "a target (name:port, *.domain:port, address:port; a port may be *)";
	size_t host = strspn(text, DIGITS LETTERS "-.*/[]:");
	const char *colon = strrchr(text, ':');
	const char *end = colon && colon > text && colon[1] != '0' ? skip_number(colon + 1, 5) : NULL;
	bool any = colon && colon > text && strcmp(colon, ":*") == 0;
	return !text[host] && (any || (end && !*end)) ? NULL : due;
}

const char *policy_wrong_call(const char *text)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz" DIGITS "_");
	return length && length <= NAME_MAX_BYTES && !text[length] ? NULL : "the name of a system call";
}

/* [A-Za-z_][A-Za-z0-9_]*, and what follows it. */
static const char *skip_name(const char *text)
{
	return strchr(DIGITS, *text) ? text : text + strspn(text, LETTERS DIGITS "_");
}

const char *policy_wrong_name(const char *text)
{
	const char *end = skip_name(text);
	return end > text && !*end ? NULL : "the name of a variable";
}

const char *policy_wrong_pattern(const char *text)
{
	const char *end = skip_name(text);
	return end > text && (!*end || strcmp(end, "*") == 0) ? NULL : "the name of a variable, or how names begin and a *";
}

const char *policy_wrong_user(const char *text)
{
	const char *end = skip_number(text, 10);
	end = end && *end == ':' ? skip_number(end + 1, 10) : NULL;
	return end && !*end ? NULL : "UID:GID in numbers";
}

/* --- report.quiet --------------------------------------------------------------------------------------------------------------------- */

enum object {
	PATH,
	TARGET,
	NAME,
};

static const struct {
	const char *name;
	enum object object;
} denied[] = {
#define DENIED(name, text, object) { text, object },
#include "cage/denied.def"
#undef DENIED
};

const char *cage_denied_name(enum cage_denied what)
{
	return denied[what].name;
}

bool policy_denied_path(enum cage_denied what)
{
	return denied[what].object == PATH;
}

int policy_split_quiet(const char *text, const char **ret_object)
{
	size_t length = strcspn(text, " ");
	for (int i = 0; i < CAGE_DENIED_COUNT && text[length]; i++) {
		if (strlen(denied[i].name) != length || strncmp(denied[i].name, text, length) != 0)
			continue;
		*ret_object = text + length + 1;
		return i;
	}
	return -EINVAL;
}

const char *policy_wrong_quiet(const char *text)
{
	static const char due[] = "WHAT and an object, as 'lichen: denied' tells them (fs.write /etc/x)";
	const char *object = NULL;
	int what = policy_split_quiet(text, &object);
	if (what < 0 || !*object || *object == ' ' || has_control(object))
		return due;
	if (denied[what].object == PATH)
		return policy_wrong_path(object);
	if (denied[what].object == NAME)
		return NULL;
	for (; *object; object++)
		if (*object <= ' ' || *object > '~')
			return due;
	return NULL;
}
