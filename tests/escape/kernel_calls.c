/* SPDX-License-Identifier: Apache-2.0 */
/* Calls into parts of the kernel that a caged command has no need of: what exploits begin with, and what changes the whole machine. */
#include "attack.h"

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/personality.h>
#include <sys/swap.h>

static int user_fault(const struct attack *a)
{
	(void)a;
	return outcome(syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK));
}

static int performance(const struct attack *a)
{
	struct perf_event_attr event = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(event), .config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1
	};

	(void)a;
	return outcome(syscall(SYS_perf_event_open, &event, 0, -1, -1, 0));
}

static int bpf_map(const struct attack *a)
{
	union bpf_attr map = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };

	(void)a;
	return outcome(syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)));
}

/* The following ask with arguments that change nothing; an error that comes after the question of rights is a success, too. */
static int after_rights(long result)
{
	int r = outcome(result);

	return r == EPERM || r == EACCES || r == ENOSYS ? r : 0;
}

static int module(const struct attack *a)
{
	(void)a;
	return after_rights(syscall(SYS_init_module, "", 0, ""));
}

static int kexec(const struct attack *a)
{
	(void)a;
	return after_rights(syscall(SYS_kexec_load, 0, 99, NULL, 0)); /* too many segments */
}

static int reboot_wrong(const struct attack *a)
{
	(void)a;
	return after_rights(syscall(SYS_reboot, 0, 0, 0, NULL));
}

static int ports(const struct attack *a)
{
	(void)a;
	return outcome(iopl(3));
}

static int swap(const struct attack *a)
{
	(void)a;
	return after_rights(swapoff("/nonexistent"));
}

static int accounting(const struct attack *a)
{
	(void)a;
	return after_rights(syscall(SYS_acct, "/nonexistent"));
}

static int kernel_log(const struct attack *a)
{
	(void)a;
	return outcome(klogctl(10 /* its size */, NULL, 0));
}

static int host_name(const struct attack *a)
{
	char name[65] = "";

	(void)a;
	(void)gethostname(name, sizeof(name) - 1);
	return outcome(sethostname(name, strlen(name)));
}

static int personality_flags(const struct attack *a)
{
	(void)a;
	return outcome(personality(ADDR_NO_RANDOMIZE | READ_IMPLIES_EXEC));
}

static int notify_all(const struct attack *a)
{
	(void)a;
	return outcome(syscall(SYS_fanotify_init, 0, O_RDONLY));
}

static const struct way ways[] = {
	{ "userfaultfd", user_fault },
	{ "perf_event_open", performance },
	{ "bpf", bpf_map },
	{ "init_module", module },
	{ "kexec_load", kexec },
	{ "reboot", reboot_wrong },
	{ "iopl", ports },
	{ "swapoff", swap },
	{ "acct", accounting },
	{ "syslog", kernel_log },
	{ "sethostname", host_name },
	{ "personality", personality_flags },
	{ "fanotify_init", notify_all },
};

ATTACK_MAIN(ways)
