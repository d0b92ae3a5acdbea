/* SPDX-License-Identifier: Apache-2.0 */
/* A document: a tree within limits whose nodes stand in the text in order, or a place in it and a sentence. */
#include <errno.h>

#include "config/yaml_strict.h"
#include "fuzz.h"

struct walk {
	u32 line, column, lines, nodes;
};

/* Every reader answers with a value or a sentence; types agree with the kind. */
static void read_all(const struct yaml_node *node)
{
	struct yaml_error error = { 0 };
	const char *string = NULL, **strings = NULL;
	bool flag;
	s64 integer;
	u64 number;
	size_t count = 0;
	enum yaml_type type = yaml_type(node);
	MUST((yaml_bool(node, &flag, &error) == 0) == (type == YAML_BOOL));
	MUST((yaml_string(node, &string, &error) == 0) == (type == YAML_STRING));
	int r = yaml_int(node, -5, 5000, &integer, &error);
	MUST(r == -EINVAL || (integer >= -5 && integer <= 5000 && (type == YAML_INT || type == YAML_FLOAT)));
	r = yaml_fixed(node, 9, 1, UINT64_MAX, &number, &error);
	MUST(r == -EINVAL || (number >= 1 && (type == YAML_INT || type == YAML_FLOAT)));
	r = yaml_size(node, 1, 1 << 20, &number, &error);
	MUST(r == -EINVAL || (number >= 1 && number <= 1 << 20));
	r = yaml_duration(node, 1, 1 << 20, &number, &error);
	MUST(r == -EINVAL || (number >= 1 && number <= 1 << 20));
	r = yaml_strings(node, &strings, &count, &error);
	MUST(r == -EINVAL || count == node->count);
	free((void *)strings);
}

static void look(const struct yaml_node *node, u32 depth, struct walk *walk)
{
	static const char *const known[] = { "version", "files", "network", NULL };
	struct yaml_error error = { 0 };
	MUST(depth <= YAML_DEPTH_MAX && ++walk->nodes <= YAML_NODES_MAX);
	MUST(node->line > walk->line || (node->line == walk->line && node->column >= walk->column));
	MUST(node->line >= 1 && node->line <= walk->lines + 1 && node->column >= 1);
	walk->line = node->line;
	walk->column = node->column;
	if (node->kind == YAML_SCALAR) {
		MUST(node->count == 0 && strlen(node->text) == node->length);
		read_all(node);
		return;
	}
	MUST(yaml_check_keys(node, known, &error) == 0 || (error.line && error.text[0]));
	for (size_t i = 0; i < node->count; i++) {
		look(node->items[i], depth + 1, walk);
		if (node->kind == YAML_MAPPING && i % 2 == 0)
			MUST(yaml_get(node, node->items[i]->text) == node->items[i + 1]);
	}
	MUST(node->kind == YAML_SEQUENCE || node->count % 2 == 0);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct walk walk = { .lines = 1 };
	struct yaml_error error = { 0 };
	CLEANUP_YAML struct yaml_node *root = NULL;
	char *text = malloc(size ? size : 1);
	if (size)
		memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		walk.lines += text[i] == '\n' || text[i] == '\r';
	int r = yaml_parse(text, size, &root, &error);
	free(text);
	if (r == 0)
		look(root, 0, &walk);
	else
		MUST(r == -EINVAL && !root && error.text[0] && memchr(error.text, 0, sizeof(error.text)) &&
		     !strpbrk(error.text, "\n\x1b") && error.line <= walk.lines + 1);
	return 0;
}
