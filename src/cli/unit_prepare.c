// SPDX-License-Identifier: Apache-2.0
/* What lichen up finds out before it starts anything: the units, whether their programs are there, and what the machine lacks. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/units.h"
#include "host/launch_command.h"
#include "host/probe.h"
#include "host/program_needs.h"
#include "lichen.h"
#include "units/unit_command.h"
#include "units/unit_run.h"

void up_done(struct up *up)
{
	unit_set_done(&up->set);
	unit_profiles_done(&up->profiles);
	word_list_done(&up->outside);
}

static int say_not_installed(const struct command *command, const char *unit, const char *what)
{
	const char *package = unit_package(unit);
	fprintf(stderr, "lichen %s: %s\n", command->name, what);
	if (package)
		fprintf(stderr, "Debian's package %s has it: apt-get install %s\n", package, package);
	return LICHEN_UP_NOT_INSTALLED;
}

static int load_set(struct up *up, const char *name)
{
	struct word_list directories = { 0 };
	CLEANUP_FREE char *why = NULL;
	struct unit_name parsed;
	enum unit_set_error error = UNIT_SET_NO_MEMORY;
	if (unit_directories(&directories) == 0)
		error = unit_set_load(&directories, name, &up->set, &why);
	word_list_done(&directories);
	switch (error) {
	case UNIT_SET_OK:
		return -1;
	case UNIT_SET_NOT_FOUND:
		return say_not_installed(up->command, unit_name_parse(name, &parsed) == 0 ? parsed.full : name,
					 why ? why : "there is no such unit");
	case UNIT_SET_BAD_NAME:
		fprintf(stderr, "lichen %s: %s\n", up->command->name, why ? why : "this is no name of a unit");
		return LICHEN_EXIT_USAGE;
	case UNIT_SET_NO_MEMORY:
		fprintf(stderr, "lichen %s: out of memory\n", up->command->name);
		return LICHEN_EXIT_SOFTWARE;
	default:
		fprintf(stderr, "lichen %s: %s\n", up->command->name, why ? why : "the unit cannot be run");
		return LICHEN_EXIT_DATA;
	}
}

/* Leaves out units that run in other cells already. */
static int leave_out_running(struct up *up, int store)
{
	struct unit_set *set = &up->set;
	size_t kept = 0;
	for (size_t i = 0; i < set->count; i++) {
		struct unit_record record = UNIT_RECORD_NONE;
		bool elsewhere = set->units[i] != set->head && unit_record_find(store, set->units[i]->name.full, &record) == 0 &&
				 record.alive;
		unit_record_done(&record);
		if (elsewhere && word_list_add(&up->outside, set->units[i]->name.full) < 0)
			return LICHEN_EXIT_SOFTWARE;
		if (elsewhere) {
			unit_free(set->units[i]);
			continue;
		}
		set->units[kept] = set->units[i];
		set->need[kept++] = set->need[i];
	}
	set->count = kept;
	return -1;
}

/* Whether the programs of a unit's ExecStart= are there, and what they need. Returns -1, or the exit status after saying what is missing. */
static int look_at_programs(struct up *up, const struct unit *unit)
{
	static char search[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *const path[] = { search, NULL };
	struct unit_commands commands;
	CLEANUP_FREE char *why = NULL;
	int status = -1, r = unit_commands(unit, "Service", "ExecStart", &commands, &why);
	if (r < 0) {
		fprintf(stderr, "lichen %s: %s\n", up->command->name, why ? why : "out of memory");
		return r == -ENOMEM ? LICHEN_EXIT_SOFTWARE : LICHEN_EXIT_DATA;
	}
	for (size_t i = 0; i < commands.count && status < 0; i++) {
		char file[PATH_MAX], text[PATH_MAX + 300];
		struct program_needs needs;
		if (launch_find_command(commands.rows[i].program, path, file) < 0 || access(file, X_OK) < 0) {
			snprintf(text, sizeof(text), "%s is not installed: there is no program %s", unit->name.full,
				 commands.rows[i].program);
			status = say_not_installed(up->command, unit->name.full, text);
		} else if (program_examine(file, &needs) == 0) {
			up->needs |= needs.needs;
		}
	}
	unit_commands_done(&commands);
	return status;
}

/* What the kernel refuses and nothing fills. */
static u32 refused_gaps(const struct plan *plan)
{
	u32 gaps = 0;
	for (int id = 0; id < GAP_COUNT; id++)
		if (plan->rows[id].state == PLAN_REFUSED)
			gaps |= GAP_BIT(id);
	return gaps;
}

/* What a unit's programs are given with what they need: control groups are mounted in the cell's tree; who makes containers makes namespaces of all kinds in
 * it, as somebody who may; and who is root by lichen's word alone changes sysctls of the cell. */
static u32 with_company(u32 wanted)
{
	if (wanted & (GAP_BIT(GAP_cgroup) | GAP_BIT(GAP_namespaces) | GAP_BIT(GAP_mounts)))
		wanted |= GAP_BIT(GAP_mounts) | GAP_BIT(GAP_namespaces) | GAP_BIT(GAP_identity) | GAP_BIT(GAP_sysvipc);
	if ((wanted & GAP_BIT(GAP_identity)) && geteuid() != 0)
		wanted |= GAP_BIT(GAP_sysctl);
	return wanted;
}

static int make_plan(struct up *up)
{
	struct gap_finding findings[GAP_COUNT] = { 0 };
	u32 named = up->request.emulate;
	for (size_t i = 0; i < up->set.count; i++)
		if (unit_is_service(up->set.units[i]) && unit_needs_identity(up->set.units[i]))
			up->request.emulate |= GAP_BIT(GAP_identity) & ~up->request.native;
	up->request.emulate &= gaps_built();
	int error = probe_gaps(GAPS_ALL, up->request.refuse, findings);
	if (error) {
		fprintf(stderr, "lichen: cannot probe this host: %s (%s)\n", strerror(-error), errno_name(-error));
		return LICHEN_EXIT_SOFTWARE;
	}
	plan_make(&up->request, gaps_built(), GAPS_ALL, findings, &up->plan);
	u32 wanted = with_company(refused_gaps(&up->plan) & up->needs & gaps_built()) & ~up->request.native;
	if (wanted) { /* what lichen fills on request alone: the units' programs do request it */
		up->request.emulate |= wanted;
		plan_make(&up->request, gaps_built(), GAPS_ALL, findings, &up->plan);
		for (int id = 0; id < GAP_COUNT; id++)
			if (wanted & GAP_BIT(id))
				snprintf(up->plan.rows[id].reason, sizeof(up->plan.rows[id].reason), "%s",
					 findings[id].presence == GAP_PRESENT ? "comes with what else the units' programs need"
									      : "missing here, and the units' programs need it");
	}
	u32 missing = refused_gaps(&up->plan);
	if (unit_profiles_find(&up->set, missing, up->plan.emulated, &up->profiles) < 0)
		return LICHEN_EXIT_SOFTWARE;
	for (size_t i = 0; i < up->set.count; i++)
		up->profiles.of[i].proves &= !up->given->no_proof;
	up->unmet = up->needs & missing & ~unit_profiles_without(&up->set, missing) & ~named;
	return -1;
}

int up_prepare(const struct command *command, const struct up_options *given, int store, const char *name, struct up *ret)
{
	*ret = (struct up){ .command = command, .given = given };
	int status = guest_request(command, &given->guest, &ret->request);
	if (status < 0)
		status = load_set(ret, name);
	if (status < 0)
		status = leave_out_running(ret, store);
	for (size_t i = 0; i < ret->set.count && status < 0; i++)
		if (unit_is_service(ret->set.units[i]))
			status = look_at_programs(ret, ret->set.units[i]);
	if (status < 0)
		status = make_plan(ret);
	return status < 0 ? up_add_runtimes(ret) : status;
}
