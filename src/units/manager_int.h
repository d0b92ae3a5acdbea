/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the manager. */
#ifndef LICHEN_UNITS_MANAGER_INT_H
#define LICHEN_UNITS_MANAGER_INT_H

#include "host/cell_log.h"
#include "units/manager.h"
#include "units/unit_run.h"

/* Where a unit is (systemd's names in what is told, unit_record.h). */
enum managed_state {
	MANAGED_WAITING,   /* for others to be up */
	MANAGED_START_PRE, /* a command of ExecStartPre= runs */
	MANAGED_START,     /* ExecStart= was executed, what Type= waits for has not come yet */
	MANAGED_START_POST,
	MANAGED_ASKED,         /* it is up by its own account; the request of its profile is made */
	MANAGED_PROVING,       /* it answers; the proof of its profile is made */
	MANAGED_RUNNING,       /* up; of a socket: it listens */
	MANAGED_ACTIVE_EXITED, /* a oneshot with RemainAfterExit= */
	MANAGED_STOP,          /* a command of ExecStop= runs */
	MANAGED_STOP_TERM,     /* KillSignal= was sent */
	MANAGED_STOP_KILL,     /* SIGKILL was sent */
	MANAGED_STOP_POST,
	MANAGED_AUTO_RESTART, /* waits for RestartSec= */
	MANAGED_DEAD,         /* over, and that is fine */
	MANAGED_FAILED,
	MANAGED_SKIPPED, /* a condition is not met */
};

enum service_type { SERVICE_SIMPLE, SERVICE_EXEC, SERVICE_FORKING, SERVICE_ONESHOT, SERVICE_NOTIFY };

/* One command that runs. */
struct managed_process {
	pid_t runner; /* 0 = none */
	pid_t guest;  /* 0 = not known yet */
	int report;   /* pipe, negative = at its end */
	const struct unit_command *command;
	struct unit_report end; /* kind UNIT_ENDED when that has come */
	bool started;
};

enum managed_list { LIST_START_PRE, LIST_START, LIST_START_POST, LIST_STOP, LIST_STOP_POST, LISTS };

struct manager;

struct managed {
	struct manager *manager;
	const struct unit *unit;
	const struct unit_profile *profile;
	bool required;
	enum managed_state state;
	enum service_type type;
	struct unit_commands lists[LISTS];
	struct word_list env;
	enum managed_list list; /* … */
	size_t at;              /* … and the command of it that runs, or is next */
	struct managed_process main, control;
	pid_t main_pid;   /* of the daemon; 0 = none, or not known */
	u64 main_started; /* with main_pid: the process's start, in clock ticks */
	int notify;       /* socket, negative = none */
	char notify_name[64];
	pid_t first_runner; /* of this start */
	bool announced;     /* READY=1 has come */
	bool was_ready;
	bool wants_restart; /* when it has been stopped */
	bool reloading;
	pid_t asker; /* the process that makes the request, or the proof, 0 = none */
	int asker_pipe;
	bool proof_failed;
	bool proven; /* since `lichen up` */
	s64 proof_began, proof_ms;
	struct unit_sockets sockets; /* of a socket unit */
	struct cell_log *log;
	int log_dir;
	int outputs[2]; /* our ends */
	int writers[2]; /* what commands get */
	s64 deadline;   /* ms, monotonic; 0 = none */
	s64 next_look; /* … for the next look at a pid file, a process that is no child, a daemon that did not answer; 0 = none */
	s64 extended;  /* EXTEND_TIMEOUT_USEC: not before this */
	s64 since;     /* of the state, ns since 1970 */
	s64 starts[16]; /* of the last starts, ms: StartLimitBurst= */
	u32 start_count, restarts;
	int status;                     /* of the main process: as a shell has it */
	char result[32];                /* "success", "exit-code", "signal", "timeout", "start-limit-hit", "protocol" … */
	char why[MANAGER_TEXT];         /* in a sentence */
	char restart_why[MANAGER_TEXT]; /* the same of the time before, when it was started again */
	char status_text[256];          /* STATUS= */
	char asked_text[160];           /* what became of the last request */
	struct word_list notes;         /* told at its start */
	struct word_list leaves;        /* what of its profile's was not there before (unit_leaves.h) */
};

struct manager {
	const struct manager_start *start;
	struct unit_cell cell;
	struct managed units[UNIT_SET_MAX];
	size_t count;
	int events; /* negative: nobody reads */
	int end;    /* hung up when the monitor is gone */
	int units_dir;
	bool adopts; /* orphans become our children */
	bool stopping, announced, changed;
};

s64 manager_now_ms(void);
s64 manager_now_ns(void);

/* manager.c */
void manager_tell(struct manager *manager, enum manager_progress progress, const struct managed *managed, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* manager_state.c: writes units.json. */
void manager_write(struct manager *manager);

/* manager_service.c */
void managed_begin(struct managed *managed);
void managed_set(struct managed *managed, enum managed_state state);
/* A command of it has ended. */
void managed_command_ended(struct managed *managed, struct managed_process *process);
/* Its main process has ended; status as a shell has it. */
void managed_main_ended(struct managed *managed, int status);
/* What a sleeper wants to look at, and deadlines. Returns when it wants to be called again, 0 = never. */
s64 managed_tick(struct managed *managed, s64 now);
/* It cannot be: stops what runs of it. */
void managed_fail(struct managed *managed, const char *result, const char *format, ...) PRINTF_LIKE(3, 4);
bool managed_is_up(const struct managed *managed);   /* those that come after it may start */
bool managed_is_over(const struct managed *managed); /* nothing runs of it */
void managed_up(struct managed *managed);            /* what Type= waits for has come */

/* manager_stop.c */
void managed_stop(struct managed *managed);
void managed_stop_step(struct managed *managed); /* a command of the stop lists has ended, or a process */
void managed_kill(struct managed *managed);      /* time is up */

/* manager_process.c */
/* Starts a command. 0 or negative errno. */
int managed_run(struct managed *managed, struct managed_process *process, const struct unit_command *command) MUST_CHECK;
void managed_read_report(struct managed *managed, struct managed_process *process);
/* Sends a signal to its processes: all of them, or only the main one. Returns how many there were. */
int managed_signal(struct managed *managed, int sig, bool all);
bool managed_process_lives(pid_t pid, u64 started);
u64 managed_process_start(pid_t pid);
/* Whether a process is one of the unit's. */
bool managed_has(struct managed *managed, pid_t pid);
/* The only process that is left of it besides runners; 0: none, or several. */
pid_t managed_only_process(struct managed *managed);
void managed_output(struct managed *managed, int stream);
/* A line of the manager's own in the unit's log: "lichen: NAME …". */
void managed_note(struct managed *managed, const char *format, ...) PRINTF_LIKE(2, 3);

/* manager_ask.c */
/* Makes the request of its profile, or the proof; asker != 0 while that goes on. */
void managed_ask(struct managed *managed, bool proof);
void managed_asker_ended(struct managed *managed, bool worked);

/* manager_notify.c */
int managed_notify_open(struct managed *managed) MUST_CHECK;
void managed_notified(struct managed *managed);

#endif
