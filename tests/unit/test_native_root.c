// SPDX-License-Identifier: Apache-2.0
/* Entering a native root with a kernel that refuses each step in turn: nothing goes on after it, and the step has a name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/native.h"
#include "unit.h"

#define CALLS_MAX 128

/* What was asked of the kernel, in order. */
static struct {
	int count, fail_at, error; /* fail_at: negative = never */
	char calls[CALLS_MAX][128];
	char options[4096]; /* of the overlay */
} kernel;

static int PRINTF_LIKE(1, 2) asked(const char *format, ...)
{
	va_list args;

	assert_in_range(kernel.count, 0, CALLS_MAX - 1);
	va_start(args, format);
	(void)vsnprintf(kernel.calls[kernel.count], sizeof(kernel.calls[0]), format, args);
	va_end(args);
	if (kernel.count++ != kernel.fail_at)
		return 0;
	errno = kernel.error;
	return -1;
}

static int fake_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
	if (type && !strcmp(type, "overlay"))
		(void)snprintf(kernel.options, sizeof(kernel.options), "%s", (const char *)data);
	return asked("mount %s %s%s",
		     type              ? type
		     : flags & MS_BIND ? "bind"
				       : "-",
		     target, source && !strncmp(source, "/proc/self/fd/", 14) ? " from a descriptor" : "");
}

static int fake_umount2(const char *target, int flags)
{
	return asked("umount2 %s%s", target, flags & MNT_DETACH ? " detached" : "");
}

static int fake_pivot_root(const char *new_root, const char *put_old)
{
	return asked("pivot_root %s %s", new_root, put_old);
}

static int fake_set_read_only(const char *path)
{
	return asked("read-only %s", path);
}

static int fake_open(const char *path, int flags, mode_t mode)
{
	(void)mode;
	return asked("open %s%s", path, flags & O_CREAT ? " new" : "") < 0 ? -1 : open("/", O_PATH | O_CLOEXEC);
}

static int fake_mkdir(const char *path, mode_t mode)
{
	(void)mode;
	return asked("mkdir %s", path);
}

static int fake_mknod(const char *path, mode_t mode, dev_t device)
{
	(void)mode;
	(void)device;
	return asked("mknod %s", path);
}

static int fake_symlink(const char *text, const char *path)
{
	return asked("symlink %s %s", text, path);
}

static int fake_chdir(const char *path)
{
	return asked("chdir %s", path);
}

static int fake_fchdir(int fd)
{
	return asked("fchdir%s", fd < 0 ? " to nothing" : "");
}

static int fake_chroot(const char *path)
{
	return asked("chroot %s", path);
}

static int fake_sethostname(const char *name, size_t length)
{
	return asked("sethostname %.*s", (int)length, name);
}

static const struct native_calls fakes = { .mount = fake_mount,
					   .umount2 = fake_umount2,
					   .pivot_root = fake_pivot_root,
					   .set_read_only = fake_set_read_only,
					   .open = fake_open,
					   .mkdir = fake_mkdir,
					   .mknod = fake_mknod,
					   .symlink = fake_symlink,
					   .chdir = fake_chdir,
					   .fchdir = fake_fchdir,
					   .chroot = fake_chroot,
					   .sethostname = fake_sethostname };

static char directory[] = "/image,with:odd\\name", upper[] = "/upper", work[] = "/work", lower[] = "/lower", workdir[] = "/srv";
static const struct native_root layered = {
	.directory = directory,
	.upper = upper,
	.work = work,
	.lower_count = 1,
	.lowers = { lower },
	.workdir = workdir,
	.hostname = "called",
	.member = FD_NONE,
	.bind_count = 2,
	.binds = { { .host = "/data", .guest = "/tmp", .read_only = true }, { .host = "/etc/hosts", .guest = "/etc/hosts" } },
};

static int enter(const struct native_root *root, int fail_at, int error, struct native_failure *failure)
{
	int first = open("/", O_PATH | O_CLOEXEC), r;

	memset(&kernel, 0, sizeof(kernel));
	kernel.fail_at = fail_at;
	kernel.error = error;
	memset(failure, 0, sizeof(*failure));
	r = native_root_enter(root, &fakes, failure);
	(void)close_range((unsigned)first, ~0u, 0); /* the child keeps them open until its execve */
	return r;
}

static int find(const char *call)
{
	for (int i = 0; i < kernel.count; i++)
		if (!strcmp(kernel.calls[i], call))
			return i;
	fail_msg("never asked for: %s", call);
	return -1;
}

static void the_order_of_steps(void **state)
{
	struct native_failure failure;

	(void)state;
	assert_int_equal(enter(&layered, -1, 0, &failure), 0);
	assert_true(find("mount - /") < find("open /data"));
	assert_true(find("open /data") < find("mount overlay /image,with:odd\\name"));
	assert_true(find("chroot .") <
		    find("mount proc /proc")); /* before pivot_root(2), which lets "/.." lead to the machine's tree */
	assert_true(find("mount proc /proc") < find("mount bind /tmp from a descriptor"));
	assert_true(find("mount bind /tmp from a descriptor") < find("read-only /tmp"));
	assert_true(find("read-only /proc/sys") < find("fchdir"));
	assert_true(find("fchdir") < find("pivot_root . ."));
	assert_int_equal(find("umount2 . detached"), find("pivot_root . .") + 1);
	assert_true(find("umount2 . detached") < find("chdir /srv"));
	assert_int_equal(kernel.count - 1, find("chdir /srv"));
	(void)find("sethostname called");
	for (int i = find("chroot ."); i < kernel.count; i++) /* no path of the machine's is used any more */
		assert_null(strstr(kernel.calls[i], "/data"));
}

static void layers_are_named_by_descriptors(void **state)
{
	struct native_failure failure;
	int up, wd, top, low, end = 0;

	(void)state;
	assert_int_equal(enter(&layered, -1, 0, &failure), 0);
	assert_int_equal(
		sscanf(kernel.options,
		       "redirect_dir=off,index=off,metacopy=off,xino=off,upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,"
		       "lowerdir=/proc/self/fd/%d:/proc/self/fd/%d%n",
		       &up, &wd, &top, &low, &end),
		4);
	assert_int_equal(end, strlen(kernel.options));
}

static void a_temporary_layer_is_not_flushed(void **state)
{
	struct native_root temporary = layered;
	struct native_failure failure;
	int at;

	(void)state;
	temporary.temporary = true;
	assert_int_equal(enter(&temporary, -1, 0, &failure), 0);
	assert_non_null(strstr(kernel.options, ",volatile"));
	at = find("mount overlay /image,with:odd\\name");
	assert_int_equal(enter(&temporary, at, EINVAL, &failure), 0); /* an older kernel */
	assert_null(strstr(kernel.options, ",volatile"));
}

static void without_layers_the_directory_is_mounted(void **state)
{
	struct native_root plain = layered;
	struct native_failure failure;

	(void)state;
	plain.upper = plain.work = NULL;
	plain.lower_count = 0;
	assert_int_equal(enter(&plain, -1, 0, &failure), 0);
	(void)find("mount bind /image,with:odd\\name");
}

/* Goes on where it may: a host without control groups. */
static bool tolerated(const char *call)
{
	return !strcmp(call, "open /sys/fs/cgroup") || strstr(call, "/dev/pts/") || !strcmp(call, "open /dev/console");
}

static void nothing_follows_a_step_that_fails(void **state)
{
	struct native_failure failure;
	int count;

	(void)state;
	assert_int_equal(enter(&layered, -1, 0, &failure), 0);
	count = kernel.count;
	assert_in_range(count, 50, CALLS_MAX);
	for (int i = 0; i < count; i++) {
		int r = enter(&layered, i, EPERM, &failure);

		if (tolerated(kernel.calls[i])) {
			assert_int_equal(r, 0);
			continue;
		}
		assert_int_equal(r, -EPERM);
		assert_int_equal(kernel.count, i + 1);
		assert_true(failure.step[0]);
	}
}

static void what_a_kernel_may_lack_or_have_already(void **state)
{
	struct native_failure failure;

	(void)state;
	assert_int_equal(enter(&layered, -1, 0, &failure), 0);
	assert_int_equal(enter(&layered, find("mount mqueue /dev/mqueue"), ENODEV, &failure), 0);
	assert_int_equal(enter(&layered, find("mount sysfs /sys"), EBUSY, &failure), 0);
	assert_int_equal(enter(&layered, find("mkdir /dev"), EEXIST, &failure), 0);
	assert_int_equal(enter(&layered, find("mount devpts /dev/pts"), ENODEV, &failure), -ENODEV);
	assert_string_equal(failure.step, "mounting devpts on /dev/pts");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_of_steps),
		cmocka_unit_test(layers_are_named_by_descriptors),
		cmocka_unit_test(a_temporary_layer_is_not_flushed),
		cmocka_unit_test(without_layers_the_directory_is_mounted),
		cmocka_unit_test(nothing_follows_a_step_that_fails),
		cmocka_unit_test(what_a_kernel_may_lack_or_have_already),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
