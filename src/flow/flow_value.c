// SPDX-License-Identifier: Apache-2.0
/* Values of steps: held against an agent's fields, and filled in as JSON. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "flow/flow.h"

/* --- checking --------------------------------------------------------------------------------------------------------------------------- */

static const struct flow_field *find(const struct flow_field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static bool is_template(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && yaml_type(node) == YAML_STRING && flow_template_is(node->text, node->length);
}

/* "${NAME}" and nothing else. */
static bool is_secret(const struct yaml_node *node)
{
	size_t n = 2;

	if (node->kind != YAML_SCALAR || strncmp(node->text, "${", 2) != 0)
		return false;
	while (isalnum((unsigned char)node->text[n]) || node->text[n] == '_')
		n++;
	return n > 2 && !isdigit((unsigned char)node->text[2]) && strcmp(node->text + n, "}") == 0;
}

static bool all_scalars(const struct yaml_node *node)
{
	for (size_t i = 0; i < node->count; i++)
		if (node->items[i]->kind != YAML_SCALAR || yaml_type(node->items[i]) == YAML_NULL)
			return false;
	return true;
}

static const char *const kind_names[] = {
	[FLOW_STRING] = "a string",
	[FLOW_INTEGER] = "a whole number, 0 or more",
	[FLOW_NUMBER] = "a number",
	[FLOW_BOOL] = "true or false",
	[FLOW_STRINGS] = "a sequence of strings",
	[FLOW_MAPPING] = "a mapping",
	[FLOW_SECRET] = "the name of a variable, exactly ${NAME}",
	[FLOW_ANY] = "a value",
};

static bool fits(const struct yaml_node *node, enum flow_kind kind)
{
	enum yaml_type type = yaml_type(node);

	switch (kind) {
	case FLOW_STRING:
		return node->kind == YAML_SCALAR && type != YAML_NULL;
	case FLOW_INTEGER:
		return is_template(node) || (type == YAML_INT && *node->text != '-');
	case FLOW_NUMBER:
		return is_template(node) || type == YAML_INT || (type == YAML_FLOAT && !strpbrk(node->text, "nN"));
	case FLOW_BOOL:
		return is_template(node) || type == YAML_BOOL;
	case FLOW_STRINGS:
		return node->kind == YAML_SEQUENCE && all_scalars(node);
	case FLOW_MAPPING:
		return node->kind == YAML_MAPPING;
	case FLOW_SECRET:
		return is_secret(node);
	case FLOW_ANY:
		return type != YAML_NULL;
	}
	return false;
}

static int unknown_field(const struct flow_step *step, const struct yaml_node *key, const struct flow_field *fields, size_t count,
			 const char *what, struct yaml_error *error)
{
	char known[160] = "";

	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(known);

		(void)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", fields[i].name);
	}
	return yaml_refuse(key, error, "%s of %s %s has no '%.40s'; it has: %s", what, step->agent->name, step->action->name,
			   key->text, *known ? known : "nothing");
}

int flow_fields_check(const struct flow_step *step, const struct yaml_node *mapping, const struct flow_field *fields,
		      size_t field_count, const char *what, struct yaml_error *error)
{
	if (mapping && mapping->kind != YAML_MAPPING)
		return yaml_refuse(mapping, error, "%s must be a mapping", what);
	for (size_t i = 0; mapping && i < mapping->count; i += 2) {
		const struct yaml_node *key = mapping->items[i], *value = mapping->items[i + 1];
		const struct flow_field *field = find(fields, field_count, key->text);

		if (!field)
			return unknown_field(step, key, fields, field_count, what, error);
		if (!fits(value, field->kind))
			return yaml_refuse(value, error, "%s must be %s", field->name, kind_names[field->kind]);
	}
	for (size_t i = 0; i < field_count; i++)
		if (fields[i].required && !yaml_get(mapping, fields[i].name))
			return yaml_refuse(mapping ? mapping : step->node, error, "%s %s needs %s.%s", step->agent->name,
					   step->action->name, what, fields[i].name);
	return 0;
}

/* --- filling in ------------------------------------------------------------------------------------------------------------------------- */

static int fill_text(const struct yaml_node *node, const struct flow_scope *scope, char **ret, size_t *ret_size,
		     struct yaml_error *error)
{
	char why[FLOW_WHY_MAX];
	int r = flow_template_fill(node->text, node->length, scope, ret, ret_size, why);

	if (r == -EINVAL)
		return yaml_refuse(node, error, "%s", why);
	if (r == -EFBIG)
		return yaml_refuse(node, error, "with its outputs filled in it is too long");
	return r;
}

/* What a template has become, where the field is no string. */
static json_t *typed(const char *text, enum flow_kind kind)
{
	char *end;

	errno = 0;
	if (kind == FLOW_BOOL)
		return strcmp(text, "true") == 0 ? json_true() : strcmp(text, "false") == 0 ? json_false() : NULL;
	if (kind == FLOW_INTEGER) {
		long long number = strtoll(text, &end, 10);

		return isdigit((unsigned char)*text) && !*end && !errno ? json_integer(number) : NULL;
	}
	double number = strtod(text, &end);
	return (isdigit((unsigned char)*text) || *text == '-') && !*end && !errno ? json_real(number) : NULL;
}

static int fill_scalar(const struct yaml_node *node, enum flow_kind kind, const struct flow_scope *scope, json_t **ret,
		       struct yaml_error *error)
{
	enum yaml_type type = yaml_type(node);
	CLEANUP_FREE char *text = NULL;
	size_t size;

	if (kind == FLOW_SECRET || (type != YAML_STRING && kind == FLOW_STRING)) {
		*ret = json_stringn(node->text, node->length);
		return *ret ? 0 : -ENOMEM;
	}
	if (type == YAML_NULL) {
		*ret = json_null();
		return 0;
	}
	if (type != YAML_STRING) {
		*ret = json_loadb(node->text, node->length, JSON_DECODE_ANY, NULL);
		return *ret ? 0 : yaml_refuse(node, error, "'%.40s' is no number of JSON", node->text);
	}
	int r = fill_text(node, scope, &text, &size, error);
	if (r < 0)
		return r;
	bool plain = kind == FLOW_STRING || kind == FLOW_ANY || scope->checking;
	*ret = plain ? json_stringn(text, size) : typed(text, kind);
	if (!*ret && plain)
		return yaml_refuse(node, error, "with its variables filled in it is no UTF-8");
	return *ret ? 0 : yaml_refuse(node, error, "'%.40s' is not %s", text, kind_names[kind]);
}

static int fill(const struct yaml_node *node, enum flow_kind kind, const struct flow_scope *scope, json_t **ret,
		struct yaml_error *error)
{
	enum flow_kind inner = kind == FLOW_STRINGS ? FLOW_STRING : FLOW_ANY;
	json_t *value = NULL;
	int r = 0;

	if (node->kind == YAML_SCALAR)
		return fill_scalar(node, kind, scope, ret, error);
	*ret = node->kind == YAML_SEQUENCE ? json_array() : json_object();
	for (size_t i = 0; r == 0 && i < node->count; i++) {
		const char *key = node->kind == YAML_MAPPING ? node->items[i++]->text : NULL;

		r = fill(node->items[i], inner, scope, &value, error);
		if (r == 0 && (key ? json_object_set_new(*ret, key, value) : json_array_append_new(*ret, value)) < 0)
			r = -ENOMEM;
	}
	if (r < 0)
		json_decref(*ret);
	return r;
}

int flow_fill(const struct yaml_node *mapping, const struct flow_field *fields, size_t field_count, const struct flow_scope *scope,
	      json_t **ret, struct yaml_error *error)
{
	json_t *object = json_object(), *value = NULL;
	int r = object ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && mapping && i < mapping->count; i += 2) {
		const struct flow_field *field = find(fields, field_count, mapping->items[i]->text);

		r = fill(mapping->items[i + 1], field ? field->kind : FLOW_ANY, scope, &value, error);
		if (r == 0 && json_object_set_new(object, mapping->items[i]->text, value) < 0)
			r = -ENOMEM;
	}
	if (r < 0) {
		json_decref(object);
		return r;
	}
	*ret = object;
	return 0;
}
