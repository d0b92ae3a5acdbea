/* SPDX-License-Identifier: Apache-2.0 */
/* Gap sysvipc, host half: does this kernel have System V shared memory, semaphores and message queues? And the area's start. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "gaps/evidence.h"
#include "gaps/sysvipc/sysvipc.h"

/* A segment must take a write, and know that it is attached. */
static void try_shm(struct evidence *e)
{
	evidence_try(e, "shmget", "shmget(IPC_PRIVATE, 4096, 0600)");
	int id = shmget(IPC_PRIVATE, 4096, 0600);
	if (!evidence_answer(e, id < 0 ? errno : 0))
		return;
	evidence_try(e, "shmat", "shmat(id, NULL, 0)");
	volatile char *at = shmat(id, NULL, 0);
	if (evidence_answer(e, (intptr_t)at == -1 ? errno : 0)) {
		struct shmid_ds state;
		at[0] = 1;
		evidence_try(e, "shmctl", "shmctl(id, IPC_STAT, …)");
		int error = shmctl(id, IPC_STAT, &state) ? errno : 0;
		if (evidence_answer(e, error) && state.shm_nattch != 1)
			evidence_wrong(e, "nattch is not 1");
		shmdt((const void *)at);
	}
	evidence_try(e, "IPC_RMID", "shmctl(id, IPC_RMID)");
	evidence_answer(e, shmctl(id, IPC_RMID, NULL) ? errno : 0);
}

static void try_sem(struct evidence *e)
{
	struct sembuf up = { .sem_num = 0, .sem_op = 1, .sem_flg = 0 };
	evidence_try(e, "semget", "semget(IPC_PRIVATE, 1, 0600)");
	int id = semget(IPC_PRIVATE, 1, 0600);
	if (!evidence_answer(e, id < 0 ? errno : 0))
		return;
	evidence_try(e, "semop", "semop(id, {0, +1, 0}, 1)");
	if (evidence_answer(e, semop(id, &up, 1) ? errno : 0)) {
		up.sem_flg = SEM_UNDO;
		evidence_try_extra(e, "SEM_UNDO", "semop(id, {0, +1, SEM_UNDO}, 1)");
		evidence_answer(e, semop(id, &up, 1) ? errno : 0);
	}
	semctl(id, 0, IPC_RMID);
}

static void try_msg(struct evidence *e)
{
	struct {
		long type;
		char text[1];
	} message = { 1, { 'x' } };
	evidence_try(e, "msgget", "msgget(IPC_PRIVATE, 0600)");
	int id = msgget(IPC_PRIVATE, 0600);
	if (!evidence_answer(e, id < 0 ? errno : 0))
		return;
	evidence_try(e, "msgsnd", "msgsnd(id, …, 1, IPC_NOWAIT)");
	evidence_answer(e, msgsnd(id, &message, sizeof(message.text), IPC_NOWAIT) ? errno : 0);
	msgctl(id, IPC_RMID, NULL);
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "shmget, shmat, semget, semop, msgget, msgsnd");
	try_shm(&e);
	try_sem(&e);
	try_msg(&e);
	evidence_end(&e);
}

/* The defaults of Linux 6.18 (include/uapi/linux/{shm,sem,msg}.h). */
static int install(void *area, const struct commons *commons)
{
	(void)commons;
	struct sysvipc_area *sysvipc = area;
	sysvipc->limits = (struct ipc_limits){
		.shmmax = UINT64_MAX - (1u << 24),
		.shmall = UINT64_MAX - (1u << 24),
		.shmmni = 4096,
		.msgmax = 8192,
		.msgmnb = 16384,
		.msgmni = 32000,
		.semmsl = 32000,
		.semmns = 1024000000,
		.semopm = 500,
		.semmni = 32000,
	};
	sysvipc->defaults = sysvipc->limits;
	sysvipc->shm.ids.last = -1;
	sysvipc->sem.ids.last = -1;
	sysvipc->msg.ids.last = -1;
	sysvipc->sem.heap.granule = SEM_HEAP_GRANULE;
	sysvipc->sem.heap.granules = SEM_HEAP_BYTES / SEM_HEAP_GRANULE;
	return 0;
}

static const struct gap_symptom symptoms[] = {
	{ .program = "postgres",
	  .call = "shmget",
	  .error = ENOSYS,
	  .message = "could not create shared memory segment: Function not implemented",
	  .cause = "this kernel is built without CONFIG_SYSVIPC; no setting of PostgreSQL avoids shmget",
	  .source = "facts/error-texts.md" },
	{ .call = "shmget", .error = ENOSYS, .source = "shmget(2)" },
	{ .call = "semget", .error = ENOSYS, .source = "semget(2)" },
	{ .call = "msgget", .error = ENOSYS, .source = "msgget(2)" },
	{ .program = "ipcs", .message = "kernel not configured for", .source = "util-linux sys-utils/ipcs.c" },
	{ .program = "ipcmk",
	  .error = ENOSYS,
	  .message = "failed: Function not implemented",
	  .source = "util-linux sys-utils/ipcmk.c" },
};

static const int calls[] = {
	SYS_shmget, SYS_shmat,  SYS_shmdt,  SYS_shmctl, SYS_semget, SYS_semop, SYS_semtimedop,
	SYS_semctl, SYS_msgget, SYS_msgsnd, SYS_msgrcv, SYS_msgctl, -1,
};

static const char *const files[] = {
	"/proc/sysvipc/shm",
	"/proc/sysvipc/sem",
	"/proc/sysvipc/msg",
	"/proc/sys/kernel/shmmax",
	"/proc/sys/kernel/shmall",
	"/proc/sys/kernel/shmmni",
	"/proc/sys/kernel/shm_rmid_forced",
	"/proc/sys/kernel/shm_next_id",
	"/proc/sys/kernel/sem",
	"/proc/sys/kernel/sem_next_id",
	"/proc/sys/kernel/msgmax",
	"/proc/sys/kernel/msgmnb",
	"/proc/sys/kernel/msgmni",
	"/proc/sys/kernel/msg_next_id",
	"/proc/sys/kernel/auto_msgmni",
	NULL,
};

static const char *const workloads[] = { "postgres", NULL };

const struct gap gap_sysvipc = {
	.name = "sysvipc",
	.summary = "System V shared memory, semaphores and message queues",
	.needed_by = "PostgreSQL, ipcs, ipcmk, stress-ng",
	.workloads = workloads,
	.probe = probe,
	.area_size = SYSVIPC_AREA_SIZE,
	.spaces = IPC_SPACES,
	.install = install,
	.files = files,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.paths = GAP_PATHS_OPEN,
	.refuse_calls = calls,
	.refuse_error = ENOSYS,
};
