// SPDX-License-Identifier: Apache-2.0
/* Addresses of the network: e-mail, IPv4, IPv6, hardware; and passwords in URLs. */
#include <string.h>

#include "pii/pii_int.h"

#define LOCAL_MAX 64u   /* RFC 5321 section 4.5.3.1.1 */
#define DOMAIN_MAX 255u /* RFC 5321 section 4.5.3.1.2 */
#define LABEL_MAX 63u

/* --- e-mail --------------------------------------------------------------------------------------------------------------------------- */

/* RFC 5321 atext without what is rather a delimiter in running text; and bytes of UTF-8 (RFC 6531). */
static bool is_local(int c)
{
	return is_word(c) || c == '.' || c == '_' || c == '-' || c == '+' || c == '%' || c == '\'' || c == '&' || c == '~' ||
	       c == '!' || c == '#' || c == '$' || c == '*' || c == '^' || c >= 0x80;
}

static size_t local_start(const struct view *view, size_t at)
{
	size_t start = at;
	while (at - start < LOCAL_MAX && is_local(view_before(view, start, 1)))
		start--;
	if (at - start == LOCAL_MAX && is_local(view_before(view, start, 1)))
		return at;
	/* A quote or a dot may stand before it, a byte in the middle of a character may not. */
	while (start < at && (!is_word(view->text[start]) && view->text[start] != '_' && view->text[start] < 0xc0))
		start++;
	return view_before(view, at, 1) == '.' ? at : start;
}

/* Names of files like photo@2x.png are no addresses: these are no top-level domains. */
static bool is_file_suffix(const char *label)
{
	static const char suffixes[] =
		" png jpg jpeg gif svg webp ico bmp tiff css js jsx tsx mjs html htm xml json yaml yml toml txt pdf exe dll "
		"log conf cfg ini local lan internal localdomain service socket timer target mount lib jar php asp aspx ";
	char word[LABEL_MAX + 3];
	size_t size = strlen(label);
	word[0] = ' ';
	memcpy(word + 1, label, size);
	memcpy(word + 1 + size, " ", 2);
	return strstr(suffixes, word) != NULL;
}

/* The domain's labels; returns the position behind it, or 0 when it is none. */
static size_t domain_end(struct view *view, size_t at)
{
	size_t start = at, label = at, end = 0;
	for (;; at++) {
		int c = view_at(view, at);
		if ((is_word(c) || c == '-' || c >= 0x80) && at - label < LABEL_MAX && at - start < DOMAIN_MAX)
			continue;
		bool whole = at > label && view->text[label] != '-' && view->text[at - 1] != '-';
		if (label > start && at > label && view->text[label] != '-') {
			/* The last label so far: two letters and more, or punycode. */
			char name[LABEL_MAX + 1];
			size_t size = at - label;
			bool letters = size >= 2;
			while (size > 0 && view->text[label + size - 1] == '-')
				size--;
			for (size_t i = 0; i < size; i++) {
				name[i] = (char)to_lower(view->text[label + i]);
				letters &= is_letter(name[i]) || (u8)name[i] >= 0x80;
			}
			name[size] = '\0';
			if ((letters && size >= 2 && !is_file_suffix(name)) || strncmp(name, "xn--", 4) == 0)
				end = label + size;
			else if (c != '.')
				end = 0;
		}
		if (c != '.' || !whole)
			return end;
		label = at + 1;
		if (!is_word(view_at(view, label)) && view_at(view, label) < 0x80)
			return end;
	}
}

unsigned match_email(struct candidate *c)
{
	size_t at = c->trigger;
	c->match_start = local_start(c->view, at);
	if (c->match_start == at)
		return 0;
	c->match_end = domain_end(c->view, at + 1);
	return c->match_end ? 90 : 0;
}

/* --- passwords in URLs: scheme://user:PASSWORD@host ----------------------------------------------------------------------------------- */

#define USERINFO_MAX 512u

unsigned match_url_password(struct candidate *c)
{
	struct view *view = c->view;
	size_t colon = 0, end = 0, at = c->trigger + 3;
	if (view_at(view, c->trigger + 1) != '/' || view_at(view, c->trigger + 2) != '/' ||
	    !is_word(view_before(view, c->trigger, 1)))
		return 0;
	/* Up to the last '@': in the password one may have been written as %40. */
	for (; at - c->trigger < USERINFO_MAX; at++) {
		int byte = view_at(view, at);
		if (byte <= ' ' || byte == '/' || byte == '?' || byte == '#' || byte == '"' || byte == '<' || byte == '>' ||
		    byte == '\\' || byte == ',')
			break;
		if (byte == '@')
			end = at;
		if (byte == ':' && !colon)
			colon = at;
	}
	int host = end ? view_at(view, end + 1) : -1;
	if (!colon || end < colon + 2 || (!is_word(host) && host != '[' && host != '$' && host != '{'))
		return 0;
	c->match_start = colon + 1;
	c->match_end = end;
	/* A place for a password is none: ${PASSWORD}, <password>, ***. */
	u8 first = view->text[colon + 1];
	return first == '$' || first == '{' || first == '*' || first == '[' || first == ']' ? 0 : 92;
}

/* --- IPv4 ----------------------------------------------------------------------------------------------------------------------------- */

/* The word right before it says that it is a version or the like: "version": "1.2.3.4". A word farther off says nothing: build host 10.0.0.7. */
static bool is_numbering(const struct view *view, size_t start)
{
	static const char words[][10] = { "version",  "versions", "release", "ver",     "build", "rev",
					  "revision", "oid",      "section", "chapter", "clause" };
	size_t at = start;
	for (int byte; start - at < 5 && (byte = view_before(view, at, 1)) > 0 && strchr(" :=.\"'#*(", byte);)
		at--;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t size = strlen(words[i]), same = 0;
		while (same < size && to_lower(view_before(view, at, same + 1)) == words[i][size - same - 1])
			same++;
		int first = view_before(view, at, size), before = view_before(view, at, size + 1);
		if (same == size && (!is_letter(before) || (is_upper(first) && !is_upper(before))))
			return true;
	}
	return false;
}

/* Chrome/124.0.0.0 (RFC 9110 section 10.1.5); not host/10.0.0.1. */
static bool is_product(const struct candidate *c)
{
	const u8 *rest = c->digits + c->sizes[0];
	return view_before(c->view, c->start, 1) == '/' && is_letter(view_before(c->view, c->start, 2)) &&
	       c->count == c->sizes[0] + 3 && rest[0] + rest[1] + rest[2] == 0;
}

unsigned match_ipv4(struct candidate *c)
{
	unsigned at = 0;
	const u8 *text = c->view->text + c->start;
	if (c->groups != 4 || c->separator != '.' || c->plus || c->paren)
		return 0;
	for (unsigned group = 0; group < 4; group++) {
		/* 5.5.9(9 */
		if (group > 0 && text[at + group - 1] != '.')
			return 0;
		unsigned value = 0;
		if (c->sizes[group] > 3 || (c->sizes[group] > 1 && c->digits[at] == 0))
			return 0;
		for (unsigned i = 0; i < c->sizes[group]; i++)
			value = value * 10 + c->digits[at++];
		if (value > 255)
			return 0;
	}
	return is_numbering(c->view, c->start) || is_product(c) ? 0 : 75;
}

/* --- IPv6 ----------------------------------------------------------------------------------------------------------------------------- */

static bool is_ipv6(int c)
{
	return is_hex(c) || c == ':';
}

/* Reads the dotted tail of ::ffff:192.0.2.1, which begins at `at`. Returns the position behind it, or 0. */
static size_t dotted_tail(struct view *view, size_t at)
{
	for (unsigned group = 0; group < 4; group++) {
		unsigned value = 0, digits = 0;
		for (; is_digit(view_at(view, at)) && digits < 4; at++, digits++)
			value = value * 10 + (unsigned)(view->text[at] - '0');
		if (digits == 0 || digits > 3 || value > 255 || (group < 3 && view_at(view, at++) != '.'))
			return 0;
	}
	return at;
}

/* Counts groups from `at`; a dotted tail counts two. Returns the position behind the address, or 0 when there is none. */
static size_t ipv6_end(struct view *view, size_t at, unsigned *ret_groups, bool *ret_short)
{
	unsigned groups = 0;
	bool shortened = view_at(view, at) == ':';
	if (shortened && view_at(view, at + 1) != ':')
		return 0;
	at += shortened ? 2 : 0;
	while (groups <= 8) {
		size_t start = at;
		while (at - start < 5 && is_hex(view_at(view, at)))
			at++;
		if (at - start > 4)
			return 0;
		if (view_at(view, at) == '.' && at > start && (shortened || groups == 6)) {
			size_t end = dotted_tail(view, start);
			*ret_groups = groups + 2;
			*ret_short = shortened;
			if (end)
				return end;
		}
		groups += at > start;
		if (view_at(view, at) != ':' || at == start)
			break;
		if (view_at(view, at + 1) == ':') {
			if (shortened)
				return 0;
			shortened = true;
			at += 2;
		} else if (is_hex(view_at(view, at + 1))) {
			at++;
		} else {
			break;
		}
	}
	*ret_groups = groups;
	*ret_short = shortened;
	return at;
}

unsigned match_ipv6(struct candidate *c)
{
	struct view *view = c->view;
	size_t start = c->trigger;
	unsigned groups = 0;
	bool shortened = false;
	while (c->trigger - start < 4 && is_hex(view_before(view, start, 1)))
		start--;
	/* The first colon of the address is the trigger. What is a word before it is none. */
	int before = view_before(view, start, 1);
	if (is_ipv6(before) || is_word(before) || before == '_' || before == '.' || (before == ':' && start > view->begin))
		return 0;
	int next = view_at(view, c->trigger + 1);
	if (!is_ipv6(next))
		return 0;
	size_t end = ipv6_end(view, start, &groups, &shortened);
	if (end < c->trigger + 2 || (shortened ? groups > 7 : groups != 8))
		return 0;
	int after = view_at(view, end);
	if (is_word(after) || after == '_' || (after == ':' && is_ipv6(view_at(view, end + 1))))
		return 0;
	/* ::, ::1 and a word's two colons (std::, a::b) are nobody's address. */
	if (shortened && (groups < 2 || (groups < 3 && end - start < 7)))
		return 0;
	c->match_start = start;
	c->match_end = end;
	return 80;
}

/* --- hardware addresses --------------------------------------------------------------------------------------------------------------- */

/* All zero and all one are nobody's. */
static bool is_somebodys(const struct view *view, size_t start, size_t end)
{
	bool zero = true, one = true;
	for (size_t i = start; i < end; i++) {
		zero &= !is_hex(view->text[i]) || view->text[i] == '0';
		one &= !is_hex(view->text[i]) || to_lower(view->text[i]) == 'f';
	}
	return !zero && !one;
}

/* Six groups of two: aa:bb:cc:dd:ee:ff, aa-bb-cc-dd-ee-ff. */
unsigned match_mac(struct candidate *c)
{
	struct view *view = c->view;
	int separator = view->text[c->trigger];
	if (!is_hex(view_before(view, c->trigger, 1)) || !is_hex(view_before(view, c->trigger, 2)) ||
	    view_at(view, c->trigger + 3) != separator)
		return 0;
	size_t start = c->trigger - 2;
	int before = view_before(view, start, 1);
	if (is_word(before) || before == separator || before == '_')
		return 0;
	for (unsigned group = 0; group < 6; group++) {
		size_t at = start + group * 3;
		if (!is_hex(view_at(view, at)) || !is_hex(view_at(view, at + 1)) ||
		    (group < 5 && view_at(view, at + 2) != separator))
			return 0;
	}
	c->match_start = start;
	c->match_end = start + 17;
	int after = view_at(view, c->match_end);
	if (is_word(after) || (after == separator && is_hex(view_at(view, c->match_end + 1))) || after == '_')
		return 0;
	return is_somebodys(view, start, c->match_end) ? 85 : 0;
}

/* Three groups of four: aabb.ccdd.eeff. */
unsigned match_mac_dotted(struct candidate *c)
{
	struct view *view = c->view;
	bool letter = false;
	if (view_at(view, c->trigger + 5) != '.' || !is_hex(view_before(view, c->trigger, 4)))
		return 0;
	size_t start = c->trigger - 4;
	int before = view_before(view, start, 1);
	if (is_word(before) || before == '.' || before == '_')
		return 0;
	for (unsigned i = 0; i < 14; i++) {
		int byte = view_at(view, start + i);
		if (i % 5 == 4 ? byte != '.' : !is_hex(byte))
			return 0;
		letter |= is_letter(byte);
	}
	c->match_start = start;
	c->match_end = start + 14;
	int after = view_at(view, c->match_end);
	if (is_word(after) || (after == '.' && is_word(view_at(view, c->match_end + 1))))
		return 0;
	return letter && is_somebodys(view, start, c->match_end) ? 80 : 0;
}
