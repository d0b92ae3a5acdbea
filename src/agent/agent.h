/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent offers to gap handlers. Rules for code behind this header (the compiler and `make lint` enforce most):
 *   - freestanding: no libc, no allocation, general registers only, no writable static data, frames under 1 KiB;
 *   - every host signal but SIGSEGV and SIGBUS is blocked while a handler runs; guest handlers never run inside one;
 *   - guest memory only through guest_*(): they answer -EFAULT where the kernel would;
 *   - a lock is never held across agent_wait() or any host call that can block;
 *   - any store may be the last one before SIGKILL: write new state first, publish it with one store;
 *   - a handler that re-issues a call does so with sys*(): from the agent's text, the filter lets it through.
 */
#ifndef LICHEN_AGENT_AGENT_H
#define LICHEN_AGENT_AGENT_H

#include <asm/errno.h>
#include <asm/unistd.h>

#include "abi/broker.h"
#include "abi/commons.h"
#include "abi/gap_id.h"
#include "abi/view_state.h"
#include "agent/arch.h"
#include "base/mem.h"
#include "base/types.h"

/* One trapped system call. */
struct call {
	long nr;
	u64 arg[6];
	long ret;          /* the result (or negative errno) once a handler answers CALL_DONE */
	struct trap *trap; /* the interrupted context; engine only */
	u32 edited;        /* engine only: 1 + the argument that is replaced by a pointer to extra[], 0 = none */
	u64 extra[3];
	bool again;    /* with CALL_DONE: the guest makes the call once more, behind the handler of the signal that has ended it */
	bool reported; /* engine only: with CALL_PASS, its result is to be shown to fs_reported() */
	bool judged;   /* engine only: with CALL_PASS, the guest's own filters are to see it */
};

/* What a handler answers. */
enum verdict {
	CALL_PASS =
		0, /* not mine, or edited in arg[]: the next gap, then the engine, then the kernel sees it. The kernel executes it in
	                  the guest's own context, with the guest's signal mask, so it may block and be restarted as ever. */
	CALL_DONE = 1, /* ret is the result */
};

/* Moments of a process's life at which gaps keep their state right. Signals are blocked, no lock is held. */
enum agent_event {
	EVENT_FORK_PREPARE, /* in the parent, before a new process with memory of its own: may call member_prepare_child() */
	EVENT_FORK_PARENT,  /* in the parent afterwards; arg: child pid, or negative errno when there is no child */
	EVENT_FORK_CHILD,   /* in the child, before its first guest instruction */
	EVENT_EXEC_PREPARE, /* before execve, which may still fail; arg: a struct exec_prepare. Also in a vfork child */
	EVENT_EXEC, /* in the new image of a process that execve'd, before the new program's first instruction; arg: address of its
	                     * auxiliary vector */
	EVENT_EXIT, /* before exit_group; arg: its argument */
	EVENT_BECOME, /* in a new member that `lichen exec` made, before all others: it is somebody else; arg: a struct identity_start */
};

struct exec_prepare {
	s32 program;  /* the file, open: an ELF program, a script's interpreter */
	u32 word;     /* agent_task_word() of the new image */
	bool cut_off; /* the kernel keeps it from every network already; set when it does from now on */
	long error;   /* negative errno: nothing is executed */
};

/* --- guest memory (guest_mem.c): 0 or -EFAULT; nothing is written on failure of a read ------------------------------------- */

int guest_read(void *to, u64 from, u64 size) MUST_CHECK;
int guest_write(u64 to, const void *from, u64 size) MUST_CHECK;
/* Copies a NUL-terminated string of at most size-1 bytes. Returns its length, -EFAULT, or -ENAMETOOLONG when no NUL is met. */
long guest_read_string(char *to, u64 from, u64 size) MUST_CHECK;

/* --- the cell ---------------------------------------------------------------------------------------------------------------- */

static inline struct commons *commons(void)
{
	return (struct commons *)LAYOUT_COMMONS; /* NOLINT(performance-no-int-to-ptr): a fixed address by design */
}

/* The start of a gap's area, mapped shared in every member; NULL when the gap is not emulated in this cell. */
static inline void *commons_area(enum gap_id gap)
{
	u64 offset = commons()->areas[gap].offset;
	return offset ? (void *)(LAYOUT_COMMONS + offset) : NULL; /* NOLINT(performance-no-int-to-ptr) */
}

/* Whether every call comes to the agent, because all are recorded. */
static inline bool trace_everything(void)
{
	return commons()->trace && commons()->trace_mode == TRACE_EVERYTHING;
}

/* The descriptor of the commons file in this process, for mmap of pages beyond commons()->mapped. Hidden from the guest. */
int commons_fd(void);

/* Whether a descriptor number is one of those that are not the guest's (descriptors.c): no gap closes or changes it. */
bool agent_reserved_fd(u32 fd);
u32 agent_reserved_lowest(void);

/* --- members (member.c) ------------------------------------------------------------------------------------------------------- */

/* This process's member index (0 … COMMONS_MEMBERS_MAX-1), claimed at the first call. -ENOSPC when the table is full,
 * other negative errno when the host refuses the lock. A claimed slot whose former owner died is first handed to every gap's
 * NAME_member_reap(). After fork the child has none until it asks (or was given one by member_prepare_child()). */
int member_self(void) MUST_CHECK;
/* As member_self() but never claims: -ESRCH when this process is no member. */
int member_peek(void) MUST_CHECK;
/* Whether the process behind a member index is alive. Zombies are not. Costs one F_GETLK; 0 for the caller itself. */
bool member_alive(int member);
/* In EVENT_FORK_PREPARE: gives the coming child a member slot in state PENDING, so that what the gap records for it counts from the
 * first instant. Returns the child's index (the same one for all gaps of one fork) or negative errno. */
int member_prepare_child(void) MUST_CHECK;

/* --- locks (lock.c): for the commons; robust against SIGKILL and execve of the owner -------------------------------------------- */

struct lock {
	u32 word; /* 0 free; bit 31 waiters; bits 30-16 member index + 1; bits 15-0 the owner's epoch */
};

/* Takes the lock; the caller must be a member. Returns 0, or 1 when the former owner died holding it: what it guards is then
 * valid by the prefix rule but may hold an unfinished change, which the caller completes or drops. Never fails, never sleeps
 * longer than the owner holds it. */
int lock_take(struct lock *lock) MUST_CHECK;
void lock_release(struct lock *lock);

/* --- blocking (window.c) ------------------------------------------------------------------------------------------------------------ */

struct agent_time { /* struct __kernel_timespec */
	s64 sec;
	s64 nsec;
};

/* Sleeps until *word != expected, somebody agent_wake()s it, or the time-out (relative, NULL = none) has passed, with the guest's
 * signal mask. word lies in the commons. No lock may be held. Returns 0 (look again), -ETIMEDOUT, or -EINTR: a guest signal
 * with a handler is pending and will be delivered when the call returns. The caller must return CALL_DONE soon after -EINTR. */
int agent_wait(struct call *call, u32 *word, u32 expected, const struct agent_time *timeout) MUST_CHECK;
/* Wakes up to count sleepers on word, in any process of the cell. */
void agent_wake(u32 *word, int count);

/* --- new processes (process.c) --------------------------------------------------------------------------------------------------------- */

/* clone(2) in the terms of clone3(2). */
struct clone_request {
	u64 flags; /* of clone3: no exit signal in them; none that clone(2) does not have but CLONE_CLEAR_SIGHAND */
	u64 exit_signal;
	u64 parent_tid, child_tid, tls;
	u64 stack; /* the child's first stack pointer; 0 = the caller's */
	s32 not_for_child
		[2]; /* descriptors that a child with files of its own closes before its first guest instruction, negative = none;
	                       * not after CLONE_VM without CLONE_VFORK: there the agent has no stack to run on in the child */
};
/* Makes a process or thread for the guest, as the engine does for clone(2). Returns the child's pid or negative errno; also 0, in a child
 * with memory of its own: its handler answers CALL_DONE at once. */
long agent_clone(struct call *call, const struct clone_request *request) MUST_CHECK;

/* A word that each thread has, 0 in the first program of a cell: inherited by what it makes, kept over execve (task_word.c). */
u32 agent_task_word(void);
void agent_task_word_set(u32 word);

/* Likewise, gap keyring's: not kept over execve, which the gap does itself. */
u32 agent_keyring_word(void);
void agent_keyring_word_set(u32 word);

/* --- files a gap supplies (services.c) ------------------------------------------------------------------------------------------------ */

/* Makes an open file with the given bytes (a memfd: seekable, fstat-able) for a virtual path. flags are open(2)'s: O_CLOEXEC counts.
 * Returns the descriptor or negative errno (-EACCES when flags ask for writing). */
int vfile_open(const char *name, const void *bytes, u64 size, int flags) MUST_CHECK;

/* memfd_create(2), also where files that could be executed are refused (in a cage). A descriptor or negative errno. */
long agent_memfd(const char *name, u32 flags) MUST_CHECK;

/* Sends a request and one descriptor, which stays the caller's, to the supervisor (abi/broker.h). 0 or negative errno: -ECONNREFUSED when
 * this cell has no broker, or it is gone. */
int broker_send(const struct broker_request *request, int fd) MUST_CHECK;

/* Calls that come to the agent from now on, in this process and what it makes (added_filter.c): by number alone, and by number and argument 0. Their
 * rows are ADDED_LATER. In a recorded cell all come. */
struct added_filter {
	const u16 *always, *of_fd;
	u32 always_count, of_fd_count;
	u32 fd;
};
long agent_add_filter(const struct added_filter *added) MUST_CHECK;

/* --- identity of the caller, as the guest sees it ------------------------------------------------------------------------------- */

struct agent_creds {
	u32 euid, egid, ruid, rgid;
	int groups;         /* number of supplementary groups; ask agent_in_group() */
	bool cap_ipc_owner; /* CAP_IPC_OWNER effective */
	bool cap_ipc_lock;
	bool cap_sys_admin;
	bool cap_sys_chroot;
	bool cap_sys_resource;
	bool cap_setfcap;
	bool cap_net_admin;
	bool cap_audit_control;
	bool no_new_privs;
};
/* Fills creds by asking the kernel (a few host calls: only on paths that need a permission decision). */
void agent_creds_get(struct agent_creds *creds);
bool agent_in_group(u32 gid);
/* The last capability that gap identity has, where it is filled: what runc drops is what kernel/cap_last_cap tells of. */
u32 identity_last_cap(void);
/* What gap identity answers in their place where it is filled (gaps/identity/identity_agent.c). */
void identity_creds(struct agent_creds *creds);
bool identity_holds_group(u32 gid);
/* The calling thread has so many seccomp filters of its own now; strict: its strict mode. */
void identity_filtered(u32 filters, bool strict);

/*
 * Files as gap identity has them, for the file tree (agent/fs.h; gaps/identity/identity_files.c). Descriptors may be O_PATH. Only where
 * identity_on(). Results are 0 or negative errno.
 */
static inline bool identity_on(void)
{
	return commons()->emulated & (1u << GAP_identity);
}
struct kernel_stat;
struct kernel_statx;
/* The numbers that what was copied up in an overlay had before (agent/fs_origin.c): corrects what the host says of it. */
#define FS_ORIGIN_ATTRIBUTE "user.overlay.lichen.origin"
enum stat_known {                         /* what need not be found out */
		  STAT_O_PATH = 1u << 0,  /* the descriptor is O_PATH */
		  STAT_NO_COPY = 1u << 1, /* the object is no copy */
};
void fs_origin_stat(s32 fd, u32 known, struct kernel_stat *st);
void fs_origin_statx(s32 fd, u32 known, struct kernel_statx *x);
/* Corrects what the host says of it, these included. */
void identity_stat(s32 fd, u32 known, struct kernel_stat *st);
void identity_statx(s32 fd, u32 known, struct kernel_statx *x);
/* The same by its name in a directory, of what is no copy. False: something is kept of it, and nothing has been corrected. */
bool identity_stat_name(s32 directory, const char *name, struct kernel_stat *st) MUST_CHECK;
/* Whether the caller may read (4), write (2), execute or search (1) it; real: as access(2) asks. */
long identity_may(s32 fd, u32 mask, bool real) MUST_CHECK;
/* Whether the caller may all but execute, so that nothing needs to be asked. */
bool identity_unchecked(bool real);
/* After EACCES of the host for what the guest may: true when it is worth another attempt. */
bool identity_unlock(s32 fd);
/* Whether the caller owns it or may act as its owner; may remove or rename a name of a directory. */
long identity_may_own(s32 fd) MUST_CHECK;
long identity_may_remove(s32 directory, const char *name) MUST_CHECK;
/* known: enum stat_known, of fd; without STAT_O_PATH it takes half the time. */
long identity_chown(s32 fd, u32 known, u32 uid, u32 gid) MUST_CHECK;
long identity_chmod(s32 fd, u32 known, u32 mode) MUST_CHECK;
/* Around making something and identity_made(): others wait for that before they are refused what is not the caller's yet. */
u32 identity_making(void) MUST_CHECK;
void identity_is_made(u32 making);
/* Gives what was just made in a directory (negative: has none) to the caller; mode: what was asked for. */
long identity_made(s32 directory, s32 fd, u32 known, u32 mode) MUST_CHECK;
/* Whether such an object's owner is kept by its directory. */
bool identity_by_name(u32 host_mode);
/* Links, FIFOs and sockets, whose owners their directories know by name (gaps/identity/identity_name.c): one was renamed, or two changed places; one is
 * gone; one is another's copy, or another name of it. */
void identity_name_moved(s32 from, const char *old, s32 to, const char *new, bool exchanged);
void identity_name_gone(s32 directory, const char *name);
void identity_same_owner(s32 from, s32 to);
/* mknod of a device. */
long identity_make_device(s32 directory, const char *name, u32 mode, u64 device) MUST_CHECK;
/* The xattr family, of an object: nr and arguments of the guest's call; its result. */
long identity_xattr(s32 fd, long nr, const u64 arg[6]) MUST_CHECK;
/* Whether the caller may get (4) or set (2) an attribute of that name; whether it is one of lichen's own. */
long identity_may_xattr(s32 fd, const char *name, u32 mask) MUST_CHECK;
bool identity_hides_xattr(const char *name);
/* A descriptor that open() got: what stands for a device is replaced by it. Takes fd; the descriptor or negative errno. */
long identity_opened(long fd, u64 flags) MUST_CHECK;

/*
 * Extended attributes that the host does not keep (kept_xattr.c), for gaps xattr and identity. The family's call nr with arg[0] as the host takes it;
 * fd: the object, where gap identity is filled. Returns the call's result.
 */
long kept_xattr(s32 fd, long nr, const u64 arg[6]) MUST_CHECK;
/* Whether an attribute of that name may be kept under another one. */
bool kept_xattr_name(const char *name);
static inline bool xattr_on(void)
{
	return commons()->emulated & (1u << GAP_xattr);
}

/*
 * Pids where the first process of the caller's pid namespace is pid 1 (gaps/namespaces/pid_view.c); the agent itself goes by the host's. Only where
 * pids_on().
 */
bool pids_on(void);
/* In the first process of a cell, or of one that joins it, before anything else; mask: the signals that the guest begins with blocked. */
void pids_start(u64 mask);
/* In a child, which is in another pid namespace than its parent: before its first guest instruction. mask: signals that it blocks. trap: it is the
 * first on its way that sees pids differently. */
void pids_born(u64 mask, bool trap);
/* In its parent: the first is its init. */
void pids_claim(u32 space, s32 child);
/* A process ends itself. */
void pids_ends(void);
s32 pids_to_host(s32 pid);
/* 0: it is not of the cell. */
s32 pids_to_guest(s32 pid);
/* A number that an object of the cell's keeps. */
static inline s32 pids_shown(s32 pid)
{
	return pids_on() && pid == pids_to_host(1) ? 1 : pid;
}
/* Whether a process or thread, by the host's number, is of the cell. */
bool pids_visible(s32 pid);
/* Makes a path below /proc one of the host; of the guest. In place: the new length, or -ENAMETOOLONG; -ENOENT when it is another's. */
long pids_host_path(char *path, u64 room) MUST_CHECK;
long pids_guest_path(char *path, u64 room) MUST_CHECK;
/* The same for what /proc/self and thread-self say. */
long pids_own_link(char *text, long length, u64 room) MUST_CHECK;
/* Takes strangers out of a listing of /proc that lies in the guest's buffer: its new size or -EFAULT. */
long pids_list(u32 fd, u64 buffer, u64 size) MUST_CHECK;
/* What follows the colon of a line of /proc/PID/status, if it is one of pids: the bytes written to `to`, 0: it is none. */
#define PIDS_LINE_MAX 1024u
u64 pids_tell_status(const char *name, u64 length, const char *from, u64 size, char *to);

/*
 * Gap processes, where the kernel has no subreapers: makes a process one, false where it cannot; the caller's parent, of whom the kernel says that it
 * is `kernels`.
 */
bool processes_adopt(s32 pid);
s32 processes_parent(s32 kernels);

/*
 * Namespaces of the caller, as its view has them (agent/view.h): numbers that their gaps give, 0 for those of the cell's beginning. Another IPC
 * namespace may be looked after for a moment: 1 + its number, 0 = the caller's own again; what it was before.
 */
u32 agent_uts_space(void);
u32 agent_ipc_space(void);
u32 agent_ipc_space_force(u32 one_more);
/* Whether a task may be in an IPC namespace. */
bool agent_ipc_space_held(u32 space);
struct agent_spaces {
	u32 uts, ipc;
	u32 mnt; /* the number that its /proc/PID/ns/mnt tells; 0: the cell has the machine's own */
	u32 pid, pid_children, cgroup, net;
};
/* Those of a process, 0 = the caller, or of a thread of it (task, 0 = none is named): 0, or -ESRCH. Makes them the caller's: 0 or negative errno. In another mount namespace its root is the caller's root
 * and working directory; -EINVAL when all tasks have left it. */
long agent_spaces_of(s32 process, s32 task, struct agent_spaces *ret) MUST_CHECK;
long agent_spaces_enter(const struct agent_spaces *spaces) MUST_CHECK;
/* gaps/namespaces: what a link of /proc/PID/ns says to the guest, NUL-terminated, up to 40 bytes: its length, 0: the kernel's word, or -ENOENT. */
long ns_link(const char *path, char *out);
/* The host path of the file that such a link leads to: its length, negative errno, 0: it is the kernel's affair. Of a host path: the name of a namespace's
 * file in it, or NULL; what its link would say, 0: it is none. */
#define NS_PATH_SIZE 320u
long ns_file_path(const char *path, char to[NS_PATH_SIZE]) MUST_CHECK;
const char *ns_name_of(const char *host);
long ns_told(const char *host, char *out);
/* Whether an open descriptor or a mount keeps the namespace of a kind (CLONE_NEW…) and number. */
bool ns_is_pinned(u32 flag, u32 number);
/* Whether any mount of the cell has a host path as its root (fs_mounts.c). */
bool fs_is_mounted(const char *host);
/* gaps/newcalls: the process that a pidfd of its own stands for; -ESRCH when it has ended, -EBADF: it is none. */
long newcalls_pidfd_pid(s32 fd) MUST_CHECK;
/* Views (agent/view.h) for gap namespaces: all; the calling thread's; what a new one is to say, root: "" or "/…", below the root of the mount root_mount,
 * not copied. */
static inline struct view_state *views(void)
{
	return (struct view_state *)(LAYOUT_COMMONS + commons()->views); /* NOLINT(performance-no-int-to-ptr) */
}
const struct view *agent_view(void);
struct view_spec {
	u32 space, root_mount;
	const char *root;
	u32 root_length;
	u32 uts, ipc, pid, pid_children, cgroup, net;
};
/* The pid namespace of a task that is entered, -ESRCH of others; of an entry of view_state.task[]. */
long view_pid_space_of(s32 tid) MUST_CHECK;
u32 view_entry_pid_space(u64 entry);
/* A living process or thread in a network namespace that is not the cell's: its number on the host, 0: there is none. */
s32 view_net_holder(u32 net);
/* gaps/namespaces: makes those of *flags that are its affair for a new view, and takes them out of *flags. 0 or negative errno. */
long namespaces_new(u64 *flags, struct view_spec *spec) MUST_CHECK;
/* gaps/sysvipc: a fresh IPC namespace, -ENOSPC; before the caller leaves its own. */
long sysvipc_new_space(void) MUST_CHECK;
void sysvipc_leave_space(void);

/*
 * Control groups (gaps/cgroup; abi/cgroup_state.h), where cgroup_on(). `host`: a path of the host, in a hierarchy's directory.
 */
static inline bool cgroup_on(void)
{
	return commons()->emulated & (1u << GAP_cgroup);
}
/* What a control file is as virtual file (agent/vfs.h): 1 when its bytes are made at open, 0 when they lie in the file; -ENODEV: its group is gone. */
#define CGROUP_FILE_PATH 96u
long cgroup_describe(const char *host, char out[CGROUP_FILE_PATH]) MUST_CHECK;
/* A file whose bytes lie in it was opened for reading: of some, poll(2) tells changes. */
void cgroup_watch(s32 fd, const char path[CGROUP_FILE_PATH]);
/* mkdir, rmdir of a group: its directory is `name` in `directory`. 0 or negative errno. */
long cgroup_make(const char *host, s32 directory, const char *name, u32 mode) MUST_CHECK;
long cgroup_remove(const char *host, s32 directory, const char *name) MUST_CHECK;
/* Undoes what a process that was killed has begun to make or remove. */
void cgroup_recover(void);
/* A hierarchy that is to be mounted: of v2, or v1 with the options of mount(2), which is made if there is none (device: for that). 0 or negative errno. */
struct cgroup_mounted {
	u32 device; /* its file system's number */
	char *path; /* the directory of what is its root to the caller: where that is to be written */
	u64 path_size;
	char options[256]; /* as mountinfo tells them, without "rw" */
};
long cgroup_mount(bool v1, const char *options, u32 device, struct cgroup_mounted *ret) MUST_CHECK;
/* A cgroup namespace of that number begins: its roots are the groups that the caller is in. */
void cgroup_new_space(u32 number);
/* Whether a file system is mounted anywhere in the cell, by its number (fs_cgroup.c). */
bool agent_device_mounted(u32 device);
/* Before a process or thread is made: 0, or -EAGAIN when a group has as many as it may. Afterwards, in the parent (child: negative when there is
 * none) and in the child, whatever comes first. birth: from the former; 0 for a thread. */
long cgroup_fork_begin(bool process, u64 *ret_birth) MUST_CHECK;
void cgroup_fork_end(s32 child, u64 birth);

/* Memory of the call that is being handled: not zeroed, gone when its handler returns. agent_in_group() and agent_clone() write
 * over it. */
#define AGENT_SCRATCH 36864u
void *agent_scratch(void);

/* Writes "/proc/self/fd/N", or that of the working directory (AT_FDCWD): by that name what a descriptor stands for can be reached, also one that is open with O_PATH (services.c). */
#define AGENT_FD_LINK_SIZE 24u
void agent_fd_link(char out[AGENT_FD_LINK_SIZE], u32 fd);
/* The same of a name in a directory; false: no name is so long. */
#define AGENT_FD_NAME_SIZE (AGENT_FD_LINK_SIZE + 256u)
bool agent_fd_name(char out[AGENT_FD_NAME_SIZE], s32 directory, const char *name) MUST_CHECK;

/* --- mounts (fs_mount_info.c) ------------------------------------------------------------------------------------------------------ */

enum mounts_file { MOUNTS_MOUNTINFO, MOUNTS_MOUNTS, MOUNTS_MOUNTSTATS };
/* What such a file of a task says; tid 0: the caller's. Returns its size, of which as much as fits is written, -ESRCH, or -EOPNOTSUPP where
 * the kernel's own file counts. */
long agent_mounts_tell(enum mounts_file file, s32 tid, char *to, u64 size) MUST_CHECK;

/* Whether set-user-ID bits of what a descriptor stands for are without effect, by its mount in the cell (fs_reached.c). Needs no scratch. */
bool agent_is_nosuid(s32 fd);

/* --- small things ------------------------------------------------------------------------------------------------------------------- */

s32 agent_pid(void); /* getpid of the guest */
/* The host's numbers of the calling process, which may be a vfork child, and thread: without a call where they are known. */
s32 agent_caller_pid(void);
s32 agent_caller_tid(void);
s64 agent_now(void); /* seconds since the Epoch, as time(2) */
/* Prints one line 'lichen: agent: <what> (<value>)' on stderr and ends the process with status 125: for states that must not be. */
NORETURN void agent_die(const char *what, long value);

#endif
