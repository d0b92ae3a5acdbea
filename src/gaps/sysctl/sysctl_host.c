// SPDX-License-Identifier: Apache-2.0
/* Gap sysctl, host half: are the /proc/sys files there that daemons read and write when they start? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "gaps/evidence.h"

/* Reads a sysctl; with `writes` also writes the very bytes back, which changes nothing but needs all that a write needs. */
static int sysctl_try(const char *path, bool writes)
{
	char value[256];
	int fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = 0;
	ssize_t size = read(fd, value, sizeof(value));
	if (size < 0)
		error = errno;
	else if (writes && pwrite(fd, value, (size_t)size, 0) != size)
		error = errno;
	close(fd);
	return error;
}

static void probe(struct gap_finding *finding)
{
	static const struct {
		const char *name;
		bool writes;
	} wanted[] = {
		{ "kernel/cap_last_cap", false },      /* runc, crun, moby */
		{ "kernel/overflowuid", false },       /* crun, bubblewrap */
		{ "kernel/keys/root_maxkeys", true },  /* kubelet */
		{ "kernel/panic", true },              /* kubelet */
		{ "kernel/panic_on_oops", true },      /* kubelet */
		{ "vm/overcommit_memory", true },      /* kubelet, PostgreSQL, Redis */
		{ "vm/panic_on_oom", true },           /* kubelet */
		{ "net/ipv4/ip_forward", true },       /* dockerd, kube-proxy */
		{ "net/ipv4/ping_group_range", false } /* podman */
	};
	struct evidence e;
	evidence_begin(&e, finding, "use 9 files of /proc/sys");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		char path[64];
		snprintf(path, sizeof(path), "/proc/sys/%s", wanted[i].name);
		evidence_try(&e, wanted[i].name, "open(\"%s\", %s)", path, wanted[i].writes ? "O_RDWR" : "O_RDONLY");
		evidence_answer(&e, sysctl_try(path, wanted[i].writes));
	}
	evidence_end(&e);
}

const struct gap gap_sysctl = {
	.name = "sysctl",
	.summary = "kernel settings under /proc/sys",
	.needed_by = "kubelet, dockerd, runc, PostgreSQL",
	.workloads = (const char *const[]){ "docker", "containerd", "kubernetes", NULL },
	.probe = probe,
};
