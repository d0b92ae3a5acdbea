/* SPDX-License-Identifier: Apache-2.0 */
/* The limits as /proc/sys/kernel tells them. */
#include "difftest.h"

int main(void)
{
	static const char *const names[] = { "shmmax", "shmall", "shmmni",      "shm_rmid_forced", "sem",        "msgmax",
					     "msgmnb", "msgmni", "shm_next_id", "sem_next_id",     "msg_next_id" };
	char path[64], text[256];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "/proc/sys/kernel/%s", names[i]);
		if (access(path, R_OK) != 0) {
			say("%s: %s", names[i], errno_name(errno));
			continue;
		}
		read_file(path, text, sizeof(text));
		text[strcspn(text, "\n")] = '\0';
		say("%s: %s", names[i], text);
	}
	return 0;
}
