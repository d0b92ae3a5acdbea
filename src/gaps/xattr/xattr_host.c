// SPDX-License-Identifier: Apache-2.0
/* Gap xattr, host half: which extended attributes does a file in TMPDIR take? */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/scratch.h"

static void try_attribute(struct evidence *e, int fd, const char *name, const void *value, size_t size)
{
	char back[64];
	evidence_try(e, name, "fsetxattr(fd, \"%s\", …)", name);
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

	struct vfs_cap_data caps = {
		.magic_etc = VFS_CAP_REVISION_2,
		.data = { { .permitted = 1u << CAP_CHOWN } },
	};
	try_attribute(&e, fd, "security.capability", &caps, XATTR_CAPS_SZ_2);
	try_attribute(&e, fd, "trusted.lichen", "probe", 5);
	try_attribute(&e, fd, "user.lichen", "probe", 5);
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

const struct gap gap_xattr = {
	.name = "xattr",
	.summary = "extended attributes: user, trusted, security",
	.needed_by = "dockerd (image layers), overlay, setcap",
	.workloads = (const char *const[]){ "docker", NULL },
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
};
