// SPDX-License-Identifier: Apache-2.0
/* What the last words of a daemon mean. */
#include "cli/unit_hint.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/units.h"
#include "host/cell_log_read.h"

struct hint {
	enum gap_id gap;
	const struct gap_symptom *symptom;
	char line[400];
};

/* The symptom whose message is in a line; the longest one says most. */
static void look(const char *line, struct hint *hint)
{
	size_t best = hint->symptom ? strlen(hint->symptom->message) : 0;
	for (int id = 0; id < GAP_COUNT; id++) {
		const struct gap *gap = gap_by_id((enum gap_id)id);
		for (size_t i = 0; i < gap->symptom_count; i++) {
			const struct gap_symptom *symptom = &gap->symptoms[i];
			if (!symptom->message || strlen(symptom->message) < best || !strstr(line, symptom->message))
				continue;
			best = strlen(symptom->message);
			hint->gap = (enum gap_id)id;
			hint->symptom = symptom;
			snprintf(hint->line, sizeof(hint->line), "%.390s", line);
		}
	}
}

static void look_at_log(int cell, const char *unit, struct hint *hint)
{
	struct cell_log_reader *reader = malloc(sizeof(*reader));
	struct cell_log_entry entry;
	CLEANUP_FD int dir = units_log_dir(cell, unit);
	if (reader && dir >= 0 && cell_log_reader_open(reader, dir) == 0) {
		while (cell_log_reader_next(reader, &entry) > 0) {
			char line[1024];
			snprintf(line, sizeof(line), "%.*s", (int)(entry.size < 1000 ? entry.size : 1000), entry.text);
			look(line, hint);
		}
		cell_log_reader_close(reader);
	}
	free(reader);
}

void unit_hint(int cell, const char *unit, const struct plan *plan, FILE *to)
{
	struct hint hint = { 0 };
	look_at_log(cell, unit, &hint);
	if (!hint.symptom)
		return;
	const struct gap *gap = gap_by_id(hint.gap);
	fprintf(to, "It says: %.200s\nThat is gap %s: %s", hint.line, gap->name,
		hint.symptom->cause ? hint.symptom->cause : gap->summary);
	fprintf(to, " (%s)\n", plan->rows[hint.gap].reason);
	if (hint.symptom->advice)
		fprintf(to, "%s\n", hint.symptom->advice);
}
