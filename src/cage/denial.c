/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a policy refused what a guest tried. */
#include "cage/denial.h"

#include <arpa/inet.h>
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cage/cage_tmp.h"

/* --- files ---------------------------------------------------------------------------------------------------------------------- */

/* Landlock and seccomp say EACCES and EPERM, of a name that moves between directories EXDEV, a read-only mount EROFS, a root without the file ENOENT; what
 * masks a file there ENXIO. */
static bool refuses_file(const struct cage_attempt *attempt)
{
	switch (-attempt->result) {
	case EACCES:
	case EPERM:
		return true;
	case EXDEV:
		return attempt->kind == CAGE_NAMES || attempt->kind == CAGE_CHANGES;
	case EROFS:
		return attempt->kind != CAGE_EXECUTES && attempt->kind != CAGE_LOOKS;
	case EBUSY: /* a mount point, which masks something */
		return attempt->kind == CAGE_NAMES;
	case ENOENT:
		return attempt->kind != CAGE_NAMES;
	case ENXIO:
		return attempt->kind == CAGE_OPENS;
	default:
		return false;
	}
}

static enum cage_access access_wanted(const struct cage_attempt *attempt)
{
	switch (attempt->kind) {
	case CAGE_OPENS:
		if (attempt->flags & O_PATH)
			return CAGE_READ;
		return (attempt->flags & (O_ACCMODE | O_CREAT | O_TRUNC)) ? CAGE_WRITE : CAGE_READ;
	case CAGE_EXECUTES:
		return CAGE_EXECUTE;
	case CAGE_LOOKS:
		return CAGE_READ;
	default:
		return CAGE_WRITE;
	}
}

/* "files.deny ./x", and where that stands; of a path for which there is no rule nothing. */
static void say_rule(struct cage_denial *ret, const struct cage_path *rule, const char *list)
{
	if (!rule || !list)
		return;
	if (snprintf(ret->rule, sizeof(ret->rule), "%s %s", list, rule->written ? rule->written : rule->path) >=
	    (int)sizeof(ret->rule))
		(void)snprintf(ret->rule, sizeof(ret->rule), "%s", list);
	ret->line = rule->line;
}

/* What is denied below a directory keeps that where it is. */
static bool find_masked(const struct cage_policy *policy, const char *directory, const struct cage_path **ret_rule,
			const char **ret_list)
{
	for (size_t i = 0; i < policy->files.deny.count; i++) {
		const struct cage_path *rule = &policy->files.deny.path[i];

		if (!policy_within(directory, rule->path) && (!rule->real || !policy_within(directory, rule->real)))
			continue;
		*ret_rule = rule;
		*ret_list = "files.deny";
		return true;
	}
	return false;
}

/* Where libc keeps named memory and semaphores: no rule is what most policies want there (cage_tmp.h). A run that has its own has a rule for it. */
static const char *why_no_memory(const struct cage_policy *policy, const char *path)
{
	if (!policy_within(CAGE_SHM, path))
		return NULL;
	return policy->files.tmp
		     ? "no rule allows it, and no /dev/shm of the run's own can be made here (files.tmp); a rule for /dev/shm shares this one"
		     : "no rule allows it; 'files.tmp: true' is a /dev/shm of the run's own where one can be made";
}

static bool judge_file(const struct cage_policy *policy, const struct cage_attempt *attempt, struct cage_denial *ret)
{
	static const enum cage_denied names[] = {
		[CAGE_READ] = CAGE_DENIED_FS_READ, [CAGE_EXECUTE] = CAGE_DENIED_FS_EXECUTE, [CAGE_WRITE] = CAGE_DENIED_FS_WRITE
	};
	enum cage_access wanted = access_wanted(attempt);
	const struct cage_path *rule = NULL;
	const char *list = NULL;
	bool allowed;

	if (!attempt->path[0] || !refuses_file(attempt))
		return false;
	allowed = cage_policy_allows(policy, wanted, attempt->path, &rule, &list);
	if (allowed && attempt->kind == CAGE_NAMES) {
		char directory[PATH_MAX];

		policy_parent(attempt->path, directory);
		allowed = cage_policy_allows(policy, wanted, directory, &rule, &list);
	}
	if (allowed && attempt->result == -EBUSY)
		allowed = !find_masked(policy, attempt->path, &rule, &list);
	/* the kernel's rules are about files, not names: there was none for what was made since */
	if (allowed && attempt->kind == CAGE_EXECUTES && rule && !rule->real && attempt->result != -ENOENT) {
		ret->why = "there was no such file when the run began";
		allowed = false;
		rule = NULL;
	}
	if (allowed)
		return false;
	if (!ret->why && !list)
		ret->why = why_no_memory(policy, attempt->path);
	ret->what = names[wanted];
	ret->cut = attempt->cut;
	(void)snprintf(ret->object, sizeof(ret->object), "%s", attempt->path);
	say_rule(ret, rule, list);
	return true;
}

/* --- sockets --------------------------------------------------------------------------------------------------------------------- */

static bool unix_allowed(const struct cage_policy *policy, const char *path)
{
	for (size_t i = 0; i < policy->network.sockets.count; i++) {
		const struct cage_path *rule = &policy->network.sockets.path[i];

		if (policy_within(rule->path, path) || (rule->real && policy_within(rule->real, path)))
			return true;
	}
	return false;
}

/* "10.0.0.1:80", "[::1]:80". False: of port 0, by which programs ask for a route only, or of an address that is none. */
static bool inet_object(const struct cage_attempt *attempt, char *to, size_t size)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	char text[INET6_ADDRSTRLEN] = "";

	if (attempt->address.ss_family == AF_INET && attempt->address_size >= sizeof(in)) {
		memcpy(&in, &attempt->address, sizeof(in));
		(void)inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
		(void)snprintf(to, size, "%s:%u", text, ntohs(in.sin_port));
		return in.sin_port;
	}
	if (attempt->address.ss_family != AF_INET6 || attempt->address_size < offsetof(struct sockaddr_in6, sin6_scope_id))
		return false;
	memcpy(&in6, &attempt->address, sizeof(in6));
	(void)inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
	(void)snprintf(to, size, "[%s]:%u", text, ntohs(in6.sin6_port));
	return in6.sin6_port;
}

static void say_network(const struct cage_policy *policy, struct cage_denial *ret)
{
	(void)snprintf(ret->rule, sizeof(ret->rule), "network.mode %s",
		       policy->network.mode == CAGE_NETWORK_PROXY ? "proxy" : "none");
}

static bool judge_unix(const struct cage_policy *policy, const struct cage_attempt *attempt, struct cage_denial *ret)
{
	struct sockaddr_un name = { 0 };
	size_t length = attempt->address_size < sizeof(name) ? attempt->address_size : sizeof(name);

	if (attempt->path[0]) {
		ret->what = CAGE_DENIED_NET_UNIX;
		(void)snprintf(ret->object, sizeof(ret->object), "%s", attempt->path);
		return refuses_file(attempt) && !unix_allowed(policy, attempt->path);
	}
	if (length <= offsetof(struct sockaddr_un, sun_path) + 1 || policy->network.abstract || attempt->result != -EPERM)
		return false;
	memcpy(&name, &attempt->address, length);
	ret->what = CAGE_DENIED_NET_ABSTRACT;
	(void)snprintf(ret->object, sizeof(ret->object), "%.*s", (int)(length - offsetof(struct sockaddr_un, sun_path) - 1),
		       name.sun_path + 1);
	return true;
}

static bool judge_address(const struct cage_policy *policy, const struct cage_attempt *attempt, struct cage_denial *ret)
{
	struct cage_attempt made;

	if (attempt->address.ss_family == AF_UNIX && attempt->kind == CAGE_CONNECTS)
		return judge_unix(policy, attempt, ret);
	if (attempt->address.ss_family == AF_UNIX) {
		made = *attempt;
		made.kind = CAGE_NAMES;
		return judge_file(policy, &made, ret);
	}
	if (policy->network.mode == CAGE_NETWORK_HOST || !inet_object(attempt, ret->object, sizeof(ret->object)))
		return false;
	if (attempt->result != -EACCES && attempt->result != -EPERM && attempt->result != -ENETUNREACH)
		return false;
	ret->what = attempt->kind == CAGE_BINDS ? CAGE_DENIED_NET_BIND : CAGE_DENIED_NET_CONNECT;
	say_network(policy, ret);
	return true;
}

static void family_name(s64 family, char *to, size_t size)
{
	static const struct {
		const char *kind, *name;
		u64 value;
	} names[] = {
#define NAME(kind, name, value) { #kind, name, value },
#include "why/names.def"
#undef NAME
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(names[i].kind, "ARG_FAMILY") == 0 && names[i].value == (u64)family) {
			(void)snprintf(to, size, "%s", names[i].name);
			return;
		}
	(void)snprintf(to, size, "family %lld", (long long)family);
}

static bool judge_socket(const struct cage_policy *policy, const struct cage_attempt *attempt, struct cage_denial *ret)
{
	if (attempt->result != -EACCES && attempt->result != -EPERM && attempt->result != -EAFNOSUPPORT)
		return false;
	switch (attempt->number) {
	case AF_INET:
	case AF_INET6:
		if (policy->network.mode != CAGE_NETWORK_NONE)
			return false;
		say_network(policy, ret);
		break;
	case AF_UNIX:
		if (policy->network.sockets.count || policy->network.abstract)
			return false;
		/* how glibc's getpwnam() and others look for nscd, in every program; they do without */
		if (attempt->flags == (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK))
			return false;
		break;
	case AF_NETLINK:
		if (attempt->protocol == NETLINK_ROUTE)
			return false;
		break;
	default:
		break;
	}
	ret->what = CAGE_DENIED_NET_SOCKET;
	family_name(attempt->number, ret->object, sizeof(ret->object));
	return true;
}

/* --- calls ------------------------------------------------------------------------------------------------------------------------ */

static bool named(const struct cage_words *words, const char *name)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->word[i], name) == 0)
			return true;
	return false;
}

/* Calls of shm, sem and msg are refused where there is no IPC namespace for them, and lichen knows how to answer them. */
static const char *why_no_ipc(const struct cage_policy *policy, s32 nr)
{
	static const s32 calls[] = { __NR_shmget, __NR_shmat,  __NR_shmctl, __NR_semget, __NR_semop, __NR_semtimedop,
				     __NR_semctl, __NR_msgget, __NR_msgsnd, __NR_msgrcv, __NR_msgctl };
	char buffer[CAGE_CALL_NAME];

	if (named(&policy->processes.deny, cage_call_name(nr, buffer)))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i] == nr)
			return "no IPC namespace can be made here; 'run --emulate=sysvipc' gives the run objects of its own";
	return NULL;
}

/* Refused by number, or one of those that are refused by what their arguments say. */
static bool judge_call(const struct cage_policy *policy, const u64 *refused, const struct cage_attempt *attempt,
		       struct cage_denial *ret)
{
	char buffer[CAGE_CALL_NAME];
	const char *name = cage_call_name(attempt->nr, buffer);

	if (attempt->result != -EPERM && attempt->result != -EACCES)
		return false;
	if (named(&policy->processes.allow, name) && !named(&policy->processes.deny, name))
		return false;
	/* others that trap are not the cage's business; the signal it refuses by Landlock */
	if (refused && !TRACE_NUMBERS_HAS(refused, attempt->nr) && attempt->nr != __NR_pidfd_send_signal)
		return false;
	ret->what = CAGE_DENIED_SYSCALL;
	ret->why = why_no_ipc(policy, attempt->nr);
	(void)snprintf(ret->object, sizeof(ret->object), "%s", name);
	if (named(&policy->processes.deny, name))
		(void)snprintf(ret->rule, sizeof(ret->rule), "processes.deny %s", name);
	return true;
}

bool cage_denial_judge(const struct cage_policy *policy, const u64 *refused, const struct cage_attempt *attempt,
		       struct cage_denial *ret)
{
	struct cage_denial denial = { .nr = attempt->nr };
	bool denied = false;

	if (attempt->result >= 0 || attempt->result < -4095)
		return false;
	denial.error = (s32)-attempt->result;
	switch (attempt->kind) {
	case CAGE_OPENS:
	case CAGE_CHANGES:
	case CAGE_NAMES:
	case CAGE_EXECUTES:
	case CAGE_LOOKS:
		denied = judge_file(policy, attempt, &denial) ||
			 (refused && TRACE_NUMBERS_HAS(refused, attempt->nr) && judge_call(policy, refused, attempt, &denial));
		break;
	case CAGE_CONNECTS:
	case CAGE_BINDS:
		denied = judge_address(policy, attempt, &denial);
		break;
	case CAGE_SOCKETS:
		denied = judge_socket(policy, attempt, &denial);
		break;
	case CAGE_SIGNALS:
		denied = attempt->result == -EPERM && attempt->number > 0;
		denial.what = CAGE_DENIED_SIGNAL;
		(void)snprintf(denial.object, sizeof(denial.object), "%lld", (long long)attempt->number);
		break;
	case CAGE_CALLS:
		denied = judge_call(policy, refused, attempt, &denial);
		break;
	}
	if (denied)
		*ret = denial;
	return denied;
}

/* --- what would have failed anyway ------------------------------------------------------------------------------------------------- */

static bool may(const char *path, int mode)
{
	return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

/* Whether we could change what belongs to an owner: mode, times; of who it belongs to, root alone. */
static bool owns(const struct cage_attempt *attempt, const struct stat *st)
{
	switch (attempt->nr) {
	case __NR_chown:
	case __NR_lchown:
	case __NR_fchownat:
		return geteuid() == 0;
	default:
		return geteuid() == 0 || st->st_uid == geteuid();
	}
}

bool cage_denial_ordinary(const struct cage_attempt *attempt)
{
	bool names = attempt->kind == CAGE_NAMES || attempt->kind == CAGE_BINDS;
	char directory[PATH_MAX];
	struct stat st;

	if (attempt->kind == CAGE_SIGNALS)
		return kill((pid_t)attempt->number, 0) < 0;
	if (!attempt->path[0] || attempt->cut)
		return false;
	if (fstatat(AT_FDCWD, attempt->path, &st, attempt->links ? 0 : AT_SYMLINK_NOFOLLOW) < 0)
		names |= attempt->kind == CAGE_OPENS && (attempt->flags & O_CREAT);
	else if (!names)
		switch (attempt->kind) {
		case CAGE_OPENS:
			if ((attempt->flags & O_ACCMODE) != O_WRONLY && !(attempt->flags & O_PATH) && !may(attempt->path, R_OK))
				return true;
			return (attempt->flags & (O_ACCMODE | O_TRUNC)) && !may(attempt->path, W_OK);
		case CAGE_EXECUTES:
			return !may(attempt->path, X_OK);
		case CAGE_CHANGES:
			return attempt->result == -EPERM ? !owns(attempt, &st) : !may(attempt->path, W_OK);
		default:
			return false;
		}
	if (!names)
		return true; /* it is not there */
	policy_parent(attempt->path, directory);
	return !may(directory, W_OK | X_OK);
}
