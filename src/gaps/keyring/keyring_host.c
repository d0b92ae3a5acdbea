// SPDX-License-Identifier: Apache-2.0
/* Gap keyring, host half: can a session keyring be joined and a key be kept and read? */
#include <errno.h>
#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gaps/evidence.h"
#include "gaps/keyring/keyring.h"

/* The keyring and its key belong to this process alone and go with it. */
static void probe(struct gap_finding *finding)
{
	struct evidence e;
	evidence_begin(&e, finding, "join a session keyring, add_key");
	evidence_try(&e, "keyctl", "keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)");
	evidence_answer(&e, syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 ? errno : 0);
	evidence_try(&e, "add_key", "add_key(\"user\", …, KEY_SPEC_SESSION_KEYRING)");
	long key = syscall(SYS_add_key, "user", "lichen-probe", "value", 5, KEY_SPEC_SESSION_KEYRING);
	if (evidence_answer(&e, key < 0 ? errno : 0)) {
		char value[8] = "";
		evidence_try(&e, "keyctl read", "keyctl(KEYCTL_READ, key)");
		long size = syscall(SYS_keyctl, KEYCTL_READ, key, value, sizeof(value));
		if (evidence_answer(&e, size < 0 ? errno : 0) && (size != 5 || memcmp(value, "value", 5) != 0))
			evidence_wrong(&e, "gives other bytes than were stored");
		syscall(SYS_keyctl, KEYCTL_UNLINK, key, KEY_SPEC_SESSION_KEYRING);
	}
	evidence_end(&e);
}

/* Zeros are a cell without keys. */
static int install(void *area, const struct commons *commons)
{
	(void)area, (void)commons;
	return 0;
}

static const struct gap_symptom symptoms[] = {
	{ .message = "unable to join session keyring",
	  .call = "keyctl",
	  .cause = "a sandbox or its seccomp profile refuses keyrings; an answer of ENOSYS would let runc go on",
	  .advice = "`runc run --no-new-keyring …` does without a keyring.",
	  .source = "facts/error-texts.md; runc libcontainer/setns_init_linux.go" },
	{ .call = "keyctl",
	  .source = "keyctl(2)",
	  .cause = "a sandbox, its seccomp profile or the kernel's configuration refuses keyrings" },
	{ .call = "add_key",
	  .source = "add_key(2)",
	  .cause = "a sandbox, its seccomp profile or the kernel's configuration refuses keyrings" },
	{ .call = "request_key",
	  .source = "request_key(2)",
	  .cause = "a sandbox, its seccomp profile or the kernel's configuration refuses keyrings" },
};

static const char *const files[] = { "/proc/keys", "/proc/key-users", NULL };

static const char *const limits[] = {
	"types user, logon and keyring; request_key calls no program; keys of the machine are not seen",
	NULL,
};

static const int calls[] = { SYS_add_key, SYS_request_key, SYS_keyctl, -1 };

const struct gap gap_keyring = {
	.name = "keyring",
	.summary = "kernel keyrings: keyctl, add_key, request_key",
	.needed_by = "runc, crun, Kerberos, cifs",
	.workloads = (const char *const[]){ NULL }, /* runc goes on without one where the answer is ENOSYS */
	.probe = probe,
	.symptoms = symptoms,
	.symptom_count = ARRAY_SIZE(symptoms),
	.area_size = KEYRING_AREA_SIZE,
	.install = install,
	.files = files,
	.limits = limits,
	.paths = GAP_PATHS_OPEN,
	.refuse_calls = calls,
	.refuse_error = ENOSYS,
};
