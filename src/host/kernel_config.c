// SPDX-License-Identifier: Apache-2.0
/* Reads a kernel's configuration. Its lines: Documentation/kbuild/kconfig.rst; gzip: RFC 1952, by zlib. */
#include "host/kernel_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/cleanup.h"
#include "base/read_bytes.h"

static bool name_byte(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Whether a line of `length` bytes begins with `start`. */
static bool begins(const char *line, size_t length, const char *start)
{
	size_t n = strlen(start);
	return length >= n && memcmp(line, start, n) == 0;
}

static size_t name_length(const char *name, const char *end)
{
	size_t length = 0;
	while (name + length < end && name_byte(name[length]))
		length++;
	return length;
}

/* Takes one line. Returns 1 when it is about an option, 0 for a comment or an empty line, -EINVAL for anything else. */
static int parse_line(const char *line, size_t length, struct config_line *ret_line)
{
	static const char set[] = "CONFIG_", unset[] = "# CONFIG_", is_not_set[] = " is not set";
	const char *end = line + length;
	if (begins(line, length, unset)) {
		const char *name = line + sizeof(unset) - 1;
		size_t n = name_length(name, end);
		if (n == 0 || (size_t)(end - name) - n != sizeof(is_not_set) - 1 ||
		    !begins(name + n, (size_t)(end - name) - n, is_not_set))
			return 0; /* a comment that happens to begin so */
		*ret_line = (struct config_line){ name, (u32)n, CONFIG_OFF };
		return 1;
	}
	if (length == 0 || *line == '#')
		return 0;
	if (!begins(line, length, set))
		return -EINVAL;
	const char *name = line + sizeof(set) - 1;
	size_t n = name_length(name, end);
	if (n == 0 || name + n == end || name[n] != '=')
		return -EINVAL;
	const char *value = name + n + 1;
	bool off = value == end || *value == 'n';
	*ret_line = (struct config_line){ name, (u32)n, off ? CONFIG_OFF : *value == 'm' ? CONFIG_MODULE : CONFIG_ON };
	return 1;
}

static int compare_names(const struct config_line *a, const char *name, size_t length)
{
	size_t n = a->length < length ? a->length : length;
	int order = memcmp(a->name, name, n);
	return order ? order : (a->length > length) - (a->length < length);
}

/* By name, then by place in the text. */
static int compare_lines(const void *a, const void *b)
{
	const struct config_line *left = a, *right = b;
	int order = compare_names(left, right->name, right->length);
	return order ? order : (left->name > right->name) - (left->name < right->name);
}

static int parse_lines(struct kernel_config *config, size_t size, unsigned *ret_line)
{
	const char *end = config->text + size;
	unsigned number = 0;
	size_t room = 0;
	for (const char *line = config->text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);
		number++;
		while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == ' ' || line[length - 1] == '\t'))
			length--;
		if (config->line_count == room) {
			room = room ? room * 2 : 4096;
			struct config_line *more = reallocarray(config->lines, room, sizeof(*more));
			if (!more)
				return -ENOMEM;
			config->lines = more;
		}
		int kind = parse_line(line, length, &config->lines[config->line_count]);
		if (kind < 0) {
			*ret_line = number;
			return kind;
		}
		config->line_count += (size_t)kind;
		if (begins(line, length, "# Automatically generated file; DO NOT EDIT.") ||
		    begins(line, length, "CONFIG_CC_VERSION_TEXT="))
			config->whole = true;
		line = newline ? newline + 1 : end;
	}
	return config->line_count ? 0 : -ENOMSG;
}

int kernel_config_parse(char *text, size_t size, struct kernel_config *ret_config, unsigned *ret_line)
{
	struct kernel_config config = { .text = text };
	int error = size && memchr(text, '\0', size) ? -EILSEQ : parse_lines(&config, size, ret_line);
	if (error) {
		kernel_config_done(&config);
		return error;
	}
	qsort(config.lines, config.line_count, sizeof(*config.lines), compare_lines);
	*ret_config = config;
	return 0;
}

void kernel_config_done(struct kernel_config *config)
{
	free(config->lines);
	free(config->text);
	*config = (struct kernel_config){ 0 };
}

int kernel_config_expand(const u8 *data, size_t size, char **ret_text, size_t *ret_size)
{
	z_stream stream = { .next_in = (u8 *)(uintptr_t)data, .avail_in = (unsigned)size };
	size_t room = 512 * 1024, used = 0;
	CLEANUP_FREE char *text = NULL;
	int error = inflateInit2(&stream, 15 + 16) == Z_OK ? 0 : -ENOMEM; /* 16: gzip, not zlib */
	if (error)
		return error;
	for (int state = Z_OK; !error && state != Z_STREAM_END;) {
		char *more = realloc(text, room);
		if (!more) {
			error = -ENOMEM;
			break;
		}
		text = more;
		stream.next_out = (u8 *)text + used;
		stream.avail_out = (unsigned)(room - used);
		state = inflate(&stream, Z_NO_FLUSH);
		used = room - stream.avail_out;
		if (state == Z_MEM_ERROR)
			error = -ENOMEM;
		else if (state != Z_OK && state != Z_STREAM_END)
			error = -EBADMSG; /* also Z_BUF_ERROR: more input is wanted, and there is none */
		else if (used > KERNEL_CONFIG_MAX)
			error = -EFBIG;
		else if (used == room)
			room *= 2;
	}
	inflateEnd(&stream);
	if (error)
		return error;
	*ret_text = text;
	*ret_size = used;
	text = NULL;
	return 0;
}

int kernel_config_read(const char *path, struct kernel_config *ret_config, unsigned *ret_line)
{
	bool standard_input = strcmp(path, "-") == 0;
	CLEANUP_FD int file = standard_input ? FD_NONE : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text = NULL, *expanded;
	size_t size = 0;
	if (!standard_input && file < 0)
		return -errno;
	int error = read_bytes(standard_input ? STDIN_FILENO : file, KERNEL_CONFIG_MAX + 1, &text, &size);
	if (error)
		return error;
	if (size > KERNEL_CONFIG_MAX) {
		free(text);
		return -EFBIG;
	}
	if (size >= 2 && (u8)text[0] == 0x1f && (u8)text[1] == 0x8b) {
		error = kernel_config_expand((const u8 *)text, size, &expanded, &size);
		free(text);
		if (error)
			return error;
		text = expanded;
	}
	return kernel_config_parse(text, size, ret_config, ret_line);
}
