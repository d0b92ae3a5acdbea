/* SPDX-License-Identifier: Apache-2.0 */
/* Gap sysctl, host half: are the /proc/sys files there that daemons read and write when they start? And the area's start. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "gaps/evidence.h"
#include "gaps/sysctl/sysctl.h"

/* Reads a sysctl, opened for writing too where `writes` says so. Nothing is written, not even what is there: every `lichen run` asks this, and
 * would undo a change that somebody makes in between. */
static int sysctl_try(const char *path, bool writes)
{
	char value[256];
	int fd = open(path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = read(fd, value, sizeof(value)) < 0 ? errno : 0;
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
	bool root = geteuid() == 0; /* nobody else may write there on any machine */
	evidence_begin(&e, finding, root ? "open 9 files of /proc/sys" : "read 9 files of /proc/sys");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		bool writes = wanted[i].writes && root;
		char path[64];
		snprintf(path, sizeof(path), "/proc/sys/%s", wanted[i].name);
		evidence_try(&e, wanted[i].name, "open(\"%s\", %s)", path, writes ? "O_RDWR" : "O_RDONLY");
		evidence_answer(&e, sysctl_try(path, writes));
	}
	evidence_end(&e);
}

/* --- the area --------------------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *path;
	const char *source;
	mode_t mode;
} rows[] = {
#define SYSCTL(path_, mode_, kind_, count_, initial_, min_, max_, scope_, effect_, source_) { path_, source_, mode_ },
#include "gaps/sysctl/sysctl_table.def"
#undef SYSCTL
};
static_assert(ARRAY_SIZE(rows) <= SYSCTL_ROWS_MAX, "a bit in the area for each row");

static void set_bit(u64 *bits, u32 bit)
{
	bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

/* Every part of every path, so that relative paths can be told apart from others by their last part. */
static void fill_bloom(struct sysctl_area *area)
{
	set_bit(area->bloom, sysctl_bloom("sys"));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (const char *part = rows[i].path; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
			set_bit(area->bloom, sysctl_bloom(part));
	set_bit(area->bloom, sysctl_bloom("all"));
	set_bit(area->bloom, sysctl_bloom("default"));
	set_bit(area->bloom, sysctl_bloom("lo"));
}

/* The machine's, as everybody outside the cell sees it; else one for this cell, which has no other boot. */
static void fill_boot_id(char id[40])
{
	CLEANUP_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	u8 bytes[16] = { 0 };

	if (fd >= 0 && read(fd, id, 36) == 36)
		return;
	if (getrandom(bytes, sizeof(bytes), GRND_NONBLOCK) != sizeof(bytes))
		bytes[0] = (u8)getpid();
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	for (int i = 0, at = 0; i < 16; i++)
		at += snprintf(id + at, 40 - (size_t)at, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}

/* gVisor lets root open its files for writing and then says EIO: no refusal at open from which the agent could tell. Files that programs are
 * known to write are written back here as they are, if the first of them shows that this kernel does so. */
static void find_deaf(struct sysctl_area *area)
{
	if (sysctl_try("/proc/sys/vm/overcommit_memory", true) != EIO)
		return;
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[96];
		int error;

		if (!(rows[i].mode & 0200) || !strncmp(rows[i].source, "linux ", 6) || strchr(rows[i].path, '*'))
			continue;
		snprintf(path, sizeof(path), "/proc/sys/%s", rows[i].path);
		error = sysctl_try(path, true);
		if (error && error != ENOENT)
			set_bit(area->deaf, i);
	}
}

static int install(void *at, const struct commons *commons)
{
	struct sysctl_area *area = at;

	(void)commons;
	fill_bloom(area);
	fill_boot_id(area->boot_id);
	find_deaf(area);
	return 0;
}

static const char *const files[] = {
#define SYSCTL(path_, mode_, kind_, count_, initial_, min_, max_, scope_, effect_, source_) "/proc/sys/" path_,
#include "gaps/sysctl/sysctl_table.def"
#undef SYSCTL
	NULL,
};

static const char *const limits[] = {
	"a value written under /proc/sys is validated, kept for the cell and read back, and changes nothing else "
	"(docs/sysctls.md lists every file)",
	"values belong to the cell, not to its network, IPC or UTS namespaces",
	"fs/file-nr says 0 open files; net/netfilter/nf_conntrack_count says 0",
	NULL,
};

static const struct gap_symptom symptoms[] = {
	{ .program = "runc",
	  .call = "open*(*\"/proc/sys/kernel/cap_last_cap\"*",
	  .message = "open /proc/sys/kernel/cap_last_cap: no such file",
	  .source = "facts/error-texts.md; moby/sys capability/capability_linux.go" },
	{ .call = "open*(*\"/proc/sys/kernel/cap_last_cap\"*",
	  .message = "cap_last_cap",
	  .source = "crun src/libcrun/linux.c; moby/sys capability/capability_linux.go" },
	{ .call = "open*(*\"/proc/sys/kernel/overflow*",
	  .message = "overflow",
	  .source = "crun src/libcrun/utils.c; bubblewrap.c" },
	{ .program = "kubelet",
	  .message = "Updating kernel flag failed",
	  .source = "facts/error-texts.md; kubernetes pkg/kubelet/cm/container_manager_linux.go",
	  .cause =
		  "kubelet sets vm/overcommit_memory, vm/panic_on_oom, kernel/panic, kernel/panic_on_oops and kernel/keys/root_max* when it "
		  "starts, and ends where one of them cannot be written" },
	{ .program = "kubelet",
	  .message = "write /proc/sys/vm/overcommit_memory: input/output error",
	  .source = "facts/kubernetes-in-gvisor.md",
	  .cause = "gVisor lets the file be opened for writing and then refuses the write" },
	{ .program = "k3s",
	  .message = "Failed to set sysctl",
	  .source = "facts/error-texts.md; k3s pkg/agent/syssetup/setup.go",
	  .cause = "the file is absent (br_netfilter, nf_conntrack) or belongs to the machine" },
	{ .program = "kube-proxy",
	  .call = "open*(*\"/proc/sys/net/*",
	  .message = "nf_conntrack_max: permission denied",
	  .source = "facts/error-texts.md; kubernetes cmd/kube-proxy/app/conntrack.go",
	  .advice = "Conntrack values of 0 in kube-proxy's configuration avoid the write." },
	{ .message = "bridge-nf-call-iptables",
	  .source = "facts/error-texts.md; flannel main.go; k3s pkg/agent/syssetup/setup.go" },
	{ .program = "dockerd",
	  .call = "open*(*\"/proc/sys/net/ipv4/ip_forward\"*",
	  .message = "IPv4 forwarding",
	  .source = "moby daemon/libnetwork/drivers/bridge/setup_ip_forwarding.go" },
	{ .program = "podman",
	  .call = "open*(*\"/proc/sys/net/ipv4/ping_group_range\"*",
	  .message = "ping_group_range",
	  .source = "facts/docker-in-gvisor.md" },
	{ .program = "sysctl",
	  .call = "*stat*(*\"/proc/sys/*",
	  .message = "cannot stat /proc/sys/",
	  .source = "procps-ng sysctl.c" },
	{ .program = "sysctl",
	  .call = "open*(*\"/proc/sys/*",
	  .error = EROFS,
	  .message = "setting key",
	  .source = "procps-ng sysctl.c",
	  .cause = "/proc/sys is mounted read-only" },
	{ .program = "systemd-sysctl", .message = "Couldn't write", .source = "systemd src/sysctl/sysctl.c" },
	{ .call = "open*(*\"/proc/sys/*", .error = ENOENT, .message = "/proc/sys/", .source = "proc(5)" },
	{ .call = "open*(*\"/proc/sys/*", .error = EROFS, .message = "/proc/sys/", .source = "proc(5)" },
};

const struct gap gap_sysctl = {
	.name = "sysctl",
	.summary = "kernel settings under /proc/sys",
	.needed_by = "kubelet, dockerd, runc, PostgreSQL",
	.workloads = (const char *const[]){ "docker", "containerd", "kubernetes", NULL },
	.probe = probe,
	.area_size = SYSCTL_AREA_SIZE,
	.install = install,
	.files = files,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.paths = GAP_PATHS_OPEN | GAP_PATHS_STAT,
	.refuse_paths = true,
	.limits = limits,
};
