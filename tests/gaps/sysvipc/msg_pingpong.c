/* SPDX-License-Identifier: Apache-2.0 */
/* A request and its reply, ten thousand times (a thousand in gVisor), over one queue and two types. */
#include "difftest.h"

int main(void)
{
	const int rounds = scaled(10000);
	int id = msg_new();
	struct {
		long type;
		int value;
	} m;
	pid_t pid = fork_or_die();
	long sum = 0;

	if (pid == 0) {
		for (int i = 0; i < rounds; i++) {
			if (msgrcv(id, &m, sizeof(m.value), 1, 0) != sizeof(m.value))
				_exit(1);
			m.type = 2;
			m.value = m.value * 2 + 1;
			if (msgsnd(id, &m, sizeof(m.value), 0))
				_exit(2);
		}
		_exit(0);
	}
	for (int i = 0; i < rounds; i++) {
		m.type = 1;
		m.value = i;
		MUST(msgsnd(id, &m, sizeof(m.value), 0));
		MUST(msgrcv(id, &m, sizeof(m.value), 2, 0));
		sum += m.value == 2 * i + 1;
	}
	reap(pid);
	say("right replies: %ld", sum);
	say_queue("end", id);
	msg_remove(id);
	return 0;
}
