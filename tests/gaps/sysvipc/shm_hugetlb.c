/* SPDX-License-Identifier: Apache-2.0 */
/* SHM_HUGETLB on a machine without huge pages: which sizes are none, who may ask, that there is no memory for it. */
#include "difftest.h"

static void ask(void)
{
	SHOW(shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | 0600));
	SHOW(shmget(IPC_PRIVATE, 100, SHM_HUGETLB | 0600));
	SHOW(shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | (21 << 26) | 0600)); /* 2 MiB pages */
	SHOW(shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | (13 << 26) | 0600)); /* no such size */
	SHOW(shmget(IPC_PRIVATE, 0, SHM_HUGETLB | 0600));
}

int main(void)
{
	char text[32];

	read_file("/proc/sys/vm/nr_hugepages", text, sizeof(text));
	if (atoi(text) != 0) {
		say("skip: this machine has huge pages");
		return 0;
	}
	ask();
	AS_USER(1000, 1000, ask());
	return 0;
}
