// SPDX-License-Identifier: Apache-2.0
/* What the verbs about images share. */
#include "cli/image_words.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lichen.h"

int image_say(const struct command *command, int error, const struct image_error *why)
{
	fprintf(stderr, "lichen %s: %s\n", command->name, why->text);
	switch (error) {
	case -EINVAL:
		return LICHEN_EXIT_USAGE;
	case -EBADMSG:
		return LICHEN_EXIT_DATA;
	case -ENOENT:
		return LICHEN_EXIT_NO_INPUT;
	case -EBUSY:
		return LICHEN_EXIT_UNAVAILABLE;
	case -ENOMEM:
		return LICHEN_EXIT_SOFTWARE;
	default:
		return LICHEN_EXIT_IO;
	}
}

int image_store_begin(const struct command *command, struct image_store *ret_store)
{
	struct image_error why;
	int error = store_open(ret_store, &why);
	return error ? image_say(command, error, &why) : 0;
}

int image_store_end(const struct command *command, struct image_store *store, int status)
{
	struct store_garbage garbage;
	struct image_error why;
	int error = store_collect(store, &garbage, &why);
	store_close(store);
	if (!error)
		return status;
	int other = image_say(command, error, &why);
	return status ? status : other;
}

/* Progress: one line, written anew a few times a second. */
static struct {
	struct timespec begun, told;
	bool shown;
} progress;

static double seconds_since(const struct timespec *then)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - then->tv_sec) + (double)(now.tv_nsec - then->tv_nsec) / 1e9;
}

static void tell(void *arg, u64 done, u64 total)
{
	char have[16], all[16];
	(void)arg;
	if (seconds_since(&progress.begun) < 1 || (progress.shown && seconds_since(&progress.told) < 0.2))
		return;
	clock_gettime(CLOCK_MONOTONIC, &progress.told);
	progress.shown = true;
	fprintf(stderr, "\r\033[Kunpacking: %s of %s", size_words(done, have), size_words(total, all));
}

void image_progress_begin(struct image_add *add)
{
	*add = (struct image_add){ 0 };
	if (!isatty(STDERR_FILENO))
		return;
	progress.shown = false;
	clock_gettime(CLOCK_MONOTONIC, &progress.begun);
	add->progress.tell = tell;
}

void image_progress_end(const struct command *command, const struct image_add *add)
{
	const struct {
		u64 count;
		const char *what;
	} lost[] = {
		{ add->report.lost_owners, "owners that this host does not let us set or note (they are root's now)" },
		{ add->report.lost_modes, "modes that this host does not let us set or note" },
		{ add->report.lost_devices, "device nodes that this host does not let us make or note" },
		{ add->report.lost_xattrs, "extended attributes that this host does not let us set or note" },
	};
	if (progress.shown)
		fputs("\r\033[K", stderr);
	for (size_t i = 0; i < ARRAY_SIZE(lost); i++)
		if (lost[i].count)
			fprintf(stderr, "lichen %s: warning: lost %llu %s\n", command->name, (unsigned long long)lost[i].count,
				lost[i].what);
}

const char *size_words(u64 bytes, char text[16])
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double size = (double)bytes;
	size_t unit = 0;
	for (; size >= 1000 && unit + 1 < ARRAY_SIZE(units); unit++)
		size /= 1000;
	snprintf(text, 16, "%.3g%s", size, units[unit]);
	return text;
}

const char *age_words(const char *created, char text[32])
{
	static const struct {
		long seconds;
		const char *unit;
	} units[] = { { 365L * 86400, "year" }, { 30L * 86400, "month" }, { 7L * 86400, "week" }, { 86400, "day" },
		      { 3600, "hour" },         { 60, "minute" },         { 1, "second" } };
	struct tm tm = { 0 };
	snprintf(text, 32, "N/A");
	if (!strptime(created, "%Y-%m-%dT%H:%M:%S", &tm))
		return text;
	long age = (long)(time(NULL) - timegm(&tm));
	snprintf(text, 32, "just now");
	for (size_t i = 0; i < ARRAY_SIZE(units) && age > 0; i++) {
		long count = age / units[i].seconds;
		if (count >= 2 || (count == 1 && units[i].seconds < 7L * 86400)) {
			snprintf(text, 32, "%ld %s%s ago", count, units[i].unit, count == 1 ? "" : "s");
			break;
		}
	}
	return text;
}
