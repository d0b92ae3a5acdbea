/* SPDX-License-Identifier: Apache-2.0 */
/* msgsnd and msgrcv: what is refused, with which errno, and which of two errors wins. */
#include "difftest.h"

static struct message m;

static long receive(int id, size_t size, long type, int flags)
{
	return msgrcv(id, &m, size, type, flags);
}

static int put(int id, long type, size_t size, int flags)
{
	m.type = type;
	return msgsnd(id, &m, size, flags);
}

int main(void)
{
	int id = msg_new();

	SHOW(put(id, 0, 1, 0));
	SHOW(put(id, -1, 1, 0));
	SHOW(put(id, LONG_MIN, 1, 0));
	SHOW(put(id, 1, 8193, 0));
	SHOW(put(id, 1, SIZE_MAX, 0));
	SHOW(put(id, 1, (size_t)1 << 63, 0));
	SHOW(put(id, 0, 8193, 0));
	SHOW(put(-1, 1, 1, 0));
	SHOW(put(-1, 0, 1, 0));
	SHOW(put(0x7fffffff, 1, 1, 0));
	SHOW(put(0x7fffffff, 0, 1, 0));
	SHOW(put(0x7fffffff, 1, 8193, 0));
	SHOW(receive(id, SIZE_MAX, 0, IPC_NOWAIT));
	SHOW(receive(id, (size_t)1 << 63, 0, IPC_NOWAIT));
	SHOW(receive(id, (size_t)LONG_MAX, 0, IPC_NOWAIT));
	SHOW(receive(-1, 1, 0, IPC_NOWAIT));
	SHOW(receive(0x7fffffff, 1, 0, IPC_NOWAIT));
	SHOW(receive(0x7fffffff, SIZE_MAX, 0, IPC_NOWAIT));
	SHOW(receive(id, 10, 0, IPC_NOWAIT));
	SHOW(receive(id, 10, 5, IPC_NOWAIT));
	SHOW(receive(id, 10, -5, IPC_NOWAIT));
	SHOW(receive(id, 10, 5, IPC_NOWAIT | MSG_EXCEPT));
	SHOW(receive(id, 10, LONG_MIN, IPC_NOWAIT));
	SHOW(put(id, LONG_MAX, 3, 0));
	SHOW(receive(id, 3, LONG_MIN, IPC_NOWAIT));
	FACT(m.type == LONG_MAX);
	SHOW(put(id, 7, 5, 077000));
	SHOW(receive(id, 4, 0, 0));
	say_queue("kept", id);
	SHOW(receive(id, 0, 0, 0));
	SHOW(receive(id, 0, 0, MSG_NOERROR));
	say_queue("cut", id);
	SHOW(receive(id, 0, 0, IPC_NOWAIT));
	msg_remove(id);
	SHOW(put(id, 1, 1, 0));
	SHOW(receive(id, 1, 0, 0));
	return 0;
}
