/* SPDX-License-Identifier: Apache-2.0 */
/* Which message msgrcv takes: the first, the first of a type, the lowest type, anything but a type. */
#include "difftest.h"

static void fill(int id)
{
	static const struct {
		long type;
		const char *text;
	} all[] = { { 5, "five" }, { 3, "three" },      { 9, "nine" },     { 3, "three again" },
		    { 1, "one" },  { 5, "five again" }, { 1, "one again" } };

	for (size_t i = 0; i < COUNT(all); i++)
		MUST(msg_send(id, all[i].type, all[i].text, 0));
}

static void drain(int id)
{
	while (msg_show("  rest", id, 100, 0, IPC_NOWAIT) >= 0)
		;
}

int main(void)
{
	int id = msg_new();

	fill(id);
	msg_show("any", id, 100, 0, 0);
	msg_show("type 3", id, 100, 3, 0);
	msg_show("type 3", id, 100, 3, 0);
	msg_show("type 3", id, 100, 3, IPC_NOWAIT);
	msg_show("type 5", id, 100, 5, 0);
	drain(id);
	fill(id);
	msg_show("up to 4", id, 100, -4, 0);
	msg_show("up to 4", id, 100, -4, 0);
	msg_show("up to 4", id, 100, -4, 0);
	msg_show("up to 4", id, 100, -4, 0);
	msg_show("up to 4", id, 100, -4, IPC_NOWAIT);
	msg_show("up to 9", id, 100, -9, 0);
	msg_show("up to 1", id, 100, -1, IPC_NOWAIT);
	msg_show("all but 9", id, 100, 9, MSG_EXCEPT);
	msg_show("all but 9", id, 100, 9, MSG_EXCEPT | IPC_NOWAIT);
	drain(id);
	fill(id);
	msg_show("all but 5", id, 100, 5, MSG_EXCEPT);
	msg_show("all but 0", id, 100, 0, MSG_EXCEPT);
	msg_show("except -3", id, 100, -3, MSG_EXCEPT);
	msg_show("except LONG_MIN", id, 100, LONG_MIN, MSG_EXCEPT);
	msg_show("LONG_MIN + 1", id, 100, LONG_MIN + 1, 0);
	drain(id);
	MUST(msg_send(id, LONG_MAX, "greatest", 0));
	MUST(msg_send(id, LONG_MAX - 1, "second", 0));
	msg_show("LONG_MIN", id, 100, LONG_MIN, IPC_NOWAIT);
	msg_show("-LONG_MAX", id, 100, -LONG_MAX, IPC_NOWAIT);
	msg_show("LONG_MAX", id, 100, LONG_MAX, IPC_NOWAIT);

	MUST(msg_send(id, 2, "a long message", 0));
	MUST(msg_send(id, 2, "short", 0));
	msg_show("too long for 5", id, 5, 0, 0);
	msg_show("too long for 5, by type", id, 5, 2, 0);
	msg_show("too long for 5, up to", id, 5, -2, IPC_NOWAIT);
	say_queue("both kept", id);
	msg_show("cut to 5", id, 5, 2, MSG_NOERROR);
	msg_show("fits 5", id, 5, 2, MSG_NOERROR);
	say_queue("both gone", id);
	msg_remove(id);
	return 0;
}
