// SPDX-License-Identifier: Apache-2.0
/* Downloads as bars or lines. */
#include "cli/pull_progress.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/image_words.h"

#define REDRAW_MS 100
#define ROW_WORDS 44u /* columns of a row beside its bar */

struct pull_row {
	char digest[DIGEST_TEXT_SIZE], kind[16];
	s64 size, have;
	bool told;
};

static s64 now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (s64)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void pull_progress_begin(struct pull_progress *progress, FILE *to, bool quiet)
{
	struct winsize size = { 0 };
	const char *term = getenv("TERM");
	*progress = (struct pull_progress){ .to = to, .quiet = quiet };
	progress->bars =
		!quiet && isatty(fileno(to)) && term && strcmp(term, "dumb") != 0 && ioctl(fileno(to), TIOCGWINSZ, &size) == 0;
	progress->columns = size.ws_col ? size.ws_col : 80;
	progress->lines = size.ws_row ? size.ws_row : 24;
}

static const char *text_of(const json_t *event, const char *name)
{
	const char *text = json_string_value(json_object_get(event, name));
	return text ? text : "";
}

static s64 number_of(const json_t *event, const char *name)
{
	s64 number = json_integer_value(json_object_get(event, name));
	return number < 0 ? 0 : number;
}

/* The first twelve digits, as images are shown. */
static const char *short_of(const char *digest, char text[13])
{
	snprintf(text, 13, "%.12s", strncmp(digest, "sha256:", 7) == 0 ? digest + 7 : digest);
	return text;
}

static struct pull_row *row_of(const struct pull_progress *progress, const char *digest)
{
	for (size_t i = 0; i < progress->count; i++)
		if (strcmp(progress->rows[i].digest, digest) == 0)
			return &progress->rows[i];
	return NULL;
}

static void add_row(struct pull_progress *progress, const json_t *event)
{
	struct pull_row *longer = realloc(progress->rows, (progress->count + 1) * sizeof(*longer));
	if (!longer)
		return; /* a bar less */
	progress->rows = longer;
	struct pull_row *row = &longer[progress->count++];
	*row = (struct pull_row){ .size = number_of(event, "size"), .have = number_of(event, "have") };
	snprintf(row->digest, sizeof(row->digest), "%s", text_of(event, "digest"));
	snprintf(row->kind, sizeof(row->kind), "%s", text_of(event, "kind"));
}

/* --- Bars ------------------------------------------------------------------------------------------------------------------------- */

static unsigned bar_width(const struct pull_progress *progress)
{
	if (progress->columns < ROW_WORDS + 10)
		return 10;
	return progress->columns > ROW_WORDS + 50 ? 50 : progress->columns - ROW_WORDS;
}

static void draw_bar(const struct pull_progress *progress, const char *name, s64 have, s64 size)
{
	char have_words[16], size_text[16];
	unsigned width = bar_width(progress);
	unsigned full = size > 0 ? (unsigned)((double)width * (double)have / (double)size) : width;
	fprintf(progress->to, "%-20s [", name);
	for (unsigned i = 0; i < width; i++)
		fputc(i < full ? '=' : i == full ? '>' : ' ', progress->to);
	fprintf(progress->to, "] %s/%s\033[K\n", size_words((u64)have, have_words), size_words((u64)size, size_text));
}

static void draw(struct pull_progress *progress)
{
	char digits[13], name[64];
	s64 have = 0, size = 0;
	if (progress->drawn)
		fprintf(progress->to, "\033[%zuA", progress->drawn);
	progress->drawn = 0;
	bool one = progress->count + 1 > progress->lines;
	for (size_t i = 0; i < progress->count; i++) {
		const struct pull_row *row = &progress->rows[i];
		have += row->have;
		size += row->size;
		if (one)
			continue;
		snprintf(name, sizeof(name), "%s %s", row->kind, short_of(row->digest, digits));
		draw_bar(progress, name, row->have, row->size);
		progress->drawn++;
	}
	if (one) {
		snprintf(name, sizeof(name), "%zu blobs", progress->count);
		draw_bar(progress, name, have, size);
		progress->drawn = 1;
	}
	fputs("\033[J", progress->to);
	fflush(progress->to);
	progress->drawn_at = now_ms();
}

/* --- Lines ------------------------------------------------------------------------------------------------------------------------ */

static void say(struct pull_progress *progress, const char *line)
{
	if (progress->drawn)
		fprintf(progress->to, "\033[%zuA\033[J", progress->drawn);
	progress->drawn = 0;
	fprintf(progress->to, "%s\n", line);
	if (progress->bars)
		draw(progress);
}

static void tell_whole(struct pull_progress *progress, struct pull_row *row, const char *how)
{
	char digits[13], words[16];
	if (progress->bars || row->told || row->have < row->size)
		return;
	row->told = true;
	fprintf(progress->to, "%s %s: %s, %s\n", row->kind, short_of(row->digest, digits), size_words((u64)row->size, words), how);
}

static void tell_problem(struct pull_progress *progress, const json_t *event, bool mirror)
{
	char line[1200];
	if (mirror)
		snprintf(line, sizeof(line), "mirror %s is passed over: %s", text_of(event, "mirror"), text_of(event, "reason"));
	else
		snprintf(line, sizeof(line), "again in %.1f s: %s", (double)number_of(event, "delay_ms") / 1000,
			 text_of(event, "reason"));
	say(progress, line);
}

void pull_progress_event(struct pull_progress *progress, const json_t *event)
{
	const char *kind = text_of(event, "event");
	struct pull_row *row = row_of(progress, text_of(event, "digest"));
	bool redraw = now_ms() - progress->drawn_at >= REDRAW_MS;
	if (progress->quiet)
		return;
	if (strcmp(kind, "blob") == 0 && !row) {
		add_row(progress, event);
		if (progress->count)
			tell_whole(progress, &progress->rows[progress->count - 1], "here already");
	} else if (strcmp(kind, "progress") == 0 && row) {
		row->have = number_of(event, "have");
		tell_whole(progress, row, "downloaded");
	} else if (strcmp(kind, "retry") == 0 || strcmp(kind, "mirror") == 0) {
		tell_problem(progress, event, *kind == 'm');
	} else {
		redraw = false;
	}
	if (progress->bars && redraw && progress->count)
		draw(progress);
}

void pull_progress_end(struct pull_progress *progress)
{
	if (progress->bars && progress->count)
		draw(progress);
	free(progress->rows);
	progress->rows = NULL;
	progress->count = 0;
}
