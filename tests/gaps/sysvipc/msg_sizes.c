/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of every interesting size come back whole; empty ones count; the queue's bytes add up. */
#include "difftest.h"

static struct message m;

static unsigned char at(size_t size, size_t i)
{
	return (unsigned char)(size * 31 + i * 7 + (i >> 8));
}

int main(void)
{
	static const size_t sizes[] = { 0,    1,    2,    7,    8,    9,    47,   48,   49,   4047, 4048,
					4049, 4087, 4088, 4089, 4095, 4096, 4097, 8143, 8144, 8191, 8192 };
	int id = msg_new(), count = 0;

	for (size_t k = 0; k < COUNT(sizes); k++) {
		ssize_t n;
		size_t bad = 0;

		m.type = (long)k + 1;
		for (size_t i = 0; i < sizes[k]; i++)
			m.text[i] = (char)at(sizes[k], i);
		MUST(msgsnd(id, &m, sizes[k], 0));
		say_queue("sent", id);
		memset(&m, 0x77, sizeof(m));
		n = msgrcv(id, &m, sizeof(m.text), 0, 0);
		for (size_t i = 0; i < sizes[k]; i++)
			bad += (unsigned char)m.text[i] != at(sizes[k], i);
		say("size %zu: received %zd, type %ld, wrong bytes %zu, byte after untouched %d", sizes[k], n, m.type, bad,
		    sizes[k] == sizeof(m.text) || m.text[sizes[k]] == 0x77);
	}
	m.type = 1;
	while (msgsnd(id, &m, 0, IPC_NOWAIT) == 0)
		count++;
	say("empty messages until %s: %d", errno_name(errno), count);
	say_queue("full of nothing", id);
	SHOW(msgsnd(id, &m, 1, IPC_NOWAIT));
	msg_show("one out", id, 0, 0, 0);
	SHOW(msgsnd(id, &m, 1, IPC_NOWAIT));
	SHOW(msgsnd(id, &m, 0, IPC_NOWAIT));
	say_queue("full again", id);
	msg_remove(id);

	id = msg_new();
	SHOW(msgsnd(id, &m, 8192, IPC_NOWAIT));
	SHOW(msgsnd(id, &m, 8192, IPC_NOWAIT));
	SHOW(msgsnd(id, &m, 0, IPC_NOWAIT));
	SHOW(msgsnd(id, &m, 1, IPC_NOWAIT));
	say_queue("16384 bytes", id);
	SHOW(msgrcv(id, &m, 8192, 0, 0));
	SHOW(msgsnd(id, &m, 8192, IPC_NOWAIT));
	SHOW(msgrcv(id, &m, 100, 0, MSG_NOERROR));
	say_queue("cut to 100", id);
	msg_remove(id);
	return 0;
}
