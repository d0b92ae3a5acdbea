// SPDX-License-Identifier: Apache-2.0
/* Attributes of files that are changed for a guest: the theory of operation is in the header. */
#include "cage/cage_attribute.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

#include "base/cleanup.h"
#include "cage/cage_attribute_guest.h"
#include "cage/cage_int.h"

enum change {
	MODE,
	OWNER,
	TIMES_UTIMBUF,
	TIMES_TIMEVAL,
	TIMES_TIMESPEC,
};

#define NONE (-1)

/* Which argument is what. */
struct form {
	int nr;
	enum change change;
	int at, path, value, flags; /* NONE: it has none; at: AT_FDCWD then, path: the descriptor itself */
	bool nofollow;
};

static const struct form forms[] = {
	{ SYS_chmod, MODE, NONE, 0, 1, NONE, false },           { SYS_fchmod, MODE, 0, NONE, 1, NONE, false },
	{ SYS_fchmodat, MODE, 0, 1, 2, NONE, false },           { 452 /* fchmodat2 */, MODE, 0, 1, 2, 3, false },
	{ SYS_chown, OWNER, NONE, 0, 1, NONE, false },          { SYS_lchown, OWNER, NONE, 0, 1, NONE, true },
	{ SYS_fchown, OWNER, 0, NONE, 1, NONE, false },         { SYS_fchownat, OWNER, 0, 1, 2, 4, false },
	{ SYS_utime, TIMES_UTIMBUF, NONE, 0, 1, NONE, false },  { SYS_utimes, TIMES_TIMEVAL, NONE, 0, 1, NONE, false },
	{ SYS_futimesat, TIMES_TIMEVAL, 0, 1, 2, NONE, false }, { SYS_utimensat, TIMES_TIMESPEC, 0, 1, 2, 3, false },
};

static const int calls[] = { SYS_chmod,  SYS_fchmod,   SYS_fchmodat, 452,        SYS_chown,     SYS_lchown,
			     SYS_fchown, SYS_fchownat, SYS_utime,    SYS_utimes, SYS_futimesat, SYS_utimensat };
static_assert(ARRAY_SIZE(calls) == ARRAY_SIZE(forms), "each call has a form");

/* What is asked, read once. */
struct request {
	const struct form *form;
	char path[PATH_MAX];
	bool by_path; /* else `at` itself is meant */
	int at, flags;
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec times[2];
	bool now; /* both times are the present one */
};

/* --- what is asked ------------------------------------------------------------------------------------------------------------------- */

/* utime(2), utimes(2): whole seconds, microseconds. 0 or negative errno. */
static int read_times(const struct guest *guest, enum change change, u64 address, struct request *request)
{
	struct utimbuf seconds;
	struct timeval micro[2];
	int r;

	request->now = !address;
	if (request->now)
		return 0;
	if (change == TIMES_TIMESPEC)
		return guest_read(guest, address, request->times, sizeof(request->times));
	if (change == TIMES_UTIMBUF) {
		r = guest_read(guest, address, &seconds, sizeof(seconds));
		request->times[0] = (struct timespec){ .tv_sec = seconds.actime };
		request->times[1] = (struct timespec){ .tv_sec = seconds.modtime };
		return r;
	}
	r = guest_read(guest, address, micro, sizeof(micro));
	for (size_t i = 0; i < 2 && r == 0; i++) {
		if (micro[i].tv_usec < 0 || micro[i].tv_usec >= 1000000)
			return -EINVAL;
		request->times[i] = (struct timespec){ micro[i].tv_sec, 1000 * micro[i].tv_usec };
	}
	return r;
}

static int read_request(const struct guest *guest, const struct form *form, const u64 *args, struct request *ret)
{
	int allowed = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, r = 0;
	u64 path = form->path == NONE ? 0 : args[form->path];

	*ret = (struct request){ .form = form };
	ret->at = form->at == NONE ? AT_FDCWD : (int)args[form->at];
	ret->flags = form->flags == NONE ? form->nofollow ? AT_SYMLINK_NOFOLLOW : 0 : (int)args[form->flags];
	if (ret->flags & ~allowed)
		return -EINVAL;
	if (form->change == MODE) {
		ret->mode = (mode_t)args[form->value] & 07777;
	} else if (form->change == OWNER) {
		ret->uid = (uid_t)args[form->value];
		ret->gid = (gid_t)args[form->value + 1];
	} else {
		r = read_times(guest, form->change, args[form->value], ret);
		if (r == 0 && !ret->now && ret->times[0].tv_nsec == UTIME_OMIT && ret->times[1].tv_nsec == UTIME_OMIT)
			return 1; /* nothing is to be done, wherever */
		if (r == 0 && !path && (form->nr == SYS_utimensat || form->nr == SYS_futimesat) && ret->at != AT_FDCWD)
			return form->nr == SYS_utimensat && ret->flags ? -EINVAL : 0;
	}
	if (r < 0 || form->path == NONE)
		return r;
	ret->by_path = true;
	return guest_read_path(guest, path, ret->path);
}

/* --- what is meant ------------------------------------------------------------------------------------------------------------------- */

/* What is the guest's own by its name alone, by the guest's number: "/proc/self/fd/7" would be ours. False: no such path. */
static bool own_path(const struct guest *guest, const char *path, char *to, size_t size)
{
	static const struct {
		char name[24], own[8];
	} begins[] = {
		{ "/proc/self/", "" },    { "/proc/thread-self/", "" }, { "/dev/fd/", "fd/" },
		{ "/dev/stdin", "fd/0" }, { "/dev/stdout", "fd/1" },    { "/dev/stderr", "fd/2" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(begins); i++) {
		const char *rest = path + strlen(begins[i].name);

		if (strncmp(path, begins[i].name, strlen(begins[i].name)) != 0 || (rest[-1] != '/' && *rest))
			continue;
		(void)snprintf(to, size, "/proc/%d/%s%s", guest->thread, begins[i].own, rest);
		return true;
	}
	return false;
}

/* Any other path: one that leads by way of a link to /proc/self would mean ours, and is ELOOP. */
static int open_path(int at, const char *path, int flags)
{
	const struct open_how how = { .flags = (u64)flags, .resolve = RESOLVE_NO_MAGICLINKS };
	int fd = strncmp(path, "/proc/", 6) == 0 ? -1 : (int)syscall(SYS_openat2, at, path, &how, sizeof(how));

	if (fd < 0 &&
	    (strncmp(path, "/proc/", 6) == 0 || errno == ENOSYS || errno == EPERM)) /* EPERM: of a container without that call */
		fd = openat(at, path, flags);
	return fd < 0 ? -errno : fd;
}

/* Opens it with O_PATH. A descriptor or negative errno. */
static int open_object(const struct guest *guest, const struct request *request)
{
	int flags = O_PATH | O_CLOEXEC | ((request->flags & AT_SYMLINK_NOFOLLOW) ? O_NOFOLLOW : 0), fd;
	char own[PATH_MAX + 32];

	if (!request->by_path)
		return guest_fd_is_path(guest, request->at) ? -EBADF : guest_open_fd(guest, request->at);
	if (!*request->path && (request->flags & AT_EMPTY_PATH))
		return request->at == AT_FDCWD ? guest_open_cwd(guest) : guest_open_fd(guest, request->at);
	if (!*request->path)
		return -ENOENT;
	if (own_path(guest, request->path, own, sizeof(own))) {
		fd = open(own, flags);
		return fd < 0 ? -errno : fd;
	}
	if (*request->path == '/')
		return open_path(AT_FDCWD, request->path, flags);
	CLEANUP_FD int at = request->at == AT_FDCWD ? guest_open_cwd(guest) : guest_open_fd(guest, request->at);
	return at < 0 ? at : open_path(at, request->path, flags);
}

/* Whether it lies in a place that may be written: by the name that it has at this time. */
static bool is_writable(const struct cage *cage, int object)
{
	char link[64], name[PATH_MAX];
	struct stat st;
	ssize_t n;

	if (fstat(object, &st) < 0 || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", object);
	n = readlink(link, name, sizeof(name) - 1);
	if (n <= 0 || *name != '/') /* a pipe or a socket lies nowhere */
		return n > 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
	name[n] = 0;
	for (size_t i = 0; i < cage->grant_count; i++)
		if ((cage->grants[i].access & CAGE_WRITE) && policy_within(cage->grants[i].path, name))
			return true;
	return false;
}

/* --- the change ------------------------------------------------------------------------------------------------------------------------ */

static int change(const struct request *request, int object)
{
	const struct timespec *times = request->now ? NULL : request->times;
	char link[64];
	struct stat st;
	int r;

	if (fstat(object, &st) < 0)
		return -errno;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", object);
	switch (request->form->change) {
	case MODE:
		r = S_ISLNK(st.st_mode) ? -EOPNOTSUPP : chmod(link, request->mode) < 0 ? -errno : 0;
		break;
	case OWNER:
		r = fchownat(object, "", request->uid, request->gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
		break;
	default:
		r = S_ISLNK(st.st_mode) ? (int)syscall(SYS_utimensat, object, "", times, AT_EMPTY_PATH)
					: utimensat(AT_FDCWD, link, times, 0);
		r = r < 0 ? -errno : 0;
	}
	return r;
}

static int act(const struct cage *cage, int listener, const struct seccomp_notif *asked, const struct form *form,
	       struct guest *guest)
{
	struct request *request = malloc(sizeof(*request));
	CLEANUP_FD int object = FD_NONE;
	int r = request ? read_request(guest, form, (const u64 *)asked->data.args, request) : -ENOMEM;

	if (r == 0) {
		object = open_object(guest, request);
		r = object < 0 ? object : 0;
	}
	if (r == 0 && ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &asked->id) < 0) /* what we have seen may have been another's */
		r = -ESRCH;
	if (r == 0 && !is_writable(cage, object))
		r = -EROFS;
	if (r == 0)
		r = guest_act_as(guest);
	if (r == 0)
		r = change(request, object);
	free(request);
	return r > 0 ? 0 : r;
}

static int answer(const void *data, int listener, const struct seccomp_notif *asked)
{
	const struct form *form = NULL;
	struct guest guest;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(forms) && !form; i++)
		if (forms[i].nr == asked->data.nr)
			form = &forms[i];
	if (!form)
		return -ENOSYS;
	r = guest_begin(&guest, (pid_t)asked->pid);
	if (r == 0)
		r = act(data, listener, asked, form, &guest);
	guest_end(&guest);
	return r;
}

struct cage_notify_calls cage_attribute_calls(const struct cage *cage)
{
	return (struct cage_notify_calls){ calls, ARRAY_SIZE(calls), answer, cage };
}
