/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/exe. The kernel's link of a member names the agent's image; the guest's program is the file mapped at LAYOUT_EXE, so the
 * answer is in the link's neighbour /proc/PID/maps, at that address. Asked only for paths that look like /proc/…/exe.
 */
#include "agent/engine.h"

#define AT_FDCWD_ (-100)
#define O_CLOEXEC_ 02000000
#define O_NOFOLLOW_ 0400000
#define PATH_MAX_ 4096u

bool exe_link_maps(const char *path, char *maps)
{
	u64 at = 6;

	if (strncmp(path, "/proc/", 6))
		return false;
	if (!strncmp(path + 6, "self/exe", 9)) {
		at = 10;
	} else if (!strncmp(path + 6, "thread-self/exe", 16)) {
		at = 17;
	} else {
		while (path[at] >= '0' && path[at] <= '9' && at < 20)
			at++;
		if (at == 6 || strncmp(path + at, "/exe", 5))
			return false;
	}
	memcpy(maps, path, at);
	memcpy(maps + at, "/maps", 6);
	return true;
}

/* Finds the line of LAYOUT_EXE in a maps file: copies its path to out (PATH_MAX_ bytes). Length, or negative errno. */
static long path_from_maps(const char *maps, char *out, char *chunk, u64 room)
{
	static const char wanted[] = "51ff00000000-";
	long fd = sys3(__NR_open, maps, O_CLOEXEC_, 0), n, result = -ENOENT;
	u64 have = 0;

	if (fd < 0)
		return fd;
	while (result == -ENOENT && (n = sys3(__NR_read, fd, chunk + have, room - have)) > 0) {
		u64 line = 0;

		have += (u64)n;
		for (u64 i = 0; i < have && result == -ENOENT; i++) {
			u64 from, length;

			if (chunk[i] != '\n')
				continue;
			if (i - line > sizeof(wanted) && !strncmp(chunk + line, wanted, sizeof(wanted) - 1)) {
				for (from = line; from < i && chunk[from] != '/'; from++)
					;
				length = i - from;
				if (length && length < PATH_MAX_) {
					memcpy(out, chunk + from, length);
					out[length] = 0;
					result = (long)length;
				}
			}
			line = i + 1;
		}
		memmove(chunk, chunk + line, have - line);
		have -= line;
		if (have == room)
			have = 0; /* a line longer than the buffer is not ours */
	}
	(void)sys1(__NR_close, fd);
	return result;
}

struct exe_scratch {
	char path[64], maps[64], target[PATH_MAX_], chunk[3 * PATH_MAX_];
};
static_assert(sizeof(struct exe_scratch) <= SLOT_SCRATCH, "fits a slot");

long exe_link_target(const char *path, char *out, char *work, u64 work_size)
{
	char maps[64];

	return exe_link_maps(path, maps) ? path_from_maps(maps, out, work, work_size) : -ESRCH;
}

/* The guest program behind a path argument, in scratch->target. Length, or negative: not such a link (or no member). */
static long resolve_exe(u64 path)
{
	struct exe_scratch *s = (struct exe_scratch *)slot_current()->scratch;
	long n = guest_read_string(s->path, path, sizeof(s->path));

	if (n < 0 || !exe_link_maps(s->path, s->maps))
		return -ESRCH;
	return path_from_maps(s->maps, s->target, s->chunk, sizeof(s->chunk));
}

static enum verdict read_exe_link(struct call *call, u32 path)
{
	struct exe_scratch *s = (struct exe_scratch *)slot_current()->scratch;
	long n = resolve_exe(call->arg[path]);
	s32 size = (s32)call->arg[path + 2];

	if (n < 0)
		return CALL_PASS;
	if (size <= 0) {
		call->ret = -EINVAL;
		return CALL_DONE;
	}
	if (n > size)
		n = size;
	call->ret = guest_write(call->arg[path + 1], s->target, (u64)n) < 0 ? -EFAULT : n;
	return CALL_DONE;
}

enum verdict engine_readlink(struct call *call)
{
	return read_exe_link(call, 0);
}

enum verdict engine_readlinkat(struct call *call)
{
	return read_exe_link(call, 1);
}

static enum verdict open_exe(struct call *call, u32 path)
{
	struct exe_scratch *s = (struct exe_scratch *)slot_current()->scratch;

	if ((call->arg[path + 1] & O_NOFOLLOW_) || resolve_exe(call->arg[path]) < 0)
		return CALL_PASS;
	if (exe_kept(s->path) >= 0) {
		if (call->arg[path + 1] & 3) { /* O_WRONLY, O_RDWR */
			call->ret = -ETXTBSY;
			return CALL_DONE;
		}
		agent_fd_link(s->target, (u32)exe_kept(s->path));
	}
	call->ret =
		agent_reissue(__NR_openat, (u64[6]){ (u64)AT_FDCWD_, (u64)s->target, call->arg[path + 1], call->arg[path + 2] });
	return CALL_DONE;
}

enum verdict engine_open(struct call *call)
{
	return open_exe(call, 0);
}

enum verdict engine_openat(struct call *call)
{
	return open_exe(call, 1);
}
