/* SPDX-License-Identifier: Apache-2.0 */
/* What files that belong to the machine take and refuse: only such as harm nobody while they are changed, and they are put back. */
#include "sysctl_common.h"

#define TRY(path, ...)                                               \
	do {                                                         \
		static const char *const inputs[] = { __VA_ARGS__ }; \
		try_all(path, inputs, COUNT(inputs));                \
	} while (0)

static void try_all(const char *path, const char *const *inputs, size_t count)
{
	char before[512];

	read_file(path, before, sizeof(before));
	say("%s", path);
	for (size_t i = 0; i < count; i++) {
		int result = writes(path, inputs[i], strlen(inputs[i]));

		say("  '%s' -> %s, reads %s", plain(inputs[i], strlen(inputs[i])), result_name(result),
		    result > 0 ? reads(path) : "");
	}
	if (writes(path, before, strlen(before)) != (int)strlen(before) && geteuid() == 0)
		say("  not put back");
}

int main(void)
{
	char line[300];

	isolate();
	TRY("kernel/printk_ratelimit_burst", "0", "-5", "2147483647", "2147483648", "x", "7 8");
	TRY("kernel/printk_ratelimit", "9", "8589934", "8589935");
	TRY("kernel/printk_delay", "-1", "0", "10001", "0x0");
	TRY("kernel/poweroff_cmd", "/bin/true", "two words\nand more", "");
	TRY("kernel/keys/gc_delay", "-1", "0", "301");
	TRY("kernel/keys/maxkeys", "0", "1000", "x");
	TRY("kernel/random/write_wakeup_threshold", "1", "-1", "100000");
	TRY("kernel/hung_task_warnings", "-2", "-1", "11");
	TRY("kernel/oops_limit", "4294967295", "4294967296", "-1", "20000");
	TRY("kernel/perf_cpu_time_max_percent", "101", "-1", "25");
	TRY("kernel/panic_on_rcu_stall", "2", "-1", "0");
	TRY("kernel/printk_devkmsg", "off\n", "on", "maybe\n", "ratelimit\n", "ratelimitx\n", "ON\n");
	TRY("kernel/seccomp/actions_logged", "log", "trap  log", "log trap kill_process", "nonsense", "allow",
	    "kill_process errno log\n");
	TRY("fs/pipe-max-size", "0", "1", "4097", "1048577", "2147483648", "2147483649", "-1", "x", "1048576 2");
	TRY("fs/lease-break-time", "-1", "46", "4294967296");
	TRY("fs/inotify/max_queued_events", "-1", "20000");
	TRY("fs/inotify/max_user_instances", "-1", "2147483648", "200");
	TRY("fs/mqueue/msg_max", "0", "1", "65536", "65537");
	TRY("fs/mqueue/msgsize_max", "127", "128", "16777216", "16777217");
	TRY("fs/suid_dumpable", "3", "-1", "0");
	TRY("fs/dentry-negative", "2", "-1", "0");
	TRY("vm/dirty_expire_centisecs", "-1", "0x1", "3001");
	TRY("vm/dirtytime_expire_seconds", "-1", "43201");
	TRY("vm/admin_reserve_kbytes", "-1", "8193", "18446744073709551616");
	TRY("vm/extfrag_threshold", "1001", "-1", "501");
	TRY("vm/page-cluster", "32", "-1", "4");
	TRY("vm/swappiness", "201", "-1", "61");
	TRY("vm/overcommit_memory", "3", "-1", "x", "0");
	TRY("vm/panic_on_oom", "3", "-1", "0");
	TRY("vm/compaction_proactiveness", "101", "-1", "21");
	TRY("vm/watermark_scale_factor", "0", "3001", "11");
	TRY("vm/drop_caches", "0", "x", "-1");
	TRY("vm/stat_interval", "2", "8589935");
	TRY("vm/dirty_background_bytes", "0", "-1");
	TRY("vm/dirty_bytes", "8191", "0");
	memset(line, 'y', sizeof(line));
	say("a long line -> %s", result_name(writes("kernel/poweroff_cmd", line, sizeof(line))));
	say("  reads %d bytes", (int)strlen(reads("kernel/poweroff_cmd")));
	(void)writes("kernel/poweroff_cmd", "/sbin/poweroff\n", 15);
	return 0;
}
