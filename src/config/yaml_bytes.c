// SPDX-License-Identifier: Apache-2.0
/* The bytes of a document, before YAML: UTF-8 of characters that no reader of YAML takes for a line's end, and what is said of a place. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/tame.h"
#include "config/yaml_strict_int.h"

/* What a document says reaches terminals as text alone, so that an error can be printed as one line. */
__attribute__((format(printf, 4, 0))) static int refuse_va(u32 line, u32 column, struct yaml_error *error, const char *format,
							   va_list args)
{
	error->line = line;
	error->column = column;
	(void)vsnprintf(error->text, sizeof(error->text), format, args);
	tame(error->text);
	return -EINVAL;
}

int yaml_refuse_at(u32 line, u32 column, struct yaml_error *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int r = refuse_va(line, column, error, format, args);
	va_end(args);
	return r;
}

int yaml_refuse(const struct yaml_node *node, struct yaml_error *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int r = refuse_va(node ? node->line : 0, node ? node->column : 0, error, format, args);
	va_end(args);
	return r;
}

/* Decodes one character (RFC 3629). Returns its bytes; 0: this is no UTF-8. */
static size_t decode(const u8 *at, size_t left, u32 *ret)
{
	static const u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t size = at[0] < 0x80 ? 1 : (at[0] & 0xe0) == 0xc0 ? 2 : (at[0] & 0xf0) == 0xe0 ? 3 : (at[0] & 0xf8) == 0xf0 ? 4 : 0;
	if (size == 0 || size > left)
		return 0;
	u32 character = size == 1 ? at[0] : at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (at[i] & 0x3fu);
	}
	if (character < least[size] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret = character;
	return size;
}

/* What is wrong with a character; NULL: nothing. */
static const char *judge(u32 character, bool first)
{
	if (character == 0)
		return "a NUL character is not allowed";
	if (character == '\t' || character == '\n' || character == '\r')
		return NULL;
	if (character < 0x20 || (character >= 0x7f && character < 0xa0))
		return "a control character is not allowed";
	if (character == 0x2028 || character == 0x2029) /* a line's end for readers of YAML 1.1 */
		return "a line or paragraph separator (U+2028, U+2029) is not allowed";
	if (character == 0xfeff && !first)
		return "a byte order mark is not allowed";
	return (character & 0xfffe) == 0xfffe ? "this is no character of Unicode" : NULL;
}

int yaml_check_bytes(const char *data, size_t length, struct yaml_error *error)
{
	const u8 *bytes = (const u8 *)data;
	u32 line = 1, column = 1, character = 0;
	if (length > YAML_BYTES_MAX)
		return yaml_refuse_at(0, 0, error, "it has more than 1 MiB");
	for (size_t at = 0; at < length;) {
		size_t size = decode(bytes + at, length - at, &character);
		const char *wrong = size ? judge(character, at == 0) : "this is no UTF-8";
		if (wrong)
			return yaml_refuse_at(line, column, error, "%s", wrong);
		at += size;
		bool ends = character == '\n' || (character == '\r' && (at == length || bytes[at] != '\n'));
		line += ends;
		column = ends ? 1 : column + 1;
	}
	return 0;
}
