/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers what a run used: see the header. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#include "base/hash.h"
#include "cage/learn_int.h"

/* --- lists ------------------------------------------------------------------------------------------------------------------------ */

/* The slot of a string, or the free one where it belongs. There is one: at most half are taken. */
static u32 *slot_of(const struct learnt *list, const char *text)
{
	size_t slots = 2 * list->room, at = hash_bytes(HASH_BEGIN, text, strlen(text)) % slots;

	while (list->slot[at] && strcmp(list->row[list->slot[at] - 1].path, text) != 0)
		at = (at + 1) % slots;
	return &list->slot[at];
}

static int grow(struct learnt *list)
{
	size_t room = list->room ? 2 * list->room : 64;
	struct learnt_path *row = reallocarray(list->row, room, sizeof(*row));
	u32 *slot;

	if (!row)
		return -ENOMEM;
	list->row = row;
	slot = calloc(2 * room, sizeof(*slot));
	if (!slot)
		return -ENOMEM;
	free(list->slot);
	list->slot = slot;
	list->room = room;
	for (size_t i = 0; i < list->count; i++)
		*slot_of(list, list->row[i].path) = (u32)i + 1;
	return 0;
}

int learnt_add(struct learnt *list, const char *text, u32 access)
{
	u32 *slot;
	int r = list->count == list->room ? grow(list) : 0;

	if (r < 0)
		return r;
	slot = slot_of(list, text);
	if (!*slot) {
		char *copy = strdup(text);

		if (!copy)
			return -ENOMEM;
		list->row[list->count] = (struct learnt_path){ .path = copy };
		*slot = (u32)++list->count;
	}
	list->row[*slot - 1].access |= access;
	return 0;
}

struct learnt_path *learnt_row(const struct learnt *list, const char *text)
{
	return &list->row[*slot_of(list, text) - 1];
}

bool learnt_has(const struct learnt *list, const char *text)
{
	return list->count && *slot_of(list, text);
}

void learnt_done(struct learnt *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->row[i].path);
	free(list->row);
	free(list->slot);
	*list = (struct learnt){ 0 };
}

bool learn_writable(const char *text)
{
	struct cage_denial denial = { 0 };
	char printed[CAGE_OBJECT_PRINTED];

	(void)snprintf(denial.object, sizeof(denial.object), "%s", text);
	return !strpbrk(text, "*?") && strcmp(cage_denial_print(&denial, printed), text) == 0;
}

/* --- files ---------------------------------------------------------------------------------------------------------------------- */

static void add(struct cage_learner *learner, struct learnt *list, const char *text, u32 access)
{
	int r;

	if (learner->tmp && policy_within(learner->tmp, text)) {
		learner->uses_tmp |= strcmp(learner->tmp, text) != 0;
		learner->executes_tmp |= list == &learner->files && (access & CAGE_EXECUTE);
		return;
	}
	if ((list != &learner->made && !learn_writable(text)) || (list->count >= LEARN_PATHS_MOST && !learnt_has(list, text))) {
		learner->left_out++;
		return;
	}
	r = learnt_add(list, text, access);
	if (r < 0)
		learner->error = r;
}

/* Processes have other numbers next time: /proc/self for its own, all of /proc for others'. True: it was such a path. */
static bool add_process(struct cage_learner *learner, const char *path, s32 pid)
{
	char *end;
	long number;

	if (strncmp(path, "/proc/", 6) != 0 || path[6] < '0' || path[6] > '9')
		return false;
	number = strtol(path + 6, &end, 10);
	if (number != pid)
		add(learner, &learner->files, "/proc", CAGE_READ);
	return true;
}

/* As it was named and as what that is: a root of its own holds the links, too. */
static void add_file(struct cage_learner *learner, const struct cage_attempt *attempt, u32 access, s32 pid)
{
	char path[PATH_MAX];

	if (add_process(learner, attempt->path, pid))
		return;
	memcpy(path, attempt->path, sizeof(path));
	add(learner, &learner->files, path, access);
	cage_attempt_resolve(path, attempt->links);
	if (strcmp(path, attempt->path) != 0 && !add_process(learner, path, pid))
		add(learner, &learner->files, path, access);
}

/* Whether an opened file was not there when the run began. Where a file system does not tell when a file was made, O_CREAT counts as making it. */
static bool is_new(const struct cage_learner *learner, const struct cage_attempt *attempt)
{
	struct statx st;

	if (!(attempt->flags & O_CREAT) || policy_within("/proc", attempt->path))
		return false;
	if (statx(AT_FDCWD, attempt->path, 0, STATX_TYPE | STATX_BTIME, &st) < 0)
		return true;
	if ((st.stx_mask & STATX_TYPE) && (st.stx_mode & S_IFMT) != S_IFREG)
		return false;
	if (!(st.stx_mask & STATX_BTIME))
		return true;
	return st.stx_btime.tv_sec > learner->begun.tv_sec ||
	       (st.stx_btime.tv_sec == learner->begun.tv_sec && st.stx_btime.tv_nsec >= learner->begun.tv_nsec);
}

static void add_name(struct cage_learner *learner, struct cage_attempt *attempt)
{
	cage_attempt_resolve(attempt->path, false);
	add(learner, &learner->made, attempt->path, 0);
}

static void add_open(struct cage_learner *learner, struct cage_attempt *attempt, s32 pid)
{
	if (attempt->flags & O_PATH)
		return;
	if (is_new(learner, attempt)) {
		add_name(learner, attempt);
	} else if (attempt->flags & (O_ACCMODE | O_TRUNC)) {
		/* the other end of a pseudo-terminal has another name each time, or none (TIOCGPTPEER) */
		if (strcmp(attempt->path, "/dev/ptmx") == 0 || strcmp(attempt->path, "/dev/pts/ptmx") == 0)
			add(learner, &learner->files, "/dev/pts", CAGE_WRITE);
		add_file(learner, attempt, CAGE_WRITE, pid);
	} else { /* what is read of libraries is mapped to be executed, which is not seen */
		add_file(learner, attempt, learn_is_library(attempt->path) ? CAGE_EXECUTE : CAGE_READ, pid);
	}
}

static void add_program(struct cage_learner *learner, s32 pid)
{
	struct cage_attempt *attempt = &learner->attempt;
	char interpreter[PATH_MAX];

	if (policy_of_process(attempt->path)) /* /proc/self/exe: what runs already. As a rule it would be none */
		return;
	for (u32 depth = 0; depth < 6; depth++) { /* a script's interpreter may be a script: 4 times (execve(2)); and ld.so */
		add_file(learner, attempt, CAGE_EXECUTE, pid);
		if (!learn_interpreter(attempt->path, interpreter) || interpreter[0] != '/')
			return;
		memcpy(attempt->path, interpreter, sizeof(attempt->path));
	}
}

/* --- all else --------------------------------------------------------------------------------------------------------------------- */

static void add_address(struct cage_learner *learner, struct cage_attempt *attempt)
{
	char text[INET6_ADDRSTRLEN] = "", target[INET6_ADDRSTRLEN + 16];
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (attempt->path[0] && attempt->kind == CAGE_BINDS) {
		add_name(learner, attempt);
		add(learner, &learner->sockets, attempt->path, 0); /* others of the run connect to it */
	} else if (attempt->path[0]) {
		add(learner, &learner->sockets, attempt->path, 0);
	} else if (attempt->address.ss_family == AF_UNIX) {
		learner->abstract |= attempt->address_size > offsetof(struct sockaddr_un, sun_path);
	} else if (attempt->address.ss_family == AF_INET && attempt->address_size >= sizeof(in)) {
		memcpy(&in, &attempt->address, sizeof(in));
		(void)snprintf(target, sizeof(target), "%s:%u", inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text)),
			       ntohs(in.sin_port));
		if (in.sin_port)
			add(learner, &learner->inet, target, 0);
	} else if (attempt->address.ss_family == AF_INET6 &&
		   attempt->address_size >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		memcpy(&in6, &attempt->address, offsetof(struct sockaddr_in6, sin6_scope_id));
		(void)snprintf(target, sizeof(target), "[%s]:%u", inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text)),
			       ntohs(in6.sin6_port));
		if (in6.sin6_port)
			add(learner, &learner->inet, target, 0);
	}
}

static void take_attempt(struct cage_learner *learner, s32 pid)
{
	struct cage_attempt *attempt = &learner->attempt;
	char buffer[CAGE_CALL_NAME];
	const char *name;

	if (attempt->cut) {
		learner->left_out++;
		return;
	}
	switch (attempt->kind) {
	case CAGE_OPENS:
		if (attempt->path[0])
			add_open(learner, attempt, pid);
		break;
	case CAGE_CHANGES:
		if (attempt->path[0])
			add_file(learner, attempt, CAGE_WRITE, pid);
		break;
	case CAGE_NAMES:
		if (attempt->path[0])
			add_name(learner, attempt);
		break;
	case CAGE_CONNECTS:
	case CAGE_BINDS:
		add_address(learner, attempt);
		break;
	case CAGE_SOCKETS:
		learner->network |= attempt->number == AF_INET || attempt->number == AF_INET6;
		break;
	case CAGE_CALLS:
		name = cage_call_name(attempt->nr, buffer);
		if (name == buffer || seccomp_syscall_resolve_name(name) < 0) /* no policy can name it */
			learner->left_out++;
		else
			add(learner, &learner->calls, name, 0);
		break;
	default:
		break;
	}
}

void cage_learner_take(void *data, const struct trace_record *record)
{
	struct cage_learner *learner = data;

	if (record->kind == TRACE_EXEC && cage_attempt_program(record, &learner->attempt)) {
		if (learner->attempt.cut)
			learner->left_out++;
		else
			add_program(learner, record->pid);
	}
	if (record->kind != TRACE_USED)
		return;
	for (u32 n = 0; cage_attempt_get(record, n, &learner->attempt); n++)
		take_attempt(learner, record->pid);
}

int cage_learner_new(const char *workdir, const char *home, const char *tmp, bool shm, struct cage_learner **ret)
{
	struct cage_learner *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->workdir = strdup(workdir);
	new->home = home ? strdup(home) : NULL;
	new->tmp = tmp ? strdup(tmp) : NULL;
	new->shm = shm;
	(void)clock_gettime(CLOCK_REALTIME_COARSE, &new->begun); /* what file systems take their times from */
	if (!new->workdir || (home && !new->home) || (tmp && !new->tmp)) {
		cage_learner_free(new);
		return -ENOMEM;
	}
	*ret = new;
	return 0;
}

void cage_learner_free(struct cage_learner *learner)
{
	if (!learner)
		return;
	learnt_done(&learner->files);
	learnt_done(&learner->made);
	learnt_done(&learner->sockets);
	learnt_done(&learner->inet);
	learnt_done(&learner->calls);
	free(learner->workdir);
	free(learner->home);
	free(learner->tmp);
	free(learner);
}
