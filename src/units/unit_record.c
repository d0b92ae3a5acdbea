/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of units that were started. */
#include "units/unit_record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "host/cell_store.h"

void unit_record_done(struct unit_record *record)
{
	close_fd(&record->dir);
	json_decref(record->json);
	*record = UNIT_RECORD_NONE;
}

json_t *unit_record_unit(const struct unit_record *record, const char *name)
{
	json_t *unit;
	size_t i;

	json_array_foreach(json_object_get(record->json, "units"), i, unit)
	{
		const char *own = json_string_value(json_object_get(unit, "name"));

		if (own && strcmp(own, name) == 0)
			return unit;
	}
	return NULL;
}

/* Whether its last word was that nothing runs. */
static bool says_over(const json_t *json)
{
	const json_t *unit;
	size_t i;

	json_array_foreach(json_object_get(json, "units"), i, unit)
	{
		const char *active = json_string_value(json_object_get(unit, "active"));

		if (!active || (strcmp(active, "inactive") != 0 && strcmp(active, "failed") != 0))
			return false;
	}
	return true;
}

/* The start of a process, as units.json has it; 0: it is not there. */
static u64 started(pid_t pid)
{
	char path[32], text[1024];
	unsigned long long ticks = 0;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fgets(text, sizeof(text), file) && strrchr(text, ')'))
		/* NOLINTNEXTLINE(cert-err34-c): the kernel writes numbers */
		(void)sscanf(strrchr(text, ')') + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks);
	(void)fclose(file);
	return ticks + 1;
}

/* A main process that lives on: nobody adopted it when the manager was killed, and its environment may tell nothing any more. */
static void keep_left(struct unit_record *record, const json_t *unit)
{
	pid_t pid = (pid_t)json_integer_value(json_object_get(unit, "main_pid"));
	size_t at = 0;

	if (pid <= 1 || started(pid) != (u64)json_integer_value(json_object_get(unit, "main_started")))
		return;
	while (at < UNIT_RECORD_LEFT - 1 && record->left[at])
		at++;
	record->left[at] = pid;
}

/* The manager could not write down the end of these. */
static void correct(struct unit_record *record)
{
	json_t *unit, *json = record->json;
	size_t i;

	json_array_foreach(json_object_get(json, "units"), i, unit)
	{
		const char *active = json_string_value(json_object_get(unit, "active"));

		keep_left(record, unit);
		(void)json_object_del(unit, "main_started");
		(void)json_object_set_new(unit, "main_pid", json_null());
		(void)json_object_set_new(unit, "ready", json_false());
		if (active && (strcmp(active, "inactive") == 0 || strcmp(active, "failed") == 0))
			continue;
		(void)json_object_set_new(unit, "active", json_string("failed"));
		(void)json_object_set_new(unit, "sub", json_string("lost"));
		(void)json_object_set_new(unit, "result", json_string("manager-killed"));
		(void)json_object_set_new(unit, "why", json_string("its manager was killed"));
	}
}

int unit_record_read(int store, const char *id, struct unit_record *ret)
{
	struct unit_record record = UNIT_RECORD_NONE;
	json_error_t error;
	int r;

	record.dir = cell_store_dir(store, id);
	if (record.dir < 0)
		return record.dir;
	CLEANUP_FD int fd = openat(record.dir, UNIT_RECORD_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	r = fd < 0 ? -errno : 0;
	if (r == 0) {
		record.json = json_loadfd(fd, 0, &error);
		r = record.json ? cell_store_state(record.dir, &record.state) : -EBADMSG;
	}
	if (r < 0) {
		unit_record_done(&record);
		return r;
	}
	memcpy(record.id, id, CELL_ID_SIZE);
	record.alive = cell_store_alive(record.dir);
	record.lost = !record.alive && !says_over(record.json);
	if (record.lost)
		correct(&record);
	*ret = record;
	return 0;
}

int unit_record_find(int store, const char *name, struct unit_record *ret)
{
	char(*ids)[CELL_ID_SIZE] = NULL;
	int count = cell_store_list(store, &ids), r = count < 0 ? count : -ENOENT;

	for (int i = count; i-- > 0;) { /* the youngest first */
		struct unit_record record;

		if (unit_record_read(store, ids[i], &record) < 0)
			continue;
		if (!unit_record_unit(&record, name) || (r == 0 && !record.alive)) {
			unit_record_done(&record);
			continue;
		}
		if (r == 0)
			unit_record_done(ret);
		*ret = record;
		r = 0;
		if (record.alive)
			break;
	}
	free(ids);
	return r;
}
