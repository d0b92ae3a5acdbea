// SPDX-License-Identifier: Apache-2.0
/*
 * Makes lichen-gaps(7) out of lichen-gaps.7.in and the gaps' own data: gaps_man TEMPLATE >PAGE. A line "@NAME@" becomes the gap's summary,
 * users, files and limits. Fails when a gap has no such line, has two, or stands under the wrong heading, so that the page cannot
 * fall behind.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gaps/registry.h"

/* Text for troff: dashes and backslashes as themselves, no request by accident. */
static void put(const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", stdout);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", stdout);
		else if (*text == '\\')
			fputs("\\e", stdout);
		else
			putchar(*text);
	}
}

static void put_paragraph(const char *label, const char *text)
{
	printf(".TP 12\n.B %s\n", label);
	put(text);
	putchar('\n');
}

static void put_list(const char *label, const char *const *list, const char *between)
{
	if (!list || !*list)
		return;
	printf(".TP 12\n.B %s\n", label);
	for (; *list; list++) {
		put(*list);
		puts(list[1] ? between : ".");
	}
}

/* The gap's files; when they are many, how many below which directory. */
static void put_files(const char *const *files)
{
	enum { MANY = 24 };
	size_t count = 0, common = files && *files ? strlen(*files) : 0;
	for (; files && files[count]; count++)
		for (size_t i = 0; i < common; i++)
			if (files[count][i] != files[0][i])
				common = i;
	while (common > 0 && files[0][common - 1] != '/')
		common--;
	if (count <= MANY) {
		put_list("Files", files, ",");
		return;
	}
	printf(".TP 12\n.B Files\n%zu files below ", count);
	printf("%.*s\n", (int)common, files[0]);
}

static void put_gap(const struct gap *gap)
{
	put_paragraph("What", gap->summary);
	put_paragraph("Needed by", gap->needed_by);
	put_list("Workloads", gap->workloads, ",");
	put_files(gap->files);
	put_list("Limits", gap->limits, ";");
	puts(".PP");
}

/* "@name@\n" -> the gap, or -1. */
static int gap_of_line(const char *line)
{
	char name[32];
	size_t length = strcspn(line + 1, "@");
	if (*line != '@' || strcmp(line + 1 + length, "@\n") != 0 || length >= sizeof(name))
		return -1;
	memcpy(name, line + 1, length);
	name[length] = '\0';
	int id = gap_find(name);
	if (id < 0) {
		fprintf(stderr, "gaps_man: there is no gap '%s'\n", name);
		exit(1);
	}
	return id;
}

int main(int argc, char **argv)
{
	FILE *template = argc == 2 ? fopen(argv[1], "re") : NULL;
	char line[1024];
	bool filled = false;
	u32 seen = 0;
	if (!template) {
		fputs("usage: gaps_man TEMPLATE\n", stderr);
		return 64;
	}
	while (fgets(line, sizeof(line), template)) {
		int id = gap_of_line(line);
		if (strncmp(line, ".SH ", 4) == 0)
			filled = strstr(line, "THAT LICHEN FILLS") != NULL;
		if (id < 0) {
			fputs(line, stdout);
			continue;
		}
		if ((seen & GAP_BIT(id)) || filled != ((gaps_built() & GAP_BIT(id)) != 0)) {
			fprintf(stderr, "gaps_man: '%s' stands twice, or under the wrong heading\n",
				gap_by_id((enum gap_id)id)->name);
			return 1;
		}
		seen |= GAP_BIT(id);
		put_gap(gap_by_id((enum gap_id)id));
	}
	for (int id = 0; id < GAP_COUNT; id++)
		if (!(seen & GAP_BIT(id))) {
			fprintf(stderr, "gaps_man: %s has no section for gap '%s'\n", argv[1], gap_by_id((enum gap_id)id)->name);
			return 1;
		}
	fclose(template);
	return fflush(stdout) || ferror(stdout);
}
