/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl_list [FILE]: prints docs/sysctls.md, which is made from src/gaps/sysctl/sysctl_table.def; with FILE, 1 when that differs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"

static const struct {
	const char *path, *kind, *initial, *scope, *effect, *source;
	unsigned mode, count;
	s64 min, max;
} rows[] = {
#define SYSCTL(path_, mode_, kind_, count_, initial_, min_, max_, scope_, effect_, source_) \
	{ .path = path_,                                                                    \
	  .kind = #kind_,                                                                   \
	  .initial = initial_,                                                              \
	  .scope = #scope_,                                                                 \
	  .effect = #effect_,                                                               \
	  .source = source_,                                                                \
	  .mode = mode_,                                                                    \
	  .count = count_,                                                                  \
	  .min = min_,                                                                      \
	  .max = max_ },
#include "gaps/sysctl/sysctl_table.def"
#undef SYSCTL
};

static const char head[] =
	"# Files below /proc/sys that gap sysctl supplies\n"
	"\n"
	"Made from `src/gaps/sysctl/sysctl_table.def` by `build/tests/unit/sysctl_list >docs/sysctls.md`; a test holds both together.\n"
	"`*` stands for `all`, `default` and every network interface. Where the kernel has a file, it is the kernel's until the cell writes it.\n"
	"\n"
	"| effect | what a write does |\n"
	"|---|---|\n"
	"| told | the value at first is computed from what the kernel tells; a write is only recorded |\n"
	"| constant | nobody can write it |\n"
	"| recorded | validated as the kernel does, kept for the cell, read back, and without any other effect |\n"
	"| ignored | validated and forgotten |\n"
	"\n"
	"| file | mode | at first | takes | kernel's scope | effect | who asks, and where that was read |\n"
	"|---|---|---|---|---|---|---|\n";

static void print_lower(FILE *to, const char *word)
{
	for (; *word; word++)
		fputc(*word >= 'A' && *word <= 'Z' ? *word | 0x20 : *word, to);
}

static void print_rule(FILE *to, size_t i)
{
	if (rows[i].count > 1)
		fprintf(to, "%u × ", rows[i].count);
	print_lower(to, rows[i].kind);
	if (!strcmp(rows[i].kind, "STRING") || !strcmp(rows[i].kind, "CHOICE") || !strcmp(rows[i].kind, "WORDS"))
		fprintf(to, " < %lld", (long long)rows[i].max);
	else if (!strcmp(rows[i].kind, "BITMAP"))
		fprintf(to, " of %lld", (long long)rows[i].max);
	else if (rows[i].max == -1)
		fprintf(to, " ≥ %lld", (long long)rows[i].min);
	else if (strcmp(rows[i].kind, "KEY") && strcmp(rows[i].kind, "IGNORED"))
		fprintf(to, " %lld…%lld", (long long)rows[i].min, (long long)rows[i].max);
}

static void print_list(FILE *to)
{
	fputs(head, to);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fprintf(to, "| %s | %04o | ", rows[i].path, rows[i].mode);
		for (const char *at = rows[i].initial; *at; at++)
			fputc(*at == '\t' ? ' ' : *at, to);
		fputs(" | ", to);
		print_rule(to, i);
		fputs(" | ", to);
		print_lower(to, rows[i].scope);
		fputs(" | ", to);
		print_lower(to, rows[i].effect);
		fprintf(to, " | %s |\n", rows[i].source);
	}
}

int main(int argc, char **argv)
{
	char *made = NULL, *found;
	size_t size = 0, n;
	FILE *to, *file;

	if (argc < 2) {
		print_list(stdout);
		return 0;
	}
	to = open_memstream(&made, &size);
	if (!to)
		return 2;
	print_list(to);
	fclose(to);
	file = fopen(argv[1], "r");
	found = calloc(1, size + 2);
	if (!file || !found)
		return 2;
	n = fread(found, 1, size + 1, file);
	fclose(file);
	if (n != size || memcmp(found, made, size) != 0) {
		fprintf(stderr, "%s differs from the table: build/tests/unit/sysctl_list >docs/sysctls.md\n", argv[1]);
		return 1;
	}
	free(found);
	free(made);
	return 0;
}
