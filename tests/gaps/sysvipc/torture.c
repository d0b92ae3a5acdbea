/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes hammer semaphores, segments and queues while a killer ends random ones with SIGKILL and starts them again.
 *
 *     sysvipc-torture [KILLS [WORKERS [SEED]]]        status 0: every check held; 1: one did not (said on stdout)
 *
 * What is checked, in the order of an object's life:
 *   - tokens: a worker takes and returns units of TOKENS semaphores with SEM_UNDO, several in one semop, over fork and exec.
 *     Whenever all workers are dead, every semaphore is back at its full value.
 *   - mutex: a semaphore with SEM_UNDO guards two counters. Who holds it is alone; the next one may find the pair half done by a
 *     dead holder, never more than half done.
 *   - messages carry sender, number and checksum. A bit per message tells a message that came twice. What was sent and neither
 *     received nor left in the queue was in the hands of a killed process: at most two a kill.
 *   - sleepers: workers wait on a semaphore that the killer raises now and then. Units given are units taken and left, but for
 *     those in the hands of the killed.
 *   - segments are created, attached, written, removed in use. With all workers dead nobody is attached and removed ones are
 *     gone.
 *   - at the end the queue's qnum and cbytes are what can be received, and the tables have as many entries as at the start.
 * Every QUIET kills all workers are killed at once and the checks that need quiet are made; then they start again.
 */
#include <sys/prctl.h>

#include "difftest.h"

enum {
	MAX_WORKERS = 32,
	TOKENS = 4,
	FULL = 1000,
	MUTEX = TOKENS,
	SLEEP = TOKENS + 1,
	SEMAPHORES = TOKENS + 2,
	SEGMENTS = 8,
	SEGMENT_SIZE = 3 * PAGE,
	NUMBERS = 1 << 20, /* messages of one worker that are told apart */
	QUIET = 150,
};

struct shared {
	unsigned int stop;
	int sem, msq;
	long operations[MAX_WORKERS];
	unsigned int number[MAX_WORKERS]; /* the next message's */
	long sent, received, taken, errors;
	int owner;
	long left, right; /* equal unless a holder of the mutex died between them */
	int shm[SEGMENTS];
	unsigned char seen[MAX_WORKERS][NUMBERS / 8];
};

struct parcel {
	long type;
	unsigned int from, number, size, sum;
	unsigned char body[1000];
};

static struct shared *shared;
static int self;          /* slot of this worker */
static unsigned int seed; /* of this process */
static const char *program;
static long checks;
static bool may_fork = true;

static unsigned int rnd(unsigned int below)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % below;
}

__attribute__((format(printf, 1, 2))) static void wrong(const char *format, ...)
{
	char line[300];
	va_list ap;

	va_start(ap, format);
	vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	say("WRONG: %s", line);
	__atomic_fetch_add(&shared->errors, 1, __ATOMIC_SEQ_CST);
}
#define CHECK(condition, ...)               \
	do {                                \
		checks++;                   \
		if (!(condition))           \
			wrong(__VA_ARGS__); \
	} while (0)

/* --- what workers do -------------------------------------------------------------------------------------------------------- */

static void tokens(bool give_back)
{
	unsigned short a = (unsigned short)rnd(TOKENS), b = (unsigned short)rnd(TOKENS);
	short n = (short)(1 + rnd(3));
	struct sembuf take[] = { { a, (short)-n, SEM_UNDO | IPC_NOWAIT }, { b, -1, SEM_UNDO | IPC_NOWAIT } };
	struct sembuf give[] = { { b, 1, SEM_UNDO }, { a, n, SEM_UNDO } };

	if (semop(shared->sem, take, 2)) {
		if (errno != EAGAIN && errno != ENOSPC && errno != ENOMEM)
			wrong("taking tokens: %s", errno_name(errno));
		return;
	}
	if (give_back && semop(shared->sem, give, 2))
		wrong("giving tokens back: %s", errno_name(errno));
}

static void mutex(void)
{
	long l, r;

	while (sem_do(shared->sem, MUTEX, -1, SEM_UNDO))
		if (errno != EINTR) { /* as a stop and continue gives */
			wrong("mutex: %s", errno_name(errno));
			return;
		}
	shared->owner = getpid();
	l = shared->left;
	r = shared->right;
	if (l != r && l != r + 1)
		wrong("the mutex let two in: %ld %ld", l, r);
	__atomic_store_n(&shared->right, l, __ATOMIC_SEQ_CST); /* completes what a dead holder began */
	__atomic_store_n(&shared->left, l + 1, __ATOMIC_SEQ_CST);
	for (unsigned int i = rnd(200); i > 0; i--)
		__asm__ volatile("pause");
	__atomic_store_n(&shared->right, l + 1, __ATOMIC_SEQ_CST);
	if (shared->owner != getpid())
		wrong("somebody else holds the mutex, too");
	if (sem_do(shared->sem, MUTEX, 1, SEM_UNDO))
		wrong("mutex release: %s", errno_name(errno));
}

static unsigned int sum(const struct parcel *p)
{
	unsigned int s = p->from * 7919 + p->number * 31 + p->size;

	for (unsigned int i = 0; i < p->size; i++)
		s = s * 33 + p->body[i];
	return s;
}

static size_t head(void)
{
	return offsetof(struct parcel, body) - offsetof(struct parcel, from);
}

static void send_one(void)
{
	struct parcel p;
	unsigned int number = __atomic_fetch_add(&shared->number[self], 1, __ATOMIC_SEQ_CST);

	if (number >= NUMBERS)
		return;
	p = (struct parcel){ .type = self + 1, .from = (unsigned int)self, .number = number, .size = rnd(sizeof(p.body)) };
	for (unsigned int i = 0; i < p.size; i++)
		p.body[i] = (unsigned char)(number + i);
	p.sum = sum(&p);
	if (msgsnd(shared->msq, &p, head() + p.size, IPC_NOWAIT) == 0)
		__atomic_fetch_add(&shared->sent, 1, __ATOMIC_SEQ_CST);
	else if (errno != EAGAIN)
		wrong("msgsnd: %s", errno_name(errno));
}

/* Takes one message and checks it. Returns its size or -1. */
static ssize_t receive_one(long type, int flags)
{
	struct parcel p;
	ssize_t n = msgrcv(shared->msq, &p, sizeof(p) - sizeof(p.type), type, IPC_NOWAIT | flags);

	if (n < 0) {
		if (errno != ENOMSG)
			wrong("msgrcv: %s", errno_name(errno));
		return -1;
	}
	__atomic_fetch_add(&shared->received, 1, __ATOMIC_SEQ_CST);
	if ((size_t)n < head() || (size_t)n != head() + p.size || p.type != p.from + 1 || p.from >= MAX_WORKERS ||
	    p.number >= NUMBERS || p.sum != sum(&p)) {
		wrong("a damaged message of %zd bytes, type %ld", n, p.type);
		return n;
	}
	if (type > 0 && !(flags & MSG_EXCEPT) && p.type != type)
		wrong("asked for type %ld, got %ld", type, p.type);
	if (__atomic_fetch_or(&shared->seen[p.from][p.number / 8], (unsigned char)(1 << p.number % 8), __ATOMIC_SEQ_CST) &
	    (1 << p.number % 8))
		wrong("message %u of %u came twice", p.number, p.from);
	return n;
}

static void sleep_for_unit(void)
{
	struct timespec ts = { 0, (long)rnd(3000000) };
	struct sembuf down = { SLEEP, -1, 0 };

	if (semtimedop(shared->sem, &down, 1, &ts) == 0)
		__atomic_fetch_add(&shared->taken, 1, __ATOMIC_SEQ_CST);
	else if (errno != EAGAIN && errno != EINTR)
		wrong("semtimedop: %s", errno_name(errno));
}

static void segment(void)
{
	unsigned int slot = rnd(SEGMENTS);
	int id = __atomic_load_n(&shared->shm[slot], __ATOMIC_SEQ_CST), fresh;
	unsigned int *at = shmat(id, NULL, 0);

	if (at != (void *)-1) {
		unsigned int magic = at[0];

		if (magic != 0 && magic != 0x5e6 + slot)
			wrong("a segment holds foreign data: %#x", magic);
		at[0] = 0x5e6 + slot;
		at[SEGMENT_SIZE / 4 - 1] = rnd(1000);
		if (rnd(40) == 0)
			shmctl(id, IPC_RMID, NULL); /* in use, perhaps by others, perhaps gone already */
		if (at[0] != 0x5e6 + slot)
			wrong("an attached segment lost its data");
		if (rnd(20) != 0 && shmdt(at)) /* else left attached for good */
			wrong("shmdt: %s", errno_name(errno));
	} else if (errno != EINVAL && errno != EIDRM && errno != ENOMEM) {
		wrong("shmat: %s", errno_name(errno));
	}
	if (at == (void *)-1 || rnd(60) == 0) {
		fresh = shmget(IPC_PRIVATE, SEGMENT_SIZE, 0600);
		if (fresh < 0)
			wrong("shmget: %s", errno_name(errno));
		else if (!__atomic_compare_exchange_n(&shared->shm[slot], &id, fresh, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			shmctl(fresh, IPC_RMID, NULL);
		else
			shmctl(id, IPC_RMID, NULL);
	}
}

static void work(long rounds);

static void have_child(void)
{
	pid_t pid;

	if (!may_fork)
		return;
	pid = fork();
	if (pid == 0) {
		seed ^= (unsigned int)getpid() << 8;
		seed |= 1;
		work(10);
		_exit(0);
	}
	if (pid > 0 && rnd(2))
		reap_quietly(pid);
}

static void execute_again(int fd)
{
	char slot[16], memory[16], number[16];

	snprintf(slot, sizeof(slot), "%d", self);
	snprintf(memory, sizeof(memory), "%d", fd);
	snprintf(number, sizeof(number), "%u", rnd(1000000) + 1);
	tokens(false); /* owed by this process, whatever it executes */
	execl("/proc/self/exe", program, "worker", slot, memory, number, NULL);
	wrong("execl: %s", errno_name(errno));
}

static int memory_fd;

static void work(long rounds)
{
	while (rounds != 0 && !__atomic_load_n(&shared->stop, __ATOMIC_SEQ_CST)) {
		unsigned int what = rnd(1000);

		if (what < 250)
			tokens(true);
		else if (what < 450)
			mutex();
		else if (what < 620)
			send_one();
		else if (what < 790)
			receive_one(rnd(3) ? 0 : rnd(2) ? (long)rnd(8) + 1 : -(long)rnd(8) - 1, 0);
		else if (what < 800)
			receive_one((long)rnd(8) + 1, MSG_EXCEPT);
		else if (what < 804)
			sleep_for_unit();
		else if (what < 985)
			segment();
		else if (what < 995)
			have_child();
		else if (what < 997 && rounds < 0)
			execute_again(memory_fd);
		__atomic_fetch_add(&shared->operations[self], 1, __ATOMIC_RELAXED);
		if (rounds > 0)
			rounds--;
	}
}

/* --- the killer --------------------------------------------------------------------------------------------------------------- */

static pid_t workers[MAX_WORKERS];
static long given, kills;

static void start(int slot)
{
	pid_t pid = fork_or_die();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		self = slot;
		seed = (unsigned int)(getpid() * 2654435761u + kills) | 1;
		work(-1);
		_exit(0);
	}
	workers[slot] = pid;
}

static void ended(int status)
{
	CHECK(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0, "a process ended by itself, status %#x",
	      status);
}

static void end_all(int count, int sig)
{
	int status;

	for (int i = 0; i < count; i++)
		if (sig && kill(workers[i], sig) == 0)
			kills++;
	while (waitpid(-1, &status, 0) > 0) /* orphans are ours, too */
		ended(status);
}

static void check_quiet(void)
{
	struct msqid_ds ds;

	for (int i = 0; i < TOKENS; i++)
		CHECK(sem_value(shared->sem, i) == FULL, "token semaphore %d is %d, not %d", i, sem_value(shared->sem, i), FULL);
	CHECK(sem_value(shared->sem, MUTEX) == 1, "the mutex is %d", sem_value(shared->sem, MUTEX));
	for (int i = 0; i < SEMAPHORES; i++)
		CHECK(semctl(shared->sem, i, GETNCNT) == 0 && semctl(shared->sem, i, GETZCNT) == 0, "somebody still waits on %d",
		      i);
	CHECK(shared->left == shared->right || shared->left == shared->right + 1, "counters %ld %ld", shared->left, shared->right);
	for (int i = 0; i < SEGMENTS; i++) {
		long n = attached(shared->shm[i]);

		CHECK(n == 0 || n == -1, "segment %d has %ld attached", i, n);
	}
	MUST(msgctl(shared->msq, IPC_STAT, &ds));
	CHECK(ds.msg_qnum ? ds.__msg_cbytes >= ds.msg_qnum * head() : ds.__msg_cbytes == 0, "queue of %lu messages has %lu bytes",
	      (unsigned long)ds.msg_qnum, (unsigned long)ds.__msg_cbytes);
	CHECK(ds.__msg_cbytes <= ds.msg_qbytes, "queue over its limit");
}

static void check_units(void)
{
	long lost = given - shared->taken - sem_value(shared->sem, SLEEP);

	CHECK(lost >= 0 && lost <= kills, "units given %ld, taken %ld, left %d, %ld kills", given, shared->taken,
	      sem_value(shared->sem, SLEEP), kills);
}

static void check_messages(void)
{
	unsigned long number = 0, bytes = 0;
	struct msqid_ds ds;
	long attempts = 0;
	ssize_t n;

	MUST(msgctl(shared->msq, IPC_STAT, &ds));
	while ((n = receive_one(0, 0)) >= 0) {
		number++;
		bytes += (unsigned long)n;
	}
	CHECK(number == ds.msg_qnum && bytes == ds.__msg_cbytes, "the queue said %lu messages, %lu bytes; it gave %lu, %lu",
	      (unsigned long)ds.msg_qnum, (unsigned long)ds.__msg_cbytes, number, bytes);
	MUST(msgctl(shared->msq, IPC_STAT, &ds));
	CHECK(ds.msg_qnum == 0 && ds.__msg_cbytes == 0, "an emptied queue has %lu messages", (unsigned long)ds.msg_qnum);
	CHECK(labs(shared->sent - shared->received) <= 2 * kills, "sent %ld, received %ld, %ld kills", shared->sent,
	      shared->received, kills);
	for (int i = 0; i < MAX_WORKERS; i++)
		attempts += shared->number[i];
	CHECK(shared->received <= attempts, "received %ld of %ld", shared->received, attempts);
}

struct census {
	int shm, sets, semaphores, queues, messages;
};

static struct census count_all(void)
{
	struct shm_info shm;
	struct seminfo sem;
	struct msginfo msg;

	MUST(shmctl(0, SHM_INFO, (struct shmid_ds *)(void *)&shm));
	MUST(semctl(0, 0, SEM_INFO, (union semun){ .info = &sem }));
	MUST(msgctl(0, MSG_INFO, (struct msqid_ds *)(void *)&msg));
	return (struct census){ shm.used_ids, sem.semusz, sem.semaem, msg.msgpool, msg.msgmap };
}

static long operations(void)
{
	long n = 0;

	for (int i = 0; i < MAX_WORKERS; i++)
		n += __atomic_load_n(&shared->operations[i], __ATOMIC_RELAXED);
	return n;
}

static void hunt(long want, int count)
{
	long last = -1, since_quiet = 0;
	double moved = now();
	int status;

	while (kills < want && __atomic_load_n(&shared->errors, __ATOMIC_SEQ_CST) < 20) {
		int slot = (int)rnd((unsigned int)count);

		usleep(rnd(2500));
		if (operations() != last) {
			last = operations();
			moved = now();
		} else if (now() - moved > 30) {
			wrong("no operation in 30 s: values %d %d %d %d, mutex %d, ncnt %d", sem_value(shared->sem, 0),
			      sem_value(shared->sem, 1), sem_value(shared->sem, 2), sem_value(shared->sem, 3),
			      sem_value(shared->sem, MUTEX), semctl(shared->sem, MUTEX, GETNCNT));
			return;
		}
		if (rnd(3) == 0 && sem_do(shared->sem, SLEEP, 1, IPC_NOWAIT) == 0)
			given++;
		if (rnd(20) == 0) {
			kill(workers[slot], SIGSTOP);
			usleep(rnd(2000));
			kill(workers[slot], SIGCONT);
			continue;
		}
		kill(workers[slot], SIGKILL);
		kills++;
		if (waitpid(workers[slot], &status, 0) == workers[slot])
			ended(status);
		start(slot);
		if (++since_quiet >= QUIET) {
			since_quiet = 0;
			end_all(count, SIGKILL);
			check_quiet();
			check_units();
			for (int i = 0; i < count; i++)
				start(i);
		}
	}
}

int main(int argc, char **argv)
{
	long want = argc > 1 ? atol(argv[1]) : 500;
	int count = argc > 2 ? atoi(argv[2]) : 6;
	struct census before, after;

	program = argv[0];
	if (argc == 5 && strcmp(argv[1], "worker") == 0) {
		self = atoi(argv[2]);
		memory_fd = atoi(argv[3]);
		seed = (unsigned int)atoi(argv[4]);
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
		MUST(shared == MAP_FAILED ? -1 : 0);
		may_fork = prctl(PR_SET_CHILD_SUBREAPER, 0) == 0;
		work(-1);
		return 0;
	}
	if (count < 1 || count > MAX_WORKERS)
		return 2;
	seed = argc > 3 ? (unsigned int)atoi(argv[3]) | 1 : 1;
	memory_fd = (int)MUST(memfd_create("torture", 0));
	MUST(ftruncate(memory_fd, sizeof(*shared)));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
	MUST(shared == MAP_FAILED ? -1 : 0);
	may_fork = prctl(PR_SET_CHILD_SUBREAPER, 1) == 0; /* else nobody could wait for orphans */
	before = count_all();
	shared->sem = sem_new(SEMAPHORES);
	for (int i = 0; i < TOKENS; i++)
		MUST(sem_set(shared->sem, i, FULL));
	MUST(sem_set(shared->sem, MUTEX, 1));
	shared->msq = msg_new();
	for (int i = 0; i < SEGMENTS; i++)
		shared->shm[i] = shm_new(SEGMENT_SIZE);
	for (int i = 0; i < count; i++)
		start(i);
	hunt(want, count);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_SEQ_CST);
	if (shared->errors)
		end_all(count, SIGKILL);
	end_all(count, 0);
	check_quiet();
	check_units();
	check_messages();
	sem_remove(shared->sem);
	msg_remove(shared->msq);
	after = count_all();
	CHECK(after.sets == before.sets && after.semaphores == before.semaphores && after.queues == before.queues &&
		      after.messages == before.messages,
	      "left over: %d sets, %d semaphores, %d queues, %d messages", after.sets - before.sets,
	      after.semaphores - before.semaphores, after.queues - before.queues, after.messages - before.messages);
	/* A worker killed between shmget and its note of the id leaves a segment that nobody knows: at most one a kill. */
	for (int i = 0; i < SEGMENTS; i++)
		if (shmctl(shared->shm[i], IPC_RMID, NULL) == 0)
			after.shm--;
	CHECK(after.shm - before.shm >= 0 && after.shm - before.shm <= kills, "segments left: %d", after.shm - before.shm);
	say("torture: %ld kills, %ld operations, %ld messages, %ld checks, %ld wrong", kills, operations(), shared->received,
	    checks, shared->errors);
	return shared->errors ? 1 : 0;
}
