// SPDX-License-Identifier: Apache-2.0
/* Gap devices, host half: do the nodes of /dev that daemons and images count on open, and do they behave? */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gaps/device_node.h"
#include "gaps/devices/devices.h"
#include "gaps/evidence.h"
#include "gaps/registry.h"

static int open_errno(int *fd, const char *path, int flags)
{
	*fd = open(path, flags | O_CLOEXEC);
	return *fd < 0 ? errno : 0;
}

/* A ring of the kernel's messages: opens without blocking and can be polled (kubelet's OOM watcher does just that). */
static void try_kmsg(struct evidence *e)
{
	int fd;
	evidence_try(e, "kmsg", "open(\"/dev/kmsg\", O_RDONLY)");
	int error = open_errno(&fd, "/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if ((error == EPERM || error == EACCES) && geteuid() != 0) { /* it is there, and root's to read, as on any machine */
		evidence_answer(e, 0);
		evidence_note(e, "kmsg is root's");
		return;
	}
	if (!evidence_answer(e, error))
		return;
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	evidence_try(e, "kmsg poll", "poll({\"/dev/kmsg\", POLLIN}, 0)");
	evidence_answer(e, poll(&pollfd, 1, 0) < 0 ? errno : 0);
	close(fd);
}

/* null swallows, zero and the random ones give, full has no space. */
static void try_memory_devices(struct evidence *e)
{
	char bytes[8] = "lichen";
	int fd;
	evidence_try(e, "null", "open(\"/dev/null\", O_RDWR)");
	if (evidence_answer(e, open_errno(&fd, "/dev/null", O_RDWR)) &&
	    (write(fd, bytes, sizeof(bytes)) != sizeof(bytes) || read(fd, bytes, sizeof(bytes)) != 0))
		evidence_wrong(e, "does not behave as a null device");
	evidence_try(e, "zero", "open(\"/dev/zero\", O_RDONLY)");
	if (evidence_answer(e, open_errno(&fd, "/dev/zero", O_RDONLY)) &&
	    (read(fd, bytes, sizeof(bytes)) != sizeof(bytes) || memcmp(bytes, "\0\0\0\0\0\0\0", sizeof(bytes)) != 0))
		evidence_wrong(e, "does not give zeros");
	evidence_try(e, "full", "open(\"/dev/full\", O_WRONLY)");
	if (evidence_answer(e, open_errno(&fd, "/dev/full", O_WRONLY)) &&
	    (write(fd, bytes, sizeof(bytes)) != -1 || errno != ENOSPC))
		evidence_wrong(e, "does not answer ENOSPC");
	static const char *const random[][2] = { { "random", "/dev/random" }, { "urandom", "/dev/urandom" } };
	for (size_t i = 0; i < ARRAY_SIZE(random); i++) {
		evidence_try(e, random[i][0], "open(\"%s\", O_RDONLY)", random[i][1]);
		if (evidence_answer(e, open_errno(&fd, random[i][1], O_RDONLY | O_NONBLOCK)) &&
		    read(fd, bytes, sizeof(bytes)) < 0 && errno != EAGAIN)
			evidence_wrong(e, "cannot be read");
	}
}

static void try_terminals(struct evidence *e)
{
	int fd;
	evidence_try(e, "tty", "open(\"/dev/tty\", O_RDWR)");
	int error = open_errno(&fd, "/dev/tty", O_RDWR | O_NOCTTY);
	/* The device is there, this process has no terminal: ENXIO from Linux, EIO from gVisor. */
	evidence_answer(e, error == ENXIO || error == EIO ? 0 : error);
	evidence_try(e, "ptmx", "posix_openpt(O_RDWR); unlockpt(); ptsname()");
	fd = posix_openpt(O_RDWR | O_NOCTTY);
	char name[64];
	error = fd < 0 ? errno : 0;
	if (!error && unlockpt(fd) != 0)
		error = errno;
	if (!error)
		error = ptsname_r(fd, name, sizeof(name));
	evidence_answer(e, error);
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "use 8 devices of /dev");
	try_kmsg(&e);
	try_memory_devices(&e);
	try_terminals(&e);
	int fd;
	evidence_try_extra(&e, "fuse", "open(\"/dev/fuse\", O_RDWR)");
	evidence_answer(&e, open_errno(&fd, "/dev/fuse", O_RDWR));
	evidence_try_extra(&e, "net/tun", "open(\"/dev/net/tun\", O_RDWR)");
	evidence_answer(&e, open_errno(&fd, "/dev/net/tun", O_RDWR));
	evidence_end(&e);
}

/* Whether a node that /dev lacks could be had: a device of hardware only if its driver is there. */
static bool obtainable(const char *name, u32 device, enum device_kind kind, bool refused)
{
	char path[32];
	int fd;

	if (kind != DEVICE_HARDWARE)
		return true;
	if (refused)
		return false;
	snprintf(path, sizeof(path), "/dev/%s", name);
	if (device_node_is(path, device))
		return true;
	fd = device_node_open(name, device, 0600, O_RDWR, false);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int install(void *memory, const struct commons *commons)
{
	bool refused = commons->refused & GAP_BIT(GAP_devices);
	struct devices_area *area = memory;
#define DEVICE(id, name, major, minor, mode, kind)                            \
	if (obtainable(name, (major) << 8 | (minor), DEVICE_##kind, refused)) \
		area->available |= 1u << DEVICE_##id;
#include "gaps/devices/device_list.def"
#undef DEVICE
	area->own_log = refused || !device_node_is("/dev/kmsg", 1 << 8 | 11);
	return 0;
}

static const char *const files[] = {
#define DEVICE(id, name, major, minor, mode, kind) "/dev/" name,
#include "gaps/devices/device_list.def"
#undef DEVICE
	NULL,
};

static const struct gap_symptom symptoms[] = {
	{ .program = "kubelet",
	  .call = "open*(*\"/dev/kmsg\"*",
	  .message = "open /dev/kmsg: no such file or directory",
	  .source =
		  "kubernetes pkg/kubelet/oom/oom_watcher_linux.go by cadvisor utils/oomparser and github.com/euank/go-kmsg-parser; "
		  "facts/kubernetes-in-gvisor.md, row 2",
	  .cause =
		  "kubelet reads the kernel's log to learn of processes killed for want of memory, and does not start without it" },
	{ .program = "kubelet",
	  .call = "open*(*\"/dev/kmsg\"*",
	  .error = EPERM,
	  .message = "open /dev/kmsg: operation not permitted",
	  .source =
		  "kubernetes pkg/kubelet/oom/oom_watcher_linux.go: forgiven only in a user namespace, with KubeletInUserNamespace",
	  .cause = "this process may not read the kernel's log",
	  .advice = "`--feature-gates=KubeletInUserNamespace=true` makes kubelet go on without it." },
	{ .call = "open*(*\"/dev/kmsg\"*",
	  .error = ENOENT,
	  .source = "facts/gvisor.md",
	  .cause = "there is no /dev/kmsg, the kernel's log, here" },
	{ .call = "open*(*\"/dev/urandom\"*", .error = ENOENT, .source = "random(4)", .cause = "this /dev has no device nodes" },
	{ .call = "open*(*\"/dev/random\"*", .error = ENOENT, .source = "random(4)", .cause = "this /dev has no device nodes" },
	{ .call = "open*(*\"/dev/zero\"*", .error = ENOENT, .source = "zero(4)", .cause = "this /dev has no device nodes" },
	{ .call = "open*(*\"/dev/null\"*", .error = ENOENT, .source = "null(4)", .cause = "this /dev has no device nodes" },
	{ .call = "open*(*\"/dev/ptmx\"*", .error = ENOENT, .source = "pts(4)", .cause = "this /dev has no pseudoterminals" },
	{ .program = "dmesg",
	  .message = "read kernel buffer failed",
	  .source = "util-linux sys-utils/dmesg.c",
	  .cause = "neither /dev/kmsg nor syslog(2) may be read here" },
	{ .call = "open*(*\"/dev/null\"*",
	  .error = ENOENT,
	  .message = "/dev/null",
	  .source = "every shell: `cannot create /dev/null`, `can't open /dev/null`",
	  .cause = "this /dev has no device nodes" },
	{ .call = "open*(*\"/dev/fuse\"*",
	  .error = ENOENT,
	  .message = "device not found",
	  .source = "libfuse lib/mount.c: `fuse: device not found, try 'modprobe fuse' first`",
	  .cause = "there is no /dev/fuse" },
	{ .call = "open*(*\"/dev/net/tun\"*",
	  .error = ENOENT,
	  .message = "/dev/net/tun",
	  .source = "slirp4netns, OpenVPN, wireguard-go: `open(\"/dev/net/tun\"): No such file or directory`",
	  .cause = "there is no /dev/net/tun" },
};

const struct gap gap_devices = {
	.name = "devices",
	.summary = "device nodes: kmsg, null, zero, full, random, ttys",
	.needed_by = "kubelet (/dev/kmsg), container images",
	.workloads = (const char *const[]){ "kubernetes", NULL },
	.probe = probe,
	.area_size = DEVICES_AREA_SIZE,
	.install = install,
	.files = files,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.paths = GAP_PATHS_OPEN | GAP_PATHS_STAT,
	.refuse_paths = true,
	.broker = true,
	.limits =
		(const char *const[]){
			"/dev/kmsg is the log of the cell, not the machine's: nothing the kernel says is in it, OOM kills included",
			"an open /dev/kmsg is a socket to fstat, and reads and writes of wrong sizes are cut off instead of refused",
			"/dev/fuse and /dev/net/tun are there only where the machine has their drivers",
			NULL,
		},
};
