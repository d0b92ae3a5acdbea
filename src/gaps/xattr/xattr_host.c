// SPDX-License-Identifier: Apache-2.0
/* Gap xattr, host half: which extended attributes does a file in TMPDIR take? */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/scratch.h"

static bool has_capability(unsigned number)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	return syscall(SYS_capget, &header, data) == 0 && (data[number / 32].effective >> number % 32 & 1);
}

/* entitled: the kernel's rules let us; else a refusal is the right answer. */
static void try_attribute(struct evidence *e, int fd, const char *name, const void *value, size_t size, bool entitled)
{
	char back[64];
	if (entitled)
		evidence_try(e, name, "fsetxattr(fd, \"%s\", …)", name);
	else
		evidence_try_extra(e, name, "fsetxattr(fd, \"%s\", …)", name);
	if (evidence_answer(e, fsetxattr(fd, name, value, size, 0) ? errno : 0) &&
	    (fgetxattr(fd, name, back, sizeof(back)) != (ssize_t)size || memcmp(back, value, size) != 0))
		evidence_wrong(e, "reads back differently");
}

static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "user.*, trusted.*, security.*");
	int fd = scratch_file();
	if (fd < 0) {
		evidence_try(&e, "scratch file", SCRATCH_TRIED);
		evidence_unable(&e, -fd);
		evidence_end(&e);
		return;
	}
	/* An absent attribute must read as ENODATA: dockerd takes EOPNOTSUPP for a failure to copy the file. */
	char none[4];
	evidence_try(&e, "reading an absent one", "fgetxattr(fd, \"security.capability\")");
	int error = fgetxattr(fd, "security.capability", none, sizeof(none)) < 0 ? errno : 0;
	evidence_answer(&e, error == ENODATA ? 0 : error);

	bool setfcap = has_capability(CAP_SETFCAP), admin = has_capability(CAP_SYS_ADMIN);
	struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2,
		.data = { { .permitted = 1u << CAP_CHOWN } },
	};
	try_attribute(&e, fd, "security.capability", &caps, XATTR_CAPS_SZ_2, setfcap);
	try_attribute(&e, fd, "trusted.lichen", "probe", 5, admin);
	try_attribute(&e, fd, "user.lichen", "probe", 5, true);
	evidence_end(&e);
}

static const struct gap_symptom symptoms[] = {
	{ .call = "*setxattr(*\"security.capability\"*",
	  .error = EOPNOTSUPP,
	  .source = "facts/docker-in-gvisor.md 5",
	  .cause = "this file system keeps no file capabilities" },
	{ .call = "*setxattr(*\"security.capability\"*",
	  .error = EPERM,
	  .source = "capabilities(7)",
	  .cause = "giving capabilities to a file takes CAP_SETFCAP" },
	{ .call = "*setxattr(*\"trusted.*",
	  .source = "xattr(7)",
	  .cause = "attributes trusted.* take CAP_SYS_ADMIN, and a file system that keeps them" },
	{ .call = "*getxattr(*\"security.capability\"*",
	  .error = EOPNOTSUPP,
	  .source = "facts/docker-in-gvisor.md 5",
	  .cause = "the file system has no extended attributes; copying programs expect ENODATA" },
	{ .call = "*xattr*(*",
	  .error = EOPNOTSUPP,
	  .source = "xattr(7)",
	  .cause = "this file system keeps no such extended attributes" },
};

static const char *const limits[] = {
	"links, FIFOs, sockets and devices take no such attribute, nor does what has no user.* attributes",
	"capabilities of files have no effect",
	NULL,
};

const struct gap gap_xattr = {
	.name = "xattr",
	.summary = "extended attributes: user, trusted, security",
	.needed_by = "dockerd (image layers), overlay, setcap",
	.workloads = (const char *const[]){ "docker", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.limits = limits,
	.refuse_paths = true,
};
