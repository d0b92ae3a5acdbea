// SPDX-License-Identifier: Apache-2.0
/*
 * What a workload misses in a kernel's configuration.
 *
 * Values are those of Kconfig: off < module < on; `&` is the smaller, `|` the greater. An option's value is what the configuration says,
 * else its default, and never more than what it depends on. Dependencies of kernel_config.def have no circles; a bound on the depth
 * holds should one come in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/kernel_config.h"

#define DEPTH_MAX 12
#define REQUIRED CONFIG_REQUIRED
#define OPTIONAL CONFIG_OPTIONAL

static const struct config_need table[] = {
#define CONFIG_NEED(options, level, workloads, gap, why, source) { options, workloads, why, source, level, gap },
#include "host/kernel_config.def"
};

static_assert(ARRAY_SIZE(table) <= CONFIG_ROWS_MAX, "every need has a place in the advice");

static const struct {
	const char *option, *on;
} dependencies[] = {
#define CONFIG_DEPENDS(option, options) { option, options },
#include "host/kernel_config.def"
};

static const char *const defaults[] = {
#define CONFIG_DEFAULT(option) option,
#include "host/kernel_config.def"
};

static const struct {
	const char *by, *option;
} selections[] = {
#define CONFIG_SELECT(by, option) { by, option },
#include "host/kernel_config.def"
};

/* A name within an expression, or any text: not terminated. */
struct span {
	const char *at;
	size_t length;
};

static bool equals(struct span span, const char *text)
{
	return strlen(text) == span.length && memcmp(span.at, text, span.length) == 0;
}

/* Takes the next part of a text up to `separator`, without blanks around it. Returns false at the end. */
static bool next_part(struct span *rest, char separator, struct span *ret_part)
{
	while (rest->length && (*rest->at == ' ' || *rest->at == separator)) {
		rest->at++;
		rest->length--;
	}
	if (!rest->length)
		return false;
	const char *stop = memchr(rest->at, separator, rest->length);
	size_t taken = stop ? (size_t)(stop - rest->at) : rest->length, length = taken;
	while (length && rest->at[length - 1] == ' ')
		length--;
	*ret_part = (struct span){ rest->at, length };
	rest->at += taken;
	rest->length -= taken;
	return true;
}

static const char *depends_on(struct span option)
{
	for (size_t i = 0; i < ARRAY_SIZE(dependencies); i++)
		if (equals(option, dependencies[i].option))
			return dependencies[i].on;
	return NULL;
}

static struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}

/* The last line about an option, NULL when there is none. */
static const struct config_line *find_line(const struct kernel_config *config, struct span option)
{
	size_t low = 0, high = config->line_count;
	while (low < high) { /* the first line behind those of this name */
		size_t middle = low + (high - low) / 2;
		const struct config_line *line = &config->lines[middle];
		size_t n = line->length < option.length ? line->length : option.length;
		int order = memcmp(line->name, option.at, n);
		if (order < 0 || (order == 0 && line->length <= option.length))
			low = middle + 1;
		else
			high = middle;
	}
	const struct config_line *line = low > 0 ? &config->lines[low - 1] : NULL;
	return line && line->length == option.length && memcmp(line->name, option.at, option.length) == 0 ? line : NULL;
}

static enum config_value expression_value(const struct kernel_config *config, struct span expression, unsigned depth);

/* What the configuration itself says, or the default. */
static enum config_value said(const struct kernel_config *config, struct span option)
{
	const struct config_line *line = find_line(config, option);
	if (line || config->whole)
		return line ? line->value : CONFIG_OFF;
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		if (equals(option, defaults[i]))
			return CONFIG_ON;
	return CONFIG_OFF;
}

/* What the options that select this one make it at least. */
static enum config_value selected(const struct kernel_config *config, struct span option, unsigned depth)
{
	enum config_value most = CONFIG_OFF;
	for (size_t i = 0; !config->whole && depth < DEPTH_MAX && i < ARRAY_SIZE(selections); i++) {
		if (!equals(option, selections[i].option))
			continue;
		enum config_value by = expression_value(config, span_of(selections[i].by), depth + 1);
		most = by > most ? by : most;
	}
	return most;
}

static enum config_value option_value(const struct kernel_config *config, struct span option, unsigned depth)
{
	enum config_value value = said(config, option), least = selected(config, option, depth);
	const char *on = depends_on(option);
	if (value != CONFIG_OFF && on && depth < DEPTH_MAX) {
		enum config_value limit = expression_value(config, span_of(on), depth + 1);
		value = limit < value ? limit : value;
	}
	return least > value ? least : value;
}

static enum config_value expression_value(const struct kernel_config *config, struct span expression, unsigned depth)
{
	enum config_value best = CONFIG_OFF;
	struct span way, option;
	while (next_part(&expression, '|', &way)) {
		enum config_value least = CONFIG_ON;
		while (next_part(&way, '&', &option)) {
			enum config_value value = option_value(config, option, depth);
			least = value < least ? value : least;
		}
		best = least > best ? least : best;
	}
	return best;
}

enum config_value kernel_config_value(const struct kernel_config *config, const char *options)
{
	return expression_value(config, span_of(options), 0);
}

/* --- what to switch on ------------------------------------------------------------------------------------------------------------ */

struct wanted {
	struct span options[64];
	size_t count;
};

static void want_expression(const struct kernel_config *config, struct span expression, struct wanted *wanted, unsigned depth);

/* Adds what must be switched on for an option to be on: what it depends on first. */
static void want_option(const struct kernel_config *config, struct span option, struct wanted *wanted, unsigned depth)
{
	const char *on = depends_on(option);
	if (option_value(config, option, depth) != CONFIG_OFF)
		return;
	if (on && depth < DEPTH_MAX)
		want_expression(config, span_of(on), wanted, depth + 1);
	if (said(config, option) != CONFIG_OFF)
		return; /* it is set; its dependencies alone are missing */
	for (size_t i = 0; i < wanted->count; i++)
		if (wanted->options[i].length == option.length && memcmp(wanted->options[i].at, option.at, option.length) == 0)
			return;
	if (wanted->count < ARRAY_SIZE(wanted->options))
		wanted->options[wanted->count++] = option;
}

/*
 * Of several ways the first, which is the one of today, unless another is begun (one of its options is set) and takes fewer.
 */
static void want_expression(const struct kernel_config *config, struct span expression, struct wanted *wanted, unsigned depth)
{
	struct wanted best = { .count = SIZE_MAX };
	struct span way, option;
	if (expression_value(config, expression, depth) != CONFIG_OFF)
		return;
	while (next_part(&expression, '|', &way)) {
		struct wanted this = *wanted;
		bool begun = best.count == SIZE_MAX;
		while (next_part(&way, '&', &option)) {
			begun |= said(config, option) != CONFIG_OFF;
			want_option(config, option, &this, depth);
		}
		if (begun && this.count < best.count)
			best = this;
	}
	if (best.count != SIZE_MAX)
		*wanted = best;
}

/* The first option that is set and dropped. */
static void find_dropped(const struct kernel_config *config, struct span expression, char *text, size_t size)
{
	struct span way, option;
	while (next_part(&expression, '|', &way))
		while (next_part(&way, '&', &option)) {
			if (said(config, option) == CONFIG_OFF || option_value(config, option, 0) != CONFIG_OFF)
				continue;
			size_t length = option.length < size ? option.length : size - 1;
			memcpy(text, option.at, length);
			text[length] = '\0';
			return;
		}
}

static void explain(const struct kernel_config *config, struct config_row *row)
{
	struct span expression = span_of(row->need->options);
	struct wanted wanted = { .count = 0 };
	size_t used = 0;
	find_dropped(config, expression, row->dropped, sizeof(row->dropped));
	want_expression(config, expression, &wanted, 0);
	for (size_t i = 0; i < wanted.count; i++) {
		struct span option = wanted.options[i];
		if (used + option.length + 2 > sizeof(row->missing))
			break;
		if (used)
			row->missing[used++] = ' ';
		memcpy(row->missing + used, option.at, option.length);
		used += option.length;
		row->missing[used] = '\0';
	}
}

/* --- advice --------------------------------------------------------------------------------------------------------------------- */

static bool is_about(const struct config_need *need, const char *workload)
{
	struct span rest = span_of(need->workloads), word;
	while (next_part(&rest, ' ', &word))
		if (equals(word, workload))
			return true;
	return false;
}

static unsigned rank(const struct config_row *row)
{
	if (row->value == CONFIG_ON)
		return 5;
	if (row->value == CONFIG_MODULE)
		return 4;
	if (row->need->level == CONFIG_OPTIONAL)
		return row->filled ? 3 : 2;
	return row->filled ? 1 : 0;
}

static int compare_rows(const void *a, const void *b)
{
	const struct config_row *left = a, *right = b;
	unsigned l = rank(left), r = rank(right);
	if (l != r)
		return l < r ? -1 : 1;
	return (left->need > right->need) - (left->need < right->need);
}

static void add_row(const struct kernel_config *config, const struct config_need *need, u32 built, struct config_advice *advice)
{
	struct config_row *row = &advice->rows[advice->count++];
	*row = (struct config_row){ .need = need, .value = kernel_config_value(config, need->options) };
	if (row->value != CONFIG_OFF)
		return;
	row->filled = need->gap >= 0 && (built & GAP_BIT(need->gap));
	explain(config, row);
	advice->unmet += need->level == CONFIG_REQUIRED && !row->filled;
}

void kernel_config_advise(const struct kernel_config *config, const char *workload, u32 gaps, u32 built,
			  struct config_advice *ret_advice)
{
	struct config_advice *advice = ret_advice;
	bool fills = false, added[ARRAY_SIZE(table)] = { false };
	advice->count = advice->unmet = 0;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		added[i] = workload ? is_about(&table[i], workload)
				    : gaps == GAPS_ALL || (table[i].gap >= 0 && (gaps & GAP_BIT(table[i].gap)));
		if (added[i]) {
			add_row(config, &table[i], built, advice);
			fills |= advice->rows[advice->count - 1].filled;
		}
	}
	for (size_t i = 0; fills && i < ARRAY_SIZE(table); i++)
		if (!added[i] && is_about(&table[i], "lichen"))
			add_row(config, &table[i], built, advice);
	qsort(advice->rows, advice->count, sizeof(advice->rows[0]), compare_rows);
}
