// SPDX-License-Identifier: Apache-2.0
/* Looks at what confines processes: memory and its limits, capabilities, seccomp. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/capability_names.h"
#include "why/call.h"
#include "why/look_int.h"

/* A figure of our control group, v2 or v1. Returns whether there is one that limits. */
static bool cgroup_figure(const char *v2, const char *v1, u64 *ret_value)
{
	char group[512], path[1200], value[64];
	if (look_file_line("/proc/self/cgroup", "0::", group, sizeof(group))) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/%s", strcmp(group, "/") == 0 ? "" : group, v2);
		if (look_file_line(path, NULL, value, sizeof(value)) && value[0] >= '0' && value[0] <= '9') {
			*ret_value = strtoull(value, NULL, 10);
			return true;
		}
	}
	snprintf(path, sizeof(path), "/sys/fs/cgroup/memory/%s", v1);
	if (!look_file_line(path, NULL, value, sizeof(value)))
		return false;
	*ret_value = strtoull(value, NULL, 10);
	return *ret_value < UINT64_C(1) << 60; /* v1 says no limit by a huge number */
}

void look_memory(const struct look_subject *subject, char *text, size_t size)
{
	char asked[96] = "", limit_text[24], free_text[24] = "?", available[64];
	const struct trace_record *record = subject->refusal ? subject->refusal->record : NULL;
	const struct call_form *form = record ? call_form(record->nr) : NULL;
	struct rlimit limit;
	u64 group, left = 0;
	if (form && strcmp(form->name, "mmap") == 0)
		snprintf(asked, sizeof(asked), "it asked for %s at once; ", look_bytes(record->args[1], limit_text));
	if (look_file_line("/proc/meminfo", "MemAvailable", available, sizeof(available))) {
		left = strtoull(available, NULL, 10) * 1024;
		look_bytes(left, free_text);
	}
	if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
		snprintf(text, size, "%sthe limit on address space (ulimit -v) is %s", asked,
			 look_bytes(limit.rlim_cur, limit_text));
	else if (cgroup_figure("memory.max", "memory.limit_in_bytes", &group))
		snprintf(text, size, "%sthe control group's limit is %s", asked, look_bytes(group, limit_text));
	else if (form && strcmp(form->name, "mmap") == 0 && left > record->args[1])
		snprintf(text, size,
			 "%s%s are free here, and lichen itself has no limit: the program or its shell set one (ulimit -v)", asked,
			 free_text);
	else
		snprintf(text, size, "%s%s are free here", asked, free_text);
}

u64 look_oom_kills(void)
{
	char kills[32];
	return look_file_line("/proc/vmstat", "oom_kill ", kills, sizeof(kills)) ? strtoull(kills, NULL, 10) : LOOK_UNKNOWN;
}

void look_oom(const struct look_subject *subject, char *text, size_t size)
{
	u64 now = look_oom_kills();
	if (now == LOOK_UNKNOWN || subject->oom_kills == LOOK_UNKNOWN)
		snprintf(text, size, "whether memory ran out cannot be seen from here");
	else if (now > subject->oom_kills)
		snprintf(text, size,
			 "memory ran out: the kernel killed for lack of it while this ran (oom_kill in /proc/vmstat grew by %llu)",
			 (unsigned long long)(now - subject->oom_kills));
	else
		snprintf(text, size,
			 "the kernel killed nobody for lack of memory while this ran (/proc/vmstat): somebody sent the signal");
}

/* What the call needs; NULL = not in the table. */
static const char *need_of(const struct trace_record *record)
{
	static const struct {
		const char *call, *need;
	} rows[] = {
#define PRIVILEGE(call, need) { call, need },
#include "why/privileges.def"
#undef PRIVILEGE
	};
	char *call = NULL;
	size_t size = 0;
	const char *need = NULL;
	FILE *stream = open_memstream(&call, &size);
	if (!stream)
		return NULL;
	call_print(record, stream);
	if (fclose(stream))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(rows) && !need; i++)
		if (fnmatch(rows[i].call, call, 0) == 0)
			need = rows[i].need;
	free(call);
	return need;
}

/* The bit of the first capability that a text names, -1 = none; *ret_name: its name. capabilities(7) */
static int capability_in(const char *text, char name[32])
{
	static const char *const names[] = { CAPABILITY_NAMES };
	const char *at = text ? strstr(text, "CAP_") : NULL;
	size_t length = at ? strspn(at + 4, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") : 0;
	for (size_t i = 0; at && i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == length && strncmp(names[i], at + 4, length) == 0) {
			snprintf(name, 32, "CAP_%s", names[i]);
			return (int)i;
		}
	return -1;
}

void look_privilege(const struct look_subject *subject, char *text, size_t size)
{
	char value[64] = "0", seccomp[16] = "", privileges[16] = "", uid[64] = "?", name[32], has[128] = "";
	const char *need = subject->refusal ? need_of(subject->refusal->record) : NULL;
	int capability = capability_in(need, name);
	(void)look_file_line("/proc/self/status", "CapEff:", value, sizeof(value));
	(void)look_file_line("/proc/self/status", "Seccomp:", seccomp, sizeof(seccomp));
	(void)look_file_line("/proc/self/status", "NoNewPrivs:", privileges, sizeof(privileges));
	(void)look_file_line("/proc/self/status", "Uid:", uid, sizeof(uid));
	bool held = capability >= 0 && (strtoull(value, NULL, 16) >> capability & 1);
	bool filtered = strcmp(seccomp, "2") == 0;
	if (capability >= 0)
		snprintf(has, sizeof(has), " %s %s", held ? "with" : "without", name);
	else
		snprintf(has, sizeof(has), " with capabilities %s", value);
	snprintf(text, size, "%s%s%slichen, and so the command, began as uid %.*s%s%s%s%s",
		 need && !subject->known ? "it needs " : "", need && !subject->known ? need : "",
		 need && !subject->known ? "; " : "", (int)strcspn(uid, "\t "), uid, has,
		 filtered ? ", under a seccomp filter" : "", strcmp(privileges, "1") == 0 ? ", and may gain no privileges" : "",
		 held && filtered ? ": so the filter forbids it"
		 : held           ? ": so something else forbids it, a security module or the file system"
				  : "");
}
