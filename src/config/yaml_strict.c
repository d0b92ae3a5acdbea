// SPDX-License-Identifier: Apache-2.0
/*
 * YAML to a tree: the bytes are looked at first (yaml_bytes.c), then libyaml's events become nodes, and what has two readings is refused where it is met. Nodes and
 * their text are one allocation each; a mapping's keys are sorted once, at its end, to find those that are there twice.
 */
#include "config/yaml_strict.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "config/yaml_strict_int.h"

struct builder {
	yaml_parser_t parser;
	struct yaml_node *root;
	struct yaml_node *open[YAML_DEPTH_MAX]; /* sequences and mappings that have not ended, from the root */
	u32 depth;                              /* of open */
	u32 nodes, documents;
	struct yaml_error *error;
};

static int refuse_at(const struct builder *b, yaml_mark_t mark, const char *text)
{
	return yaml_refuse_at((u32)mark.line + 1, (u32)mark.column + 1, b->error, "%s", text);
}

void yaml_node_free(struct yaml_node *node)
{
	if (!node)
		return;
	for (size_t i = 0; i < node->count; i++)
		yaml_node_free(node->items[i]);
	free((void *)node->items);
	free(node);
}

/* Makes room for one more: arrays grow by doubling, from 4. */
static int append(struct yaml_node *to, struct yaml_node *item)
{
	if (to->count == 0 || (to->count >= 4 && (to->count & (to->count - 1)) == 0)) {
		size_t room = to->count ? to->count * 2 : 4;
		struct yaml_node **items = reallocarray((void *)to->items, room, sizeof(struct yaml_node *));
		if (!items)
			return -ENOMEM;
		to->items = items;
	}
	to->items[to->count++] = item;
	return 0;
}

static bool is_key(const struct builder *b)
{
	return b->depth && b->open[b->depth - 1]->kind == YAML_MAPPING && b->open[b->depth - 1]->count % 2 == 0;
}

static int check_key(const struct builder *b, const struct yaml_node *node)
{
	if (node->kind != YAML_SCALAR)
		return yaml_refuse(node, b->error, "a key must be a word, not a list or a mapping");
	if (yaml_type(node) == YAML_NULL || node->length == 0)
		return yaml_refuse(node, b->error, "a key is missing");
	if (!node->quoted && strcmp(node->text, "<<") == 0)
		return yaml_refuse(node, b->error, "merge keys (<<) are not allowed");
	return 0;
}

/* Adds a node to what is open. It is freed if it cannot be. */
static int attach(struct builder *b, struct yaml_node *node)
{
	int r = is_key(b) ? check_key(b, node) : 0;
	if (!r && ++b->nodes > YAML_NODES_MAX)
		r = yaml_refuse(node, b->error, "there are more than %u values", YAML_NODES_MAX);
	if (!r && b->depth)
		r = append(b->open[b->depth - 1], node);
	else if (!r)
		b->root = node;
	if (r)
		yaml_node_free(node);
	return r;
}

static int new_node(struct builder *b, const yaml_event_t *event, enum yaml_kind kind, const yaml_char_t *text, size_t length,
		    struct yaml_node **ret)
{
	struct yaml_node *node = calloc(1, sizeof(*node) + length + 1);
	if (!node)
		return -ENOMEM;
	node->kind = kind;
	node->line = (u32)event->start_mark.line + 1;
	node->column = (u32)event->start_mark.column + 1;
	if (length)
		memcpy(node + 1, text, length);
	if (kind == YAML_SCALAR) {
		node->text = (const char *)(node + 1);
		node->length = length;
		node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	}
	int r = attach(b, node);
	if (!r)
		*ret = node;
	return r;
}

static int on_scalar(struct builder *b, const yaml_event_t *event)
{
	struct yaml_node *node;
	if (event->data.scalar.anchor)
		return refuse_at(b, event->start_mark, "anchors (&) are not allowed");
	if (event->data.scalar.tag)
		return refuse_at(b, event->start_mark, "tags (!) are not allowed");
	if (event->data.scalar.length && memchr(event->data.scalar.value, 0, event->data.scalar.length))
		return refuse_at(b, event->start_mark, "a NUL character is not allowed");
	return new_node(b, event, YAML_SCALAR, event->data.scalar.value, event->data.scalar.length, &node);
}

static int on_start(struct builder *b, const yaml_event_t *event, enum yaml_kind kind)
{
	const yaml_char_t *anchor = event->data.sequence_start.anchor, *tag = event->data.sequence_start.tag;
	struct yaml_node *node;
	if (kind == YAML_MAPPING)
		anchor = event->data.mapping_start.anchor, tag = event->data.mapping_start.tag;
	if (anchor)
		return refuse_at(b, event->start_mark, "anchors (&) are not allowed");
	if (tag)
		return refuse_at(b, event->start_mark, "tags (!) are not allowed");
	if (b->depth == YAML_DEPTH_MAX)
		return refuse_at(b, event->start_mark, "lists and mappings are nested too deep");
	int r = new_node(b, event, kind, NULL, 0, &node);
	if (!r)
		b->open[b->depth++] = node;
	return r;
}

/* --- duplicate keys ------------------------------------------------------------------------------------------------------------------- */

static int by_text(const void *a, const void *b)
{
	const struct yaml_node *left = *(const struct yaml_node *const *)a, *right = *(const struct yaml_node *const *)b;
	int order = strcmp(left->text, right->text);
	if (order)
		return order;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return left->column < right->column ? -1 : 1;
}

static int check_duplicates(const struct builder *b, const struct yaml_node *mapping)
{
	size_t count = mapping->count / 2;
	struct yaml_node **keys = count > 1 ? calloc(count, sizeof(struct yaml_node *)) : NULL;
	const struct yaml_node *first = NULL, *again = NULL;
	if (count < 2)
		return 0;
	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		keys[i] = mapping->items[2 * i];
	qsort((void *)keys, count, sizeof(struct yaml_node *), by_text);
	for (size_t i = 1; i < count; i++) {
		const struct yaml_node *key = keys[i];
		if (strcmp(key->text, keys[i - 1]->text) != 0)
			continue;
		if (!again || key->line < again->line || (key->line == again->line && key->column < again->column))
			first = keys[i - 1], again = key;
	}
	free((void *)keys);
	return again ? yaml_refuse(again, b->error, "the key '%.100s' is there twice: first in line %u", again->text, first->line)
		     : 0;
}

/* --- events --------------------------------------------------------------------------------------------------------------------------- */

static int on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (event->data.document_start.version_directive ||
		    event->data.document_start.tag_directives.start != event->data.document_start.tag_directives.end)
			return refuse_at(b, event->start_mark, "directives (%) are not allowed");
		return b->documents++ ? refuse_at(b, event->start_mark, "a second document is not allowed") : 0;
	case YAML_ALIAS_EVENT:
		return refuse_at(b, event->start_mark, "aliases (*) are not allowed");
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_start(b, event, YAML_SEQUENCE);
	case YAML_MAPPING_START_EVENT:
		return on_start(b, event, YAML_MAPPING);
	case YAML_SEQUENCE_END_EVENT:
		b->depth--;
		return 0;
	case YAML_MAPPING_END_EVENT:
		return check_duplicates(b, b->open[--b->depth]);
	default:
		return 0;
	}
}

/* libyaml could not go on: in its words. */
static int parser_failed(const struct builder *b)
{
	const yaml_parser_t *parser = &b->parser;
	if (parser->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	return yaml_refuse_at((u32)parser->problem_mark.line + 1, (u32)parser->problem_mark.column + 1, b->error, "%s%s%s",
			      parser->context ? parser->context : "", parser->context ? ": " : "",
			      parser->problem ? parser->problem : "this is not YAML");
}

static int build(struct builder *b)
{
	yaml_event_t event;
	bool ended = false;
	int r = 0;
	while (!r && !ended) {
		if (!yaml_parser_parse(&b->parser, &event))
			return parser_failed(b);
		ended = event.type == YAML_STREAM_END_EVENT;
		r = on_event(b, &event);
		yaml_event_delete(&event);
	}
	if (!r && !b->root)
		r = yaml_refuse(NULL, b->error, "there is nothing in it");
	return r;
}

int yaml_parse(const char *data, size_t length, struct yaml_node **ret, struct yaml_error *error)
{
	struct builder b = { .error = error };
	int r = yaml_check_bytes(data, length, error);
	if (r)
		return r;
	if (!yaml_parser_initialize(&b.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)data, length);
	r = build(&b);
	yaml_parser_delete(&b.parser);
	if (r)
		yaml_node_free(b.root);
	else
		*ret = b.root;
	return r;
}
