/* SPDX-License-Identifier: Apache-2.0 */
/* Several operations in one semop: all or none, in array order, the same semaphore more than once. */
#include "difftest.h"

static void run(int id, const char *what, struct sembuf *ops, size_t count)
{
	int result = semop(id, ops, count);
	char line[128];

	snprintf(line, sizeof(line), "%s: %s, values", what, result ? errno_name(errno) : "ok");
	say_values(line, id, 4);
}
#define RUN(...)                                          \
	do {                                              \
		struct sembuf ops_[] = { __VA_ARGS__ };   \
		run(id, #__VA_ARGS__, ops_, COUNT(ops_)); \
	} while (0)
#define NW IPC_NOWAIT

int main(void)
{
	int id = sem_new(4);

	RUN({ 0, 1, NW }, { 1, 2, NW }, { 2, 3, NW });
	RUN({ 0, -1, NW }, { 1, -3, NW });
	RUN({ 1, -2, NW }, { 3, -1, NW });
	RUN({ 0, -1, NW }, { 0, 0, NW });
	RUN({ 0, 0, NW }, { 0, 1, NW });
	RUN({ 0, 0, NW }, { 0, 1, NW });
	RUN({ 3, 1, NW }, { 3, -1, NW });
	RUN({ 3, -1, NW }, { 3, 1, NW });
	RUN({ 3, 2, NW }, { 3, -1, NW }, { 3, -1, NW }, { 3, 0, NW });
	RUN({ 3, 1, NW }, { 3, 0, NW });
	RUN({ 0, 5, NW }, { 1, 5, NW }, { 3, -1, NW });
	RUN({ 1, -1, 0 }, { 2, -1, 0 }, { 0, -1, NW });
	RUN({ 2, 32765, NW }, { 2, 1, NW });
	RUN({ 0, 7, NW }, { 2, 32767, NW });
	RUN({ 0, 7, NW }, { 2, 32767, NW }, { 3, -1, NW });
	RUN({ 3, -1, NW }, { 2, 32767, NW });
	RUN({ 2, -2, NW }, { 2, 32767, NW }, { 2, -32767, NW });
	RUN({ 0, 1, SEM_UNDO | NW }, { 0, -1, SEM_UNDO | NW });
	RUN({ 0, 32760, NW }, { 3, -1, SEM_UNDO | NW });
	for (int i = 0; i < 4; i++)
		FACT(semctl(id, i, GETPID) == getpid());
	sem_remove(id);
	return 0;
}
