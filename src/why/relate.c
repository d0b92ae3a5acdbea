// SPDX-License-Identifier: Apache-2.0
/*
 * Which line tells of which refused call. Each thing that the line says of the call gives points; a line is about the call with most
 * points, the later one among equals, if they are at least RELATED. What counts is in relate_score().
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "why/call.h"
#include "why/finding_int.h"

#define SECOND UINT64_C(1000000000)
#define RELATED 5
#define WORDLESS_SECONDS 10 /* a line that has the errno's text and nothing else of the call must follow it within this time */

static bool is_word(u8 c)
{
	return isalnum(c) || c == '_';
}

/* Whether the text has the word, with no letter or digit on either side. */
static bool has(const char *text, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = length ? text : NULL; at && (at = strcasestr(at, word)); at++)
		if ((at == text || !is_word((u8)at[-1]) || !is_word((u8)word[0])) &&
		    (!is_word((u8)at[length]) || !is_word((u8)word[length - 1])))
			return true;
	return false;
}

/* How people put an errno without its own text. */
static const struct {
	int error;
	const char *words;
} paraphrases[] = {
	{ EPERM, "permission denied" },
	{ EPERM, "must be root" },
	{ EPERM, "superuser" },
	{ EPERM, "not permitted" },
	{ EACCES, "not permitted" },
	{ ENOENT, "not found" },
	{ ENOENT, "does not exist" },
	{ ENOENT, "no such file" },
	{ ENODEV, "unknown filesystem type" },
	{ EINVAL, "wrong fs type" },
	{ EADDRINUSE, "in use" },
	{ ENOSYS, "not implemented" },
	{ EROFS, "read-only" },
	{ ENOSPC, "no space" },
	{ ENOMEM, "out of memory" },
	{ ENOTEMPTY, "not empty" },
	{ EOPNOTSUPP, "not supported" },
	{ EAFNOSUPPORT, "not supported" },
	{ EPROTONOSUPPORT, "not supported" },
};

/* Points for naming the errno: its text, its name, or its number as Python and Rust write it: 4; a paraphrase: 3. */
static s8 errno_points(const char *text, int error)
{
	const char *words = strerrordesc_np(error), *name = strerrorname_np(error);
	char python[24], rust[24];
	snprintf(python, sizeof(python), "[Errno %d]", error);
	snprintf(rust, sizeof(rust), "(os error %d)", error);
	if ((words && strcasestr(text, words)) || (name && has(text, name)) || strstr(text, python) || strstr(text, rust))
		return 4;
	for (size_t i = 0; i < ARRAY_SIZE(paraphrases); i++)
		if (paraphrases[i].error == error && strcasestr(text, paraphrases[i].words))
			return 3;
	return 0;
}

/* Whether the line names the system call, or what people call it: "chown" for fchownat, "stat" for newfstatat. */
static bool has_call(const char *text, const char *name)
{
	static const char *const stems[] = { "open",       "chown",   "chmod",  "mkdir",  "mknod",    "link",     "unlink",
					     "rename",     "symlink", "stat",   "statx",  "access",   "exec",     "mount",
					     "clone",      "fork",    "socket", "bind",   "connect",  "unshare",  "setns",
					     "pivot_root", "mmap",    "write",  "read",   "truncate", "allocate", "chroot",
					     "keyctl",     "shmget",  "semget", "msgget", NULL };
	if (has(text, name))
		return true;
	for (const char *const *stem = stems; *stem; stem++)
		if (strstr(name, *stem) && has(text, *stem))
			return true;
	return false;
}

/* Points for a path: in full, or its last part; not where that is the name with which the program begins its messages. */
static int path_points(const char *text, const char *path, const char *program)
{
	const char *name = model_name(path);
	if (strlen(path) > 1 && has(text, path))
		return 5;
	return strlen(name) >= 2 && strcmp(name, program) != 0 && has(text, name) ? 3 : 0;
}

/* Points for the address of a socket. */
static int port_points(const char *text, const struct trace_record *record)
{
	char number[12];
	int port = look_port_of(record);
	snprintf(number, sizeof(number), "%d", port);
	return port > 0 && has(text, number) ? 3 : 0;
}

/* The same, looked up once for each errno. */
static int told_points(struct relation *relation, int error)
{
	if (error <= 0 || error >= RELATION_ERRNOS)
		return 0;
	s8 *told = &relation->told[error];
	if (*told == 0) {
		s8 points = errno_points(relation->line->text, error);
		*told = points > 0 ? points : -1;
	}
	return *told > 0 ? *told : 0;
}

int relate_score(const struct model *model, struct relation *relation, const struct model_refusal *refusal)
{
	const struct call_form *form = call_form(refusal->record->nr);
	const struct model_line *line = relation->line;
	bool own = line->process == refusal->process;
	if (refusal->order > line->order)
		return 0;
	int told = told_points(relation, refusal->error);
	if (told == 0 && (!line->alarm || refusal_is_quiet(refusal)))
		return 0;
	int place = refusal->path ? path_points(line->text, refusal->path, model_name(line->program))
				  : port_points(line->text, refusal->record);
	int call = form && has_call(line->text, form->name) ? 2 : 0;
	/* Without the errno: the whole path, or the port and the call. What is printed as information must name the errno properly. */
	if ((told == 0 && place < 5 && (place < 3 || refusal->path || !call)) || (told < 4 && line->severity == SEVERITY_INFO))
		return 0;
	/* Nothing but the errno: it must be this process's own and recent, and not one of a search, nor guessed from a paraphrase. */
	if (place == 0 && call == 0 &&
	    (!own || line->time > refusal->record->time + WORDLESS_SECONDS * SECOND || refusal_is_search(refusal) ||
	     (told < 4 && refusal_is_quiet(refusal))))
		return 0;
	int score = told + place + call;
	if (own)
		score += line->tid == refusal->record->tid ? 2 : 1;
	else if (!model_descends(model, refusal->process, line->process) && !model_descends(model, line->process, refusal->process))
		score -= 2;
	return score >= RELATED ? score : 0;
}

/* The places where libraries, locales and the like are searched for. */
bool refusal_is_search(const struct model_refusal *refusal)
{
	static const char *const parts[] = { "/etc/ld.so.",   ".so",          "/locale", "/gconv", "/terminfo",
					     "LC_MESSAGES",   "/zoneinfo",    "/nls/",   ".pyc",   "/python3",
					     "/node_modules", "/etc/selinux", "/nscd/" };
	if (refusal->found_later)
		return true;
	if (refusal->error != ENOENT || !refusal->path)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (strstr(refusal->path, parts[i]))
			return true;
	return false;
}

/* One row per answer that programs expect; NULL = whatever the call. */
static const struct {
	const char *call;
	int error;
} quiet[] = {
	{ NULL, EAGAIN },
	{ NULL, EINTR },
	{ NULL, EINPROGRESS },
	{ NULL, EALREADY },
	{ NULL, ECHILD },
	{ NULL, EEXIST },
	{ NULL, ENODATA },
	{ NULL, ETIMEDOUT },
	{ NULL, EISCONN },
	{ NULL, ENOTCONN },
	{ NULL, EPIPE },
	{ NULL, ECANCELED },
	{ "ioctl", ENOTTY },
	{ "ioctl", EINVAL },
	{ "ioctl", EOPNOTSUPP },
	{ "lseek", ESPIPE },
	{ "readlink", EINVAL },
	{ "readlinkat", EINVAL },
	{ "access", ENOENT },
	{ "faccessat", ENOENT },
	{ "faccessat2", ENOENT },
	{ "stat", ENOENT },
	{ "lstat", ENOENT },
	{ "newfstatat", ENOENT },
	{ "statx", ENOENT },
	{ "readlink", ENOENT },
	{ "readlinkat", ENOENT },
	{ "unlink", ENOENT },
	{ "unlinkat", ENOENT },
	{ "getxattr", EOPNOTSUPP },
	{ "lgetxattr", EOPNOTSUPP },
	{ "fgetxattr", EOPNOTSUPP },
	{ "openat2", ENOSYS },
	{ "clone3", ENOSYS },
	{ "statx", ENOSYS },
	{ "statx", EINVAL },
	{ "faccessat2", ENOSYS },
	{ "rseq", ENOSYS },
	{ "rseq", EINVAL },
	{ "mseal", ENOSYS },
	{ "close_range", ENOSYS },
	{ "pidfd_open", ENOSYS },
	{ "copy_file_range", ENOSYS },
	{ "copy_file_range", EXDEV },
	{ "copy_file_range", EINVAL },
	{ "io_uring_setup", ENOSYS },
	{ "io_uring_setup", EPERM },
	{ "landlock_create_ruleset", ENOSYS },
	{ "landlock_create_ruleset", EOPNOTSUPP },
	{ "membarrier", ENOSYS },
	{ "membarrier", EINVAL },
	{ "prctl", EINVAL },
	{ "kill", ESRCH },
	{ "tgkill", ESRCH },
	{ "setsockopt", ENOPROTOOPT },
	{ "getsockopt", ENOPROTOOPT },
	{ "fcntl", EBADF },
	{ "close", EBADF },
	{ "mprotect", EINVAL },
	{ "madvise", EINVAL },
	{ "openat", ENXIO },
	{ "get_mempolicy", ENOSYS },
};

bool refusal_is_quiet(const struct model_refusal *refusal)
{
	const struct call_form *form = call_form(refusal->record->nr);
	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++)
		if (quiet[i].error == refusal->error && (!quiet[i].call || (form && strcmp(quiet[i].call, form->name) == 0)))
			return true;
	return false;
}
