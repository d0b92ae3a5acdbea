// SPDX-License-Identifier: Apache-2.0
/* What a workload cannot do without: a set of gaps, by a known name or read from a file. */
#include "host/workload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const workload_names[] = { "docker", "containerd", "kubernetes", "postgres", "flow", NULL };

int workload_by_name(const char *name, u32 *ret_needs)
{
	size_t i = 0;
	while (workload_names[i] && strcmp(workload_names[i], name) != 0)
		i++;
	if (!workload_names[i])
		return -ENOENT;
	u32 needs = 0;
	for (int id = 0; id < GAP_COUNT; id++)
		for (const char *const *of = gap_by_id(id)->workloads; of && *of; of++)
			if (strcmp(*of, name) == 0)
				needs |= GAP_BIT(id);
	*ret_needs = needs;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

int workload_parse(const char *text, size_t size, u32 *ret_needs, unsigned *ret_line, char word[64])
{
	u32 needs = 0;
	unsigned number = 0;
	const char *end = text + size;
	while (text < end) {
		number++;
		const char *next = memchr(text, '\n', (size_t)(end - text));
		const char *stop = next ? next : end;
		const char *comment = memchr(text, '#', (size_t)(stop - text));
		const char *last = comment ? comment : stop;
		while (text < last && is_blank(*text))
			text++;
		while (text < last && is_blank(last[-1]))
			last--;
		if (text < last) {
			char name[64];
			snprintf(name, sizeof(name), "%.*s", (int)(last - text > 63 ? 63 : last - text), text);
			int id = gap_find(name);
			if (id < 0) {
				*ret_line = number;
				memcpy(word, name, sizeof(name));
				return -EINVAL;
			}
			needs |= GAP_BIT(id);
		}
		text = stop + 1;
	}
	*ret_needs = needs;
	return 0;
}

int workload_from_file(const char *path, u32 *ret_needs, unsigned *ret_line, char word[64])
{
	FILE *file = fopen(path, "re");
	if (!file)
		return -errno;
	int error = -ENOMEM;
	char *text = malloc(WORKLOAD_FILE_MAX + 1);
	if (text) {
		size_t size = fread(text, 1, WORKLOAD_FILE_MAX + 1, file);
		if (ferror(file))
			error = errno ? -errno : -EIO;
		else if (size > WORKLOAD_FILE_MAX)
			error = -EFBIG;
		else
			error = workload_parse(text, size, ret_needs, ret_line, word);
	}
	free(text);
	fclose(file);
	return error;
}
