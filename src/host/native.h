/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Native roots: where lichen is root and the kernel gives what containers are made of, a guest with a file tree of its own (root.h) gets it from
 * the kernel, and runs with no engine. The same directories, and the same format of overlays on disk, as the agent's (agent/fs_layers.h).
 *
 *   native_plan.c    who makes the tree, the kernel or the agent, and why
 *   native_probe.c   whether this host can: all of it is done once, in a scratch child
 *   native_stage.c   before the guest is forked: which directories of the machine, canonical; the upper one is taken
 *   native_spawn.c   clone(2) into namespaces of its own; later, who the guest is and what it may
 *   native_root.c    in the child: mounts and pivot_root(2);  native_device.c: its /dev
 *   native_join.c    lichen exec: a further process in those namespaces
 *   native_visit.c   lichen itself, for a cage in such a root
 *   native_signal.c  signals for a process that is pid 1
 *
 *   1 clone(NEWNS|NEWPID|NEWUTS|NEWIPC)     the child is pid 1 of its namespace; unshare(NEWCGROUP) where there is that
 *   2 every mount becomes private: nothing leaks to the machine, or from it
 *   3 sources of binds and all layers are opened, by their paths on the machine
 *   4 an overlay, or the directory itself (with what is mounted below it), is mounted on the directory
 *   5 chroot(2) there: from here on every path is resolved in the new tree, so that no link of an image leads out of it. Not pivot_root(2) yet: it would put the
 *     machine's tree on top of the new root, and "/.." leads to what is mounted on the root
 *   6 /proc, /sys, /dev, volumes (from the descriptors of 3, by /proc/self/fd), then what is masked and what is read-only
 *   7 out of it by a descriptor, pivot_root(".", "."), umount2(".", MNT_DETACH): the machine's tree is gone
 *   8 capabilities, groups, user; execve
 *
 * A step that fails ends the run, with the step's name: there is no way back to the agent, which would hide what is wrong. When the first process
 * ends, or lichen is killed, the kernel ends all processes of the pid namespace and drops the mounts; the directories stay.
 *
 * The network and the users are the machine's. Limits: docs/limits.md.
 */
#ifndef LICHEN_HOST_NATIVE_H
#define LICHEN_HOST_NATIVE_H

#include <signal.h>
#include <sys/types.h>

#include "abi/commons.h"
#include "base/cleanup.h"
#include "base/types.h"
#include "gaps/gap.h"
#include "host/root.h"

/* --- native_stage.c ------------------------------------------------------------------------------------------------------------------------ */

struct native_root {
	char *directory, *upper, *work; /* canonical; upper and work NULL: no overlay */
	bool temporary; /* what is changed is of no value afterwards: nothing of it is flushed to a disk, nor on fsync(2) */
	u32 lower_count;
	char *lowers[ROOT_LOWERS_MAX]; /* below `directory`, topmost first */
	char *workdir;                 /* in the tree */
	u32 bind_count;
	struct root_bind binds[ROOT_BINDS_MAX + 5]; /* their texts are its own */
	bool read_only;                             /* the root, once all is mounted */
	struct identity_start identity;             /* who the guest is; zeros are root */
	u64 capabilities;                           /* bit per CAP_…: all that it and its descendants can ever have */
	int namespaces;                             /* CLONE_NEW… */
	const char *hostname;                       /* NULL or empty: the machine's; the caller's */
	int member; /* a pidfd: the guest becomes a further process in its namespaces; negative: it is the first */
};

/* What docker gives. */
#define NATIVE_CAPABILITIES_DEFAULT UINT64_C(0xa80425fb)

/* As root_stage(): *ret is allocated, native_root_free() it. */
int native_stage(const struct root_spec *spec, struct native_root **ret, struct root_error *error) MUST_CHECK;
void native_root_free(struct native_root *root);

/* --- native_root.c ------------------------------------------------------------------------------------------------------------------------ */

/* What is asked of the kernel, as libc has it: a table, so that a test can let each of them fail. */
struct native_calls {
	int (*mount)(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
	int (*umount2)(const char *target, int flags);
	int (*pivot_root)(const char *new_root, const char *put_old);
	int (*set_read_only)(const char *path);                     /* with all that is mounted below it */
	int (*mount_setattr)(const char *path, u64 set, u64 clear); /* MOUNT_ATTR_…, the same */
	int (*open)(const char *path, int flags, mode_t mode);
	int (*mkdir)(const char *path, mode_t mode);
	int (*mknod)(const char *path, mode_t mode, dev_t device);
	int (*symlink)(const char *text, const char *path);
	int (*chdir)(const char *path);
	int (*fchdir)(int fd);
	int (*chroot)(const char *path);
	int (*sethostname)(const char *name, size_t length);
};
extern const struct native_calls native_kernel;

struct native_failure {
	char step[192]; /* what was done, as "mounting proc on /proc" */
};

/* Gives the calling process, which is in namespaces of its own, the root. Returns 0 or negative errno with failure->step filled. */
int native_root_enter(const struct native_root *root, const struct native_calls *calls, struct native_failure *failure) MUST_CHECK;

/* Mounts a file system. Returns 0 or negative errno with the step filled. */
int native_mount(const struct native_calls *calls, const char *type, const char *target, unsigned long flags, const char *data,
		 struct native_failure *failure) MUST_CHECK;
/* Fills the step, and returns -errno. */
int native_failed(struct native_failure *failure, const char *format, ...) PRINTF_LIKE(2, 3);

/* native_device.c: in the machine's tree, a descriptor (O_PATH) of the terminal that is our standard input or output; negative: none. */
int native_device_terminal(const struct native_calls *calls) MUST_CHECK;
/* Mounts /dev in a root that has been entered, and makes what belongs there; that terminal becomes /dev/console. */
int native_device_mount(const struct native_calls *calls, int terminal, struct native_failure *failure) MUST_CHECK;

/* --- native_visit.c ------------------------------------------------------------------------------------------------------------------------ */

/* Where the calling process came from. */
struct native_visit {
	int mounts, names, root, directory; /* negative: it is there */
};
#define NATIVE_VISIT_NONE ((struct native_visit){ FD_NONE, FD_NONE, FD_NONE, FD_NONE })

/* The calling process itself, which has one thread, enters the root: what it does and starts then has that as its own. Devices and set-user-ID programs of the tree are
 * none there. Its pids stay the machine's. 0, or negative errno with the step filled; native_visit_end() in either case. */
int native_visit_begin(const struct native_root *root, struct native_visit *ret, struct native_failure *failure) MUST_CHECK;
/* Back, with one thread again. 0 or negative errno: it is still there. */
int native_visit_end(struct native_visit *visit) MUST_CHECK;

/* --- native_spawn.c ------------------------------------------------------------------------------------------------------------------------ */

/* fork(2) into new namespaces: CLONE_NEW…, but for that of control groups … */
pid_t native_fork(int namespaces);
/* … which begins in the child, where the cell's own group is then the root. 0 or negative errno. */
int native_groups_begin(int namespaces, struct native_failure *failure) MUST_CHECK;
/* The calling process becomes who the guest is, with no more than these capabilities, now or later. 0 or negative errno. */
int native_become(const struct identity_start *identity, u64 capabilities, struct native_failure *failure) MUST_CHECK;

/* Its two halves: what no program can ever get (also by its file's capabilities), and what is held now. 0 or negative errno. */
int native_drop_bounding(u64 capabilities) MUST_CHECK;
int native_set_capabilities(u64 capabilities) MUST_CHECK;

/* --- native_join.c ------------------------------------------------------------------------------------------------------------------------- */

/* Before the fork: children of the calling process will be in the pid namespace of `pidfd`. */
int native_join_pid(int pidfd) MUST_CHECK;
/* In the child: all other namespaces of it, its root included. */
int native_join_rest(int pidfd) MUST_CHECK;

/* --- native_signal.c ----------------------------------------------------------------------------------------------------------------------- */

/*
 * What becomes of a signal that is sent from outside to a process that is pid 1 of its namespace: it gets only what it handles. Elsewhere the
 * default action would be taken, which is then ours: supervise_signal().
 */
enum native_signal_fate {
	NATIVE_SIGNAL_ITS_OWN, /* it handles or ignores it, or nothing would happen to any process */
	NATIVE_SIGNAL_DROPPED, /* by the kernel */
	NATIVE_SIGNAL_BLOCKED, /* it would become pending: it may take it later, or unblock it and have it dropped */
	NATIVE_SIGNAL_PENDING, /* the same, and it is */
};
enum native_signal_fate native_signal_fate(pid_t init, int sig);
/* The signal that does what the default action of `sig` is: SIGKILL, SIGSTOP; 0: nothing. */
int native_signal_default(int sig);
/* In the child, before its program is there: a signal that came meanwhile and would have ended it, once `mask` is its mask; 0 = none. */
int native_signal_pending(const sigset_t *mask);

#endif
