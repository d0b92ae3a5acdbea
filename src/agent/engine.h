/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the engine: what its files and entry.S call of each other. Gaps include agent.h instead. */
#ifndef LICHEN_AGENT_ENGINE_H
#define LICHEN_AGENT_ENGINE_H

#include "abi/trace.h"
#include "agent/agent.h"
#include "agent/private.h"
#include "base/kernel_stat.h"

#define SIGNAL_BIT(sig) (UINT64_C(1) << ((sig)-1))
#define SIGBUS_ 7
#define SIGPIPE_ 13
#define SIGSEGV_ 11
#define SIGSYS_ 31
#define SIGSYS_BIT SIGNAL_BIT(SIGSYS_)
#define FAULT_BITS (SIGNAL_BIT(SIGSEGV_) | SIGNAL_BIT(SIGBUS_))
#define UNBLOCKABLE (SIGNAL_BIT(9) | SIGNAL_BIT(19)) /* SIGKILL, SIGSTOP */
/* Blocked while a handler of ours runs: everything but what a bad guest pointer raises. */
#define AGENT_MASK (~(FAULT_BITS))

#define SECCOMP_COOKIE 0x4c43 /* SECCOMP_RET_DATA of our filter: "LC" */

/* entry.S; in the linker script: agent_end */
extern const char agent_end[], agent_pass[], agent_pass_edited[], agent_pass_begin[], agent_pass_resume_end[];
extern const char agent_pass_traced[], agent_pass_traced_edited[], agent_pass_reported[], agent_pass_reported_edited[];
extern const char agent_pass_traced_left[], agent_pass_traced_call[], agent_pass_reported_left[], agent_pass_reported_call[];
extern const char agent_pass_offstack[], agent_pass_judged[], agent_pass_judged_done[];
extern const char agent_report[], agent_report_trapped[], agent_report_end[];
extern const char agent_window_begin[], agent_window_woken[];
extern const char agent_copy_begin[], agent_copy_end[], agent_string_begin[], agent_string_end[], agent_copy_fault[];
extern const char agent_thunks[], agent_thunk_slow[], agent_restorer_end[];
void agent_sigsys(void);
void agent_restorer(void);
long agent_reissue(long nr, const u64 args[6]);
struct window {
	u64 guest_mask, agent_mask; /* of signals: while it waits, and afterwards */
	u64 nr;                     /* the call */
};
long agent_window(struct trap *trap, const struct window *window, u64 arg0, u64 arg1, u64 arg2, u64 arg3);
/* Makes a call that may wait, of at most four arguments, as the guest would: signals with handlers end it, stops do not. Its result; with -EINTR call->again
 * says whether the guest is to make its own call again behind the handler (SA_RESTART). */
long agent_waiting_call(struct call *call, long nr, u64 arg0, u64 arg1, u64 arg2, u64 arg3) MUST_CHECK;
long agent_copy(void *to, const void *from, u64 size, u64 frame);
long agent_copy_string(char *to, const char *from, u64 size, u64 frame);
struct child_chores;
long agent_clone_vm(long nr, const u64 args[6], u64 child_frame, const struct child_chores *chores);

/* called from entry.S */
struct start {
	u64 sp, entry;
};
u64 agent_start(u64 *stack);         /* maps private memory and the commons; returns the top of slot 0's stack */
struct start agent_load(u64 *stack); /* on that stack: loads the program */
NORETURN void agent_overwritten(void);
u64 trap_main(int sig, struct siginfo *info, struct context *context, u64 slot, u64 frame);
u64 signal_in_agent(int sig, struct siginfo *info, struct context *context, u64 row);
void signal_clear_handlers(void);
/* What a child does before its first guest instruction. */
struct child_chores {
	bool clear_handlers; /* CLONE_CLEAR_SIGHAND */
	bool has_task_word[TASK_WORDS];
	u32 task_word[TASK_WORDS];
	u32 count;
	s32 close[2];
	bool born, trap_pids; /* in another pid namespace than its parent; pids_born() */
	u32 pid_space;        /* which */
	u64 mask;             /* signals that it blocks */
	u64 birth;            /* of a process: cgroup_fork_begin() */
};
void clone_child_chores(const struct child_chores *chores);

static inline bool text_holds(u64 ip, const char *begin, const char *end)
{
	return ip >= (u64)begin && ip < (u64)end;
}

/* trap.c */
void events(enum agent_event event, long arg);
void member_reap_all(int member);
/* Where the guest's stack is free: below the frame if the frame lies on the same stack, else below its red zone. */
u64 trap_free_stack(const struct trap *trap);

#define SYSCALL_SIZE 2 /* bytes of the instruction */

/* What a passed-on call finds at its stack pointer (agent_pass*). */
struct left {
	u64 sp, ip;  /* the guest's */
	u64 nr;      /* of the call; from here on only where needed */
	u64 result;  /* agent_report */
	u64 args[6]; /* the guest's, where one was edited; agent_pass_offstack: args[0] = address of the slot's busy word */
	u64 extra[3];
};
static_assert(offsetof(struct left, ip) == OFF_LEFT_IP && offsetof(struct left, nr) == OFF_LEFT_NR &&
		      offsetof(struct left, result) == OFF_LEFT_RESULT && offsetof(struct left, args) == OFF_LEFT_ARGS,
	      "entry.S");

static_assert(OFF_LEFT_BELOW == 128 + OFF_LEFT_ARGS && TRACE_REPORT_NR_ASM == TRACE_REPORT_NR, "entry.S");

/* trace.c: recording, only where commons()->trace says so */
/* Before a call is dispatched: notes what it says. */
void trace_before(struct call *call);
/* A call's result is known. args: the guest's. */
void trace_result(long nr, const u64 args[6], long result);
/* Whether every result of the call is to be shown, not only errors. */
bool trace_wants_result(const struct call *call);
/* A new image is about to start. */
void trace_exec(const char *path, char *const *argv);

/* trace_ring.c: hands a record over. Waits for room as long as the consumer makes some within 2 s. */
void trace_push(const struct trace_record *record);

/* trace_args.c: appends what the call's arguments stand for to the payload */
void trace_decode(struct trace_record *record);
/* Appends one string; what does not fit is cut. bytes: the agent's memory. */
void trace_put(struct trace_record *record, u32 arg, u32 flags, const void *bytes, u64 length);
/* Appends a NUL-terminated string of the guest's, at most `most` bytes of it. Nothing when it cannot be read. */
void trace_put_guest_string(struct trace_record *record, u32 arg, u64 from, u32 most);
/* Appends the path that a descriptor stands for. */
void trace_put_fd(struct trace_record *record, u32 arg, s32 fd);
/* Appends the working directory. */
void trace_put_cwd(struct trace_record *record);

/* services.c: writes a new memfd's bytes. 0 or negative errno. */
long vfile_fill(long fd, const void *bytes, u64 size) MUST_CHECK;

/* signal.c */
void signal_start(u64 inherited_mask, bool sigsys_blocked);

/* signal_mask.c: whether the calling thread has SIGSYS blocked, as far as it knows; setting that */
bool signal_shadow(void);
void signal_shadow_set(bool blocked);
/* Once SIGSYS is unblocked: a pending one arrives. */
void signal_sigsys_unblocked(void);

/* signal.c */
/* Ends the process as a signal does that has no handler. */
NORETURN void signal_die(int sig);
/* Before execve: ignored SIGSEGV and SIGBUS must reach the new image as ignored. After a failed execve: undo. */
void signal_before_exec(void);
void signal_after_failed_exec(void);
/* Makes SIGPIPE ours for good in this process. 0 or negative errno. */
int signal_take_sigpipe(void) MUST_CHECK;
/* In a child with memory of its own. */
void signal_forked_child(void);
/* A SIGPIPE that came to us first: returns the guest handler to enter, or 0. May not return when the action is to die. */
u64 signal_sigpipe(struct trap *trap);
/* vfs_write.c: whether the call that raised SIGPIPE was a write to a virtual file; its result is then in regs->ax. */
bool vfs_write_signalled(struct registers *regs);
/* A SIGSYS that is not ours: returns the guest handler to enter, or 0. May not return when the action is to die. */
u64 signal_sigsys(struct trap *trap);

/* process.c: bytes of the signal frame from trap->frame on, with its FP state */
u64 frame_size(const struct trap *trap);

/* exec.c: the marker that travels as last environment string */
struct marker {
	s32 reserved_fds[RESERVED_COUNT];
	s32 member, exec_fd; /* exec_fd: program already open, -1 = open by path */
	u64 mapped;          /* bytes of commons */
	u64 mask;            /* signal mask for the new image, SIGSYS included when it believes so */
	u64 flags;           /* enum marker_flag */
	u32 task_word;       /* of the thread that executes */
	u32 view;            /* likewise */
	u32 seccomp;         /* likewise, without SECCOMP_NEWEST */
	s32 filters_fd;      /* filter_hand_over(), -1: none */
	u32 cwd_mount;       /* id of the mount that its working directory is known to lie on; 0: not known */
	u32 exe_mount;       /* likewise the program */
	const char *path;    /* what is loaded */
	const char *name;    /* what was executed; the same pointer unless it is a script */
};
enum marker_flag {
	MARKER_FIRST = 1, /* from `lichen run`: path is what the user named; look at it as execve would */
	/* From `lichen exec`, with the above: the string before the marker says who it is and where it starts, START_NAME N.[UID.GID.GID…]:PATH
	 * in hexadecimal. N: groups + 1, 0 = as the cell's first program; the path may be empty: where that started. */
	MARKER_PLACED = 2,
	MARKER_CUT_OFF = 8,    /* a filter keeps it from every network (gaps/namespaces/ns_net.c) */
	MARKER_DESCRIPTOR = 4, /* executed by a descriptor: it may have no name */
};
#define MARKER_NAME "LICHEN_EXEC="
#define START_NAME "LICHEN_START="
/* execve(path, argv, envp) relative to dirfd as the guest would; returns only with a negative errno. */
long exec_program(s32 dirfd, u64 path, u64 argv, u64 envp, int flags, u64 mask);
/* For a cell's first image: a descriptor of the program, looked at likewise, if this image may become it without another execve: it is no script, and no gap has a say in
 * what it becomes. Else negative: exec_program() does it, or says why not. */
int exec_in_place(const char *path);

/* Opens what is to be executed as execve would: a regular file that the caller may execute. flags are execveat's. Returns a
 * close-on-exec descriptor or negative errno. */
int exec_open(s32 dirfd, const char *path, int flags);
/* The same in the machine's own tree, whatever the cell's is. */
int exec_open_host(s32 dirfd, const char *path, int flags);
#define EXEC_HEAD_SIZE 256u /* BINPRM_BUF_SIZE: what decides about a file's kind */
/* Takes '#!interpreter argument' apart into out[0], out[1] (empty = none), as load_script() does. head: EXEC_HEAD_SIZE bytes, zeros behind
 * the file's end. 0, or -ENOEXEC when there is no interpreter in it, or its name may be cut off. */
int exec_parse_script(const u8 *head, char out[2][EXEC_HEAD_SIZE]);

/* elf.c */
#define ELF_WORK_SIZE 8192u
struct elf_image {
	bool present;
	u64 base, entry, phdr, phnum, end; /* run-time addresses */
};
/* Checks a program as execve does before its point of no return: 0, or the negative errno execve gives. head: the file's first bytes;
 * work: ELF_WORK_SIZE bytes, aligned to 8. */
int elf_check(int fd, const u8 *head, u64 size, u8 *work);
/* Maps fd and its interpreter. Negative errno where the kernel would kill the process that it has half replaced. */
int elf_load(int fd, struct elf_image *program, struct elf_image *interpreter, u8 *work, bool *exec_stack);

/* task_word.c */
u32 task_word(enum task_word kind);
/* Sets it for the calling thread alone, or for all that share it. */
void task_word_set_own(enum task_word kind, u32 word);
void task_word_set_shared(enum task_word kind, u32 word);
/* Whether some thread of this process has it. */
bool task_has_word(enum task_word kind, u32 word);
void task_start(enum task_word kind, u32 word);
/* Around fork: in the parent (forks are made one at a time), in the child. */
void task_before_fork(void);
void task_forked_child(void);
/* Around the making of a thread; flags are clone's, tid the child's or a negative errno. */
struct task_birth {
	bool any, has[TASK_WORDS]; /* the child gets a row */
	u32 word[TASK_WORDS];
};
/* view: the child's, NULL: the caller's. */
void task_birth_begin(u64 flags, const u32 *view, struct task_birth *birth);
void task_birth_end(s32 tid, const struct task_birth *birth);
/* Whether a child that shares memory must be told its word: task_vfork_child() in it, task_gone() by its parent once it has gone. */
bool task_rows(enum task_word kind);
void task_vfork_child(enum task_word kind, u32 word);
void task_gone(s32 tid);
void task_gone_kind(enum task_word kind, s32 tid);

void task_seccomp_sync(u32 word);
/* Shows every word that a living thread has, or a vfork child. */
void task_each_word(enum task_word kind, void (*show)(u32 word, u64 *arg), u64 *arg);

/*
 * guest_filter.c: the filters that guests install.
 */
enum seccomp_word {
	SECCOMP_NEWEST = 0xffff,     /* 1 + index of the newest filter in private()->filter[], 0: none */
	SECCOMP_STRICT = 1u << 30,   /* SECCOMP_SET_MODE_STRICT */
	SECCOMP_NO_PRIVS = 1u << 31, /* the guest has set no_new_privs; where gap identity is filled, that knows */
};
#define SECCOMP_RET_TRAP_ 0x00030000u
#define SECCOMP_RET_ALLOW_ 0x7fff0000u
struct cbpf_insn;
/* Keeps a program of the guest's (its memory), unused yet. Negative errno as seccomp(2) has it, or what filter_use() and filter_drop() take. */
long filter_keep(u64 from, u32 length) MUST_CHECK;
const struct cbpf_insn *filter_program(long kept);
/* It is the calling thread's newest from now on; every thread's. */
void filter_use(long kept, bool every_thread);
void filter_drop(long kept);
/* What they say of a call. */
enum judgement {
	JUDGED_ALLOWED,
	JUDGED_ANSWERED, /* call->ret */
	JUDGED_TRAPPED,  /* trap->info says what the guest's handler is to see */
	JUDGED_KERNELS,  /* the kernel alone can do what the filter asks for, with the call as it is */
};
enum judgement filter_judge(struct call *call) MUST_CHECK;
/* Before execve: a descriptor that keeps the calling thread's filters, untouched where it has none. 0 or negative errno. In the new image. */
long filter_hand_over(s32 *ret_fd) MUST_CHECK;
void filter_start(u32 word, s32 fd);
/* guest_notify.c: an ioctl, in a cell with a tree; true: it is answered. It has its result. */
bool notify_ioctl(struct call *call) MUST_CHECK;
void notify_reported(u32 command, u64 at);
#define NOTIF_CONTINUED (-0x4c43) /* as a call's result: no kernel's errno */
/* How many the calling thread has. */
u32 filter_count(void);

/* member.c */
void member_start(s32 member);
/* Around execve: MEMBER_EXEC before it, MEMBER_LIVE after it failed. Nothing for -1. */
void member_exec(s32 member, enum member_state state);
void member_forked_child(void);
void member_forked_parent(long child);

/* proc_exe.c: the program, once it is loaded: closed, or kept open where nothing names it. by_descriptor: it was executed by one. */
void exe_keep(s32 fd, bool by_descriptor);
/* The descriptor that is kept of it if the path is the process's own /proc/…/exe; -1: none is, or it is another path. */
s32 exe_kept(const char *path) MUST_CHECK;

/* proc_self.c: the path of the program behind /proc/{self,thread-self,PID}/exe of a member into out (4096 bytes). Its length, or
 * negative: not such a path, no member. work: at least 8192 bytes. */
long exe_link_target(const char *path, char *out, char *work, u64 work_size);
/* Whether path is such a link; writes /proc/…/maps to maps (64 bytes). */
bool exe_link_maps(const char *path, char *maps) MUST_CHECK;

u64 vdso_find(u64 base, const char *name);

/* the handlers of engine.def */
#define GAP_CALL(name, test, handler) enum verdict handler(struct call *call);
#include "agent/engine.def"
#undef GAP_CALL
enum verdict engine_dispatch(struct call *call);
/* The switch over gaps/namespaces/pids.def. */
enum verdict pids_dispatch(struct call *call);

#endif
