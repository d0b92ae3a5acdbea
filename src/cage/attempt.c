/* SPDX-License-Identifier: Apache-2.0 */
/* What a record says that the guest tried: agent/trace_refusable.def has the letters, agent/trace_args.def what arguments point to. */
#include "cage/attempt.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "abi/filter_test.h"
#include "host/trace_file.h"

#define LINKS_MAX 40u /* as the kernel follows (path_resolution(7)) */

struct row {
	s32 nr;
	char kinds[8];
};

static const struct row refusable[] = {
#define TRACE_REFUSABLE(name, test, kinds) { __NR_##name, kinds },
#include "agent/trace_refusable.def"
#undef TRACE_REFUSABLE
};

static const struct row decoded[] = {
#define TRACE_ARGS(name, kinds) { __NR_##name, kinds },
#include "agent/trace_args.def"
#undef TRACE_ARGS
};

static const char *kinds_of(const struct row *rows, size_t count, s32 nr)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].nr == nr)
			return rows[i].kinds;
	return "";
}

const char *cage_call_name(s32 nr, char buffer[CAGE_CALL_NAME])
{
	static const struct {
		s32 nr;
		const char *name;
	} calls[] = {
#define CALL(number, name, ...) { number, #name },
#include "why/syscalls.def"
#undef CALL
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	(void)snprintf(buffer, CAGE_CALL_NAME, "syscall %d", nr);
	return buffer;
}

/* --- paths ----------------------------------------------------------------------------------------------------------------------- */

/* Appends the components of `bytes` to an absolute path that has no slash at its end ("" is the root). False: too long. */
static bool append(char path[PATH_MAX], const char *bytes, size_t size)
{
	size_t used = strlen(path);

	for (size_t at = 0, length; at < size && bytes[at]; at += length) {
		for (length = 0; at + length < size && bytes[at + length] && bytes[at + length] != '/'; length++)
			;
		if (length == 0) {
			length = 1;
			continue;
		}
		if (length == 1 && bytes[at] == '.')
			continue;
		if (length == 2 && bytes[at] == '.' && bytes[at + 1] == '.') {
			char *slash = strrchr(path, '/');

			if (slash)
				*slash = 0;
			used = strlen(path);
			continue;
		}
		if (used + 1 + length >= PATH_MAX)
			return false;
		path[used] = '/';
		memcpy(path + used + 1, bytes + at, length);
		used += 1 + length;
		path[used] = 0;
	}
	return true;
}

/* An absolute path out of a base, which is used for a relative one only. ret->path stays "" when it cannot be known. */
static void join(struct cage_attempt *ret, const struct trace_field *base, const char *bytes, size_t size)
{
	char path[PATH_MAX] = "";
	bool relative = !size || bytes[0] != '/';

	if (relative && (!base || !base->length || base->bytes[0] != '/'))
		return;
	if (relative)
		ret->cut |= (base->flags & TRACE_STRING_CUT) != 0;
	if ((relative && !append(path, base->bytes, base->length)) || !append(path, bytes, size))
		return;
	(void)snprintf(ret->path, sizeof(ret->path), "%s", *path ? path : "/");
}

static bool find_cwd(const struct trace_record *record, struct trace_field *ret)
{
	for (u32 at = 0; trace_field_next(record, &at, ret);)
		if (ret->flags & TRACE_STRING_CWD)
			return true;
	return false;
}

/* A process's own directory below /proc, as what everybody may look at is called. */
static void name_self(const struct trace_record *record, char path[PATH_MAX])
{
	char own[32], rest[PATH_MAX];
	size_t length = (size_t)snprintf(own, sizeof(own), "/proc/%d", record->pid);

	if (strncmp(path, own, length) != 0 || (path[length] && path[length] != '/'))
		return;
	memcpy(rest, path + length, strlen(path + length) + 1);
	if (snprintf(own, sizeof(own), "/proc/self") + strlen(rest) < PATH_MAX) {
		memcpy(path, own, strlen(own));
		memcpy(path + strlen(own), rest, strlen(rest) + 1);
	}
}

/* The path that an argument of the call is. */
static void get_path(const struct trace_record *record, u8 arg, struct cage_attempt *ret)
{
	const char *kinds = kinds_of(decoded, ARRAY_SIZE(decoded), record->nr);
	struct trace_field path, base;
	bool based;

	if (!trace_field_find(record, arg, 0, &path))
		return;
	based = arg && kinds[arg - 1] == 'D' && trace_field_find(record, (u8)(arg - 1), 0, &base);
	if (!based)
		based = find_cwd(record, &base);
	ret->cut = path.flags & TRACE_STRING_CUT;
	join(ret, based ? &base : NULL, path.bytes, path.length);
	name_self(record, ret->path);
}

bool cage_attempt_program(const struct trace_record *record, struct cage_attempt *ret)
{
	struct trace_field path, cwd;

	if (record->kind != TRACE_EXEC || !trace_field_find(record, 0, 0, &path))
		return false;
	*ret = (struct cage_attempt){
		.kind = CAGE_EXECUTES, .nr = record->nr, .links = true, .cut = path.flags & TRACE_STRING_CUT
	};
	join(ret, find_cwd(record, &cwd) ? &cwd : NULL, path.bytes, path.length);
	return ret->path[0];
}

/* Reads the link at `path`; its target takes the place of its name. False: it is none. */
static bool follow(char path[PATH_MAX])
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n <= 0 || n == (ssize_t)sizeof(target))
		return false;
	if (target[0] == '/')
		*path = 0;
	else
		*strrchr(path, '/') = 0;
	return append(path, target, (size_t)n);
}

static bool below_proc(const char *path)
{
	return strncmp(path, "/proc", 5) == 0 && (!path[5] || path[5] == '/');
}

void cage_attempt_resolve(char path[PATH_MAX], bool last)
{
	char done[PATH_MAX] = "", left[PATH_MAX];

	(void)snprintf(left, sizeof(left), "%s", path);
	for (u32 links = 0; *left && !below_proc(done);) {
		size_t length = strcspn(left + 1, "/") + 1;

		if (!append(done, left, length))
			return;
		memmove(left, left + length, strlen(left + length) + 1);
		if ((!*left && !last) || below_proc(done))
			continue;
		if (links == LINKS_MAX || !follow(done))
			continue;
		links++;
		/* what the link led to may hold links in turn: begin again with all of it */
		if (!append(done, left, strlen(left)))
			return;
		(void)snprintf(left, sizeof(left), "%s", done);
		done[0] = 0;
	}
	if (append(done, left, strlen(left)))
		(void)snprintf(path, PATH_MAX, "%s", *done ? done : "/");
}

/* --- attempts -------------------------------------------------------------------------------------------------------------------- */

static u32 open_flags(const struct trace_record *record)
{
	switch (record->nr) {
	case __NR_open:
		return (u32)record->args[1];
	case __NR_creat:
		return O_CREAT | O_WRONLY | O_TRUNC;
	default: /* openat; of openat2 the agent puts them there */
		return (u32)record->args[2];
	}
}

/* Whether the call follows a link that its whole path is. */
static bool follows(const struct trace_record *record, enum cage_attempt_kind kind)
{
	switch (record->nr) {
	case __NR_lchown:
	case __NR_lsetxattr:
	case __NR_lremovexattr:
	case __NR_lstat:
	case __NR_readlink:
	case __NR_readlinkat:
		return false;
	case __NR_newfstatat:
	case __NR_utimensat:
	case __NR_fchmodat2:
	case __NR_faccessat2:
		return !(record->args[3] & AT_SYMLINK_NOFOLLOW);
	case __NR_statx:
		return !(record->args[2] & AT_SYMLINK_NOFOLLOW);
	case __NR_fchownat:
	case __NR_execveat:
		return !(record->args[4] & AT_SYMLINK_NOFOLLOW);
	case __NR_linkat:
		return record->args[4] & AT_SYMLINK_FOLLOW;
	case __NR_link:
		return false;
	default:
		break;
	}
	if (kind == CAGE_OPENS)
		return !(open_flags(record) & O_NOFOLLOW) && (open_flags(record) & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
	return kind != CAGE_NAMES;
}

static void get_address(const struct trace_record *record, u8 arg, struct cage_attempt *ret)
{
	struct trace_field field, cwd;
	struct sockaddr_un name = { 0 };

	if (!trace_field_find(record, arg, 0, &field) || !(field.flags & TRACE_STRING_SOCKADDR) ||
	    field.length < sizeof(sa_family_t))
		return;
	memcpy(&ret->address, field.bytes, field.length < sizeof(ret->address) ? field.length : sizeof(ret->address));
	ret->address_size = field.length < sizeof(ret->address) ? field.length : sizeof(ret->address);
	if (ret->address.ss_family != AF_UNIX || ret->address_size <= offsetof(struct sockaddr_un, sun_path))
		return;
	memcpy(&name, &ret->address, ret->address_size < sizeof(name) ? ret->address_size : sizeof(name));
	ret->links = true;
	if (name.sun_path[0])
		join(ret, find_cwd(record, &cwd) ? &cwd : NULL, name.sun_path, strnlen(name.sun_path, sizeof(name.sun_path)));
}

/* What one letter of trace_refusable.def says of its argument. */
static void fill(const struct trace_record *record, char letter, u8 arg, struct cage_attempt *ret)
{
	switch (letter) {
	case 'O':
		ret->kind = CAGE_OPENS;
		ret->flags = open_flags(record);
		break;
	case 'W':
		ret->kind = CAGE_CHANGES;
		break;
	case 'M':
		ret->kind = CAGE_NAMES;
		break;
	case 'X':
		ret->kind = CAGE_EXECUTES;
		break;
	case 'L':
		ret->kind = CAGE_LOOKS;
		break;
	case 'C':
	case 'B':
		ret->kind = letter == 'C' ? CAGE_CONNECTS : CAGE_BINDS;
		get_address(record, arg, ret);
		return;
	case 'S':
		ret->kind = CAGE_SOCKETS;
		ret->number = (s32)record->args[0];
		ret->flags = (u32)record->args[1];
		ret->protocol = (s32)record->args[2];
		return;
	case 'G':
		ret->kind = CAGE_SIGNALS;
		ret->number = (s32)record->args[0];
		return;
	default:
		ret->kind = CAGE_CALLS;
		return;
	}
	get_path(record, arg, ret);
	ret->links = follows(record, ret->kind);
	if (record->nr == __NR_execveat && (record->args[4] & AT_EMPTY_PATH))
		ret->kind = CAGE_CALLS; /* a descriptor is executed: its path says nothing */
}

/* The n-th argument that letters speak of: its letter, or 0. */
static char find_letter(const char *kinds, u32 n, u8 *ret_arg)
{
	for (u8 arg = 0; kinds[arg]; arg++) {
		if (kinds[arg] == '-' || n-- > 0)
			continue;
		*ret_arg = arg;
		return kinds[arg];
	}
	return 0;
}

bool cage_attempt_get(const struct trace_record *record, u32 n, struct cage_attempt *ret)
{
	const char *kinds = kinds_of(refusable, ARRAY_SIZE(refusable), record->nr);
	u8 arg = 0;
	char letter;

	if (record->kind != TRACE_CALL && record->kind != TRACE_USED)
		return false;
	letter = find_letter(*kinds ? kinds : "N" /* one of the numbers that the caller named */, n, &arg);
	if (!letter)
		return false;
	*ret = (struct cage_attempt){ .nr = record->nr, .result = record->result };
	fill(record, letter, arg, ret);
	return true;
}
