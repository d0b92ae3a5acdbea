/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.event_control: "EVENTFD FILE [ARGUMENTS]" has an eventfd(2) told of what an open control file says. The supervisor sees memory, so it gets the
 * eventfd (host/cgroup_enforcer.h). memory.pressure_level is taken and never tells anything. memcg_write_event_control(), mm/memcontrol-v1.c.
 */
#include "gaps/cgroup/cgroup_int.h"

/* A number and the blank behind it, or the end of the text where that may be; negative: there is none. */
static s64 take_number(const char **at, bool last)
{
	u64 n = cg_parse_u64(at);

	if (**at != ' ' && !(last && !**at))
		return -1;
	*at += **at == ' ';
	return n > INT32_MAX ? INT32_MAX : (s64)n;
}

static long check_eventfd(s32 fd)
{
	static const char wanted[] = "anon_inode:[eventfd]";
	char link[AGENT_FD_LINK_SIZE], to[sizeof(wanted)];
	long n;

	agent_fd_link(link, (u32)fd);
	n = sys3(__NR_readlink, link, to, sizeof(to));
	if (n < 0)
		return -EBADF;
	return n == sizeof(wanted) - 1 && !memcmp(to, wanted, (u64)n) ? 0 : -EINVAL;
}

/* vmpressure_register_event(): "low", "medium" or "critical", and a mode behind a comma. */
static bool is_level(const char *text)
{
	static const char levels[][12] = { "low", "medium", "critical" }, modes[][12] = { "default", "hierarchy", "local" };

	for (u32 i = 0; i < ARRAY_SIZE(levels); i++) {
		u64 length = strlen(levels[i]);

		if (strncmp(text, levels[i], length))
			continue;
		if (!text[length])
			return true;
		for (u32 k = 0; k < ARRAY_SIZE(modes) && text[length] == ','; k++)
			if (!strcmp(text + length + 1, modes[k]))
				return true;
	}
	return false;
}

static long add(u32 group, s32 eventfd, u64 threshold)
{
	struct broker_request request = { .kind = BROKER_CGROUP_EVENT,
					  .a = (s64)((u64)cg_group(group)->generation << 32 | group),
					  .b = (s64)threshold };

	return broker_send(&request, eventfd);
}

long cg_write_event_control(u32 control, const char *text)
{
	s64 eventfd = take_number(&text, false), fd = eventfd < 0 ? -1 : take_number(&text, true);
	u64 threshold = CGROUP_NO_LIMIT;
	long group, r;
	u32 file;

	if (fd < 0)
		return -EINVAL;
	r = check_eventfd((s32)eventfd);
	if (r < 0)
		return r;
	if (sys2(__NR_fcntl, fd, 1 /* F_GETFD */) < 0)
		return -EBADF;
	group = cg_open_file((s32)fd, &file);
	if (group != (long)control) /* it is of another group, or none at all */
		return -EINVAL;
	switch (file) {
	case CG_V1_OOM_CONTROL:
		return add((u32)group, (s32)eventfd, CGROUP_NO_LIMIT);
	case CG_V1_MEMORY_USAGE:
	case CG_V1_MEMSW_USAGE:
		r = strcmp(text, "-1") ? cg_parse_bytes(*text ? text : "0", LAYOUT_PAGE, &threshold) : 0;
		return r < 0 ? r : threshold == CGROUP_NO_LIMIT ? 0 : add((u32)group, (s32)eventfd, threshold);
	case CG_V1_PRESSURE_LEVEL:
		return is_level(text) ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}
