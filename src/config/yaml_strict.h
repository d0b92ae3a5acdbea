/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of YAML 1.2 that leaves no two readings, as a tree whose nodes know their line and column.
 *
 * One document of at most 1 MiB of UTF-8. Refused, with line and column: anchors, aliases, tags, merge keys, %-directives, a second document, duplicate keys, keys
 * that are no scalars or are empty, control characters (also written as the escape \0), more than 32 levels or 100,000 nodes, and what libyaml itself does not take.
 *
 * Scalars have the types of the core schema (YAML 1.2.2, 10.3.2): what is in quotes or in a block is a string; a plain one is null, a bool (true, false; yes and no
 * are strings), an int, a float, or else a string. The readers below want a type and convert nothing: where a string is due, a plain 8080 is refused, and so
 * a JSON Schema judges as they do.
 *
 * Every function that fails returns -EINVAL and fills *error (line, column, one sentence without a full stop), or -ENOMEM.
 */
#ifndef LICHEN_CONFIG_YAML_STRICT_H
#define LICHEN_CONFIG_YAML_STRICT_H

#include "base/types.h"

#define YAML_BYTES_MAX (1u << 20)
#define YAML_DEPTH_MAX 32u
#define YAML_NODES_MAX 100000u

enum yaml_kind {
	YAML_SCALAR,
	YAML_SEQUENCE,
	YAML_MAPPING,
};

enum yaml_type {
	YAML_NULL,
	YAML_BOOL,
	YAML_INT,
	YAML_FLOAT, /* .nan and .inf, too */
	YAML_STRING,
	YAML_LIST, /* a sequence */
	YAML_MAP,
};

struct yaml_node {
	enum yaml_kind kind;
	u32 line, column;         /* from 1; columns are characters */
	const char *text;         /* scalar: without NUL inside, and a NUL behind it */
	size_t length;            /* of text */
	bool quoted;              /* scalar in quotes or in a block: a string, whatever it says */
	struct yaml_node **items; /* sequence: its values; mapping: key, value, key, value … */
	size_t count;             /* of items: twice the number of keys for a mapping */
};

struct yaml_error {
	u32 line, column; /* from 1; 0: of the whole document */
	char text[256];
};

/* Reads a document; an empty one is refused. *ret: its root, for yaml_node_free(). */
int yaml_parse(const char *data, size_t length, struct yaml_node **ret, struct yaml_error *error) MUST_CHECK;
/* NULL is allowed. (libyaml exports a yaml_free() of its own.) */
void yaml_node_free(struct yaml_node *node);
/* For CLEANUP_YAML. */
static inline void yaml_node_done(struct yaml_node **node)
{
	yaml_node_free(*node);
}
#define CLEANUP_YAML __attribute__((cleanup(yaml_node_done)))

/* The value of a key; NULL: there is none, or that is no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *mapping, const char *key);
enum yaml_type yaml_type(const struct yaml_node *node);
/* Writes a sentence about a node (NULL: about the document). Returns -EINVAL. */
int yaml_refuse(const struct yaml_node *node, struct yaml_error *error, const char *format, ...) PRINTF_LIKE(3, 4);
/* Is this a mapping all of whose keys stand in `known`, which ends in NULL? If not, the sentence proposes the nearest. */
int yaml_check_keys(const struct yaml_node *mapping, const char *const *known, struct yaml_error *error) MUST_CHECK;

/* Readers. On failure *ret is untouched. Strings are borrowed from the node. */
int yaml_bool(const struct yaml_node *node, bool *ret, struct yaml_error *error) MUST_CHECK;
/* Decimal, without zeros in front; "1.0" is the integer 1, as in JSON Schema. */
int yaml_int(const struct yaml_node *node, s64 least, s64 most, s64 *ret, struct yaml_error *error) MUST_CHECK;
/* An int or float that is not negative, times 10 to the power of `digits` (at most 9); more digits than that are refused, unless they are 0. */
int yaml_fixed(const struct yaml_node *node, unsigned digits, u64 least, u64 most, u64 *ret, struct yaml_error *error) MUST_CHECK;
/* Bytes: an int, or a string of an int and one of b, k, m, g, t (powers of 1024; capitals are fine). */
int yaml_size(const struct yaml_node *node, u64 least, u64 most, u64 *ret, struct yaml_error *error) MUST_CHECK;
/* Milliseconds: a string of an int and one of ms, s, m, h, d; or an int, which is seconds. */
int yaml_duration(const struct yaml_node *node, u64 least, u64 most, u64 *ret, struct yaml_error *error) MUST_CHECK;
int yaml_string(const struct yaml_node *node, const char **ret, struct yaml_error *error) MUST_CHECK;
/* A sequence of strings. The array ends in NULL and is the caller's to free(); an empty sequence gives an empty array. */
int yaml_strings(const struct yaml_node *node, const char ***ret, size_t *ret_count, struct yaml_error *error) MUST_CHECK;

#endif
