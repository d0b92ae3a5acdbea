/* SPDX-License-Identifier: Apache-2.0 */
/* What the manager writes down (docs/unit-json.md): units.json in the cell's directory, replaced whole each time. */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/cell_config.h"
#include "units/manager_int.h"
#include "units/unit_record.h"

/* systemd's names of states: ActiveState and SubState of systemctl show. */
static const struct {
	const char *active, *sub;
} names[] = {
	[MANAGED_WAITING] = { "activating", "waiting" },
	[MANAGED_START_PRE] = { "activating", "start-pre" },
	[MANAGED_START] = { "activating", "start" },
	[MANAGED_START_POST] = { "activating", "start-post" },
	[MANAGED_ASKED] = { "activating", "asked" },
	[MANAGED_PROVING] = { "activating", "proving" },
	[MANAGED_RUNNING] = { "active", "running" },
	[MANAGED_ACTIVE_EXITED] = { "active", "exited" },
	[MANAGED_STOP] = { "deactivating", "stop" },
	[MANAGED_STOP_TERM] = { "deactivating", "stop-sigterm" },
	[MANAGED_STOP_KILL] = { "deactivating", "stop-sigkill" },
	[MANAGED_STOP_POST] = { "deactivating", "stop-post" },
	[MANAGED_AUTO_RESTART] = { "activating", "auto-restart" },
	[MANAGED_DEAD] = { "inactive", "dead" },
	[MANAGED_FAILED] = { "failed", "failed" },
	[MANAGED_SKIPPED] = { "inactive", "condition" },
};

static json_t *list_json(const struct word_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(array, cell_text_json(list->words[i]));
	return array;
}

static json_t *text_or_null(const char *text)
{
	return text && *text ? cell_text_json(text) : json_null();
}

/* What became of its proof; NULL: lichen knows none. */
static json_t *proof_json(const struct managed *managed)
{
	const struct unit_profile *profile = managed->profile;
	json_t *proof = profile->proof == PROOF_NONE ? NULL
						     : json_pack("{s:s, s:s}", "by", "container", "state",
								 !profile->proves        ? "off"
								 : managed->proven       ? "passed"
								 : managed->proof_failed ? "failed"
											 : "waiting");

	if (managed->proven)
		(void)json_object_set_new(proof, "seconds", json_real((double)managed->proof_ms / 1000));
	return proof;
}

static json_t *unit_json(const struct managed *managed)
{
	const struct unit *unit = managed->unit;
	const char *description = unit_get(unit, "Unit", "Description");
	const char *sub = managed->state == MANAGED_RUNNING && unit_is_socket(unit) ? "listening" : names[managed->state].sub;
	bool ended = managed->state >= MANAGED_DEAD && managed->state != MANAGED_SKIPPED && unit_is_service(unit);
	json_t *object = json_pack(
		"{s:s, s:o, s:s, s:s, s:b, s:b, s:b, s:I, s:o, s:I, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
		unit->name.full, "description", text_or_null(description), "active",
		managed->reloading && managed->state == MANAGED_RUNNING ? "reloading" : names[managed->state].active, "sub", sub,
		"ready", managed_is_up(managed), "was_ready", managed->was_ready, "required", managed->required, "since",
		(json_int_t)managed->since, "main_pid", managed->main_pid ? json_integer(managed->main_pid) : json_null(),
		"restarts", (json_int_t)managed->restarts, "restart_why", text_or_null(managed->restart_why), "exit",
		ended ? json_integer(managed->status) : json_null(), "result", managed->result, "why", text_or_null(managed->why),
		"status", text_or_null(managed->status_text), "path", text_or_null(unit->path), "drop_ins",
		list_json(&unit->drop_ins), "added", list_json(&managed->profile->added), "notes", list_json(&managed->notes),
		"leaves", list_json(&managed->leaves));

	if (object && managed->main_pid)
		(void)json_object_set_new(object, "main_started", json_integer((json_int_t)managed->main_started));
	if (object && managed->profile->request.kind != REQUEST_NONE)
		(void)json_object_set_new(object, "asked",
					  json_pack("{s:s, s:s}", "request", request_name(managed->profile->request.kind), "at",
						    managed->profile->request.address));
	if (object && managed->profile->proof != PROOF_NONE)
		(void)json_object_set_new(object, "proof", proof_json(managed));
	return object;
}

void manager_write(struct manager *manager)
{
	json_t *units = json_array();
	json_t *object = json_pack("{s:s, s:s, s:i, s:o}", "schema", UNIT_RECORD_SCHEMA, "head",
				   manager->start->set->head->name.full, "manager", (int)getpid(), "units", units);
	int fd;

	for (size_t i = 0; i < manager->count; i++)
		(void)json_array_append_new(units, unit_json(&manager->units[i]));
	fd = openat(manager->cell.dir, UNIT_RECORD_FILE ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (object && fd >= 0 && json_dumpfd(object, fd, JSON_INDENT(1)) == 0)
		(void)renameat(manager->cell.dir, UNIT_RECORD_FILE ".new", manager->cell.dir, UNIT_RECORD_FILE);
	if (fd >= 0)
		(void)close(fd);
	json_decref(object);
}
