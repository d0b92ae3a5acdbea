/* SPDX-License-Identifier: Apache-2.0 */
/* Files that belong to the machine: their modes, and what they say in its form, since machines differ. Some must be the truth. */
#include "sysctl_common.h"
#include <sys/prctl.h>
#include <sys/utsname.h>

/* Not in every kernel: modules of security, what distributions add, what options bring. */
static bool is_optional(const char *path)
{
	static const char *const names[] = { "fs/may_detach_mounts",
					     "kernel/apparmor",
					     "kernel/kexec_load",
					     "kernel/modprobe",
					     "kernel/modules_disabled",
					     "kernel/sched_schedstats",
					     "kernel/stack_tracer",
					     "kernel/nmi_watchdog",
					     "kernel/sysrq",
					     "kernel/unprivileged_userns",
					     "kernel/yama" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (!strncmp(path, names[i], strlen(names[i])))
			return true;
	return false;
}

static void says_truth(const char *path, const char *truth)
{
	char text[512];

	read_file(path, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	say("%s is true: %s", path, strcmp(text, truth) ? "no" : "yes");
}

static void truths(void)
{
	char number[16], one[64], two[64];
	struct utsname uts;
	int cap = 0;

	MUST(uname(&uts));
	says_truth("kernel/hostname", uts.nodename);
	says_truth("kernel/osrelease", uts.release);
	says_truth("kernel/ostype", uts.sysname);
	says_truth("kernel/version", uts.version);
	while (prctl(PR_CAPBSET_READ, cap + 1) >= 0)
		cap++;
	snprintf(number, sizeof(number), "%d", cap);
	says_truth("kernel/cap_last_cap", number);
	snprintf(number, sizeof(number), "%ld", sysconf(_SC_NGROUPS_MAX));
	says_truth("kernel/ngroups_max", number);
	read_file("kernel/random/uuid", one, sizeof(one));
	read_file("kernel/random/uuid", two, sizeof(two));
	FACT(strlen(one) == 37 && one[8] == '-' && one[14] == '4' && strchr("89ab", one[19]) && strcmp(one, two) != 0);
	read_file("kernel/random/boot_id", one, sizeof(one));
	read_file("kernel/random/boot_id", two, sizeof(two));
	FACT(strlen(one) == 37 && one[36] == '\n' && strcmp(one, two) == 0);
}

int main(void)
{
	if (chdir("/proc/sys") != 0)
		return 97;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct stat st = { 0 };

		if (!strcmp(rows[i].scope, "NET") || is_optional(rows[i].path) || !strncmp(rows[i].kind, "STRING", 6))
			continue;
		if (stat(rows[i].path, &st) != 0)
			say("%s: %s", rows[i].path, errno_name(errno));
		else if (strcmp(rows[i].kind, "CHOICE") && strcmp(rows[i].kind, "WORDS") &&
			 strncmp(rows[i].path, "net/ipv4/route", 14))
			say("%s: %o %s", rows[i].path, st.st_mode, strtok((char *)shape(reads(rows[i].path)), "-"));
	}
	truths();
	return 0;
}
