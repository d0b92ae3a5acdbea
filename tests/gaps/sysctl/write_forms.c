/* SPDX-License-Identifier: Apache-2.0 */
/* How each kind of file reads a write: numbers in all spellings, vectors in part, ranges, sets, names, keys, lines. */
#include "sysctl_common.h"

static void try_bytes(const char *path, const char *bytes, size_t size)
{
	int result = writes(path, bytes, size);

	say("  '%s' -> %s, reads %s", plain(bytes, size), result_name(result), geteuid() ? "" : reads(path));
}

#define TRY(path, ...)                                                   \
	do {                                                             \
		static const char *const inputs[] = { __VA_ARGS__ };     \
		say("%s", path);                                         \
		for (size_t i_ = 0; i_ < COUNT(inputs); i_++)            \
			try_bytes(path, inputs[i_], strlen(inputs[i_])); \
	} while (0)

static void numbers(void)
{
	TRY("net/ipv4/tcp_max_syn_backlog", "", "\n", " ", "1x", "1 x", "0x20", "0X1f", "010", "08", "+1", "1\r", "-", "-0", "--1",
	    "- 1", "99999999999999999999", "4294967296", "\v5", "0x", "0xg", "1-1", "00000000000000000005", "000000000000000000006",
	    " \t\n7", "9 \n\n", "-2147483648", "-2147483649", "1.5", "1,2", "0b1",
	    "\xa0"
	    "3");
	TRY("net/ipv4/tcp_ecn_fallback", "256", "1", "", "\n", " ", "1x", "1 x", "0x0", "01", "08", "-0", "-1", "\n0",
	    "00000000000000000001", "000000000000000000001");
	say("with NULs");
	try_bytes("net/ipv4/tcp_max_syn_backlog", "7\0", 2);
	try_bytes("net/ipv4/tcp_max_syn_backlog", "\0", 1);
	try_bytes("net/ipv4/tcp_ecn_fallback", "1\0", 2);
	TRY("net/ipv4/tcp_comp_sack_delay_ns", "18446744073709551615", "18446744073709551616", "-1", "5 6", "0x10", "1000000");
	TRY("net/ipv4/ipfrag_time", "5", "-3", "0x10", "8589934", "8589935");
	TRY("net/ipv4/icmp_ratelimit", "0", "1", "3", "5", "1000");
	TRY("net/bridge/bridge-nf-call-iptables", "7", "0", "-1", "1 2", "x", "0");
}

static void vectors(void)
{
	TRY("net/ipv4/tcp_rmem", "1 2 3", "5", "0 1 2", "1 2 x", "7 8", "1 2 3 4", "4 \t5\n6\n", "9 -1 9",
	    "4096\t131072\t6291456\n");
	TRY("net/ipv4/ip_local_port_range", "5000", "5000 4000", "1000 2000", "5000 6000 7000", "0 6", "-1 5", "x", "5001 70000",
	    "5000\t6000\n", "1024 65535", "");
	TRY("net/ipv4/ip_unprivileged_port_start", "2000", "1025", "1024", "80", "70000", "-1");
	TRY("net/ipv4/ping_group_range", "0 100", "100 0", "0 2147483647", "0 4294967295", "-1 5", "5", "0 4294967294", "x",
	    "1 2 3");
	TRY("net/ipv4/ipfrag_low_thresh", "5000000", "100", "-1");
	TRY("net/ipv4/ipfrag_high_thresh", "50", "100", "99", "5000000");
}

static void sets(void)
{
	TRY("net/ipv4/ip_local_reserved_ports", "1-5,7", "8080\n", "1,2,3", "5-1", "65536", "1,,2", " 5", "5 6", "1-", "", "\n",
	    "1-5\n7", "1-5x", "0", "10,\n", "65535", "0-65535", "0x10-0x12", "30000-30010,40000,\n\n", "1-2-3", "-5", "\n");
	TRY("net/ipv6/icmp/ratemask", "0-255", "256", "3,1", "0-1,3-127\n");
	TRY("net/ipv4/tcp_fastopen_key", "1-2-3-4", "x", "00000001-00000002-00000003-00000004,1-2-3-5", "1-2-3", "\n",
	    "deadbeef-DEADBEEF-0-ffffffff\n", "1-2-3-4,", "1-2-3-4,5");
	TRY("net/ipv4/tcp_congestion_control", "reno", "nope", " reno", "renox", "", "\n", "reno\n");
	TRY("net/mptcp/path_manager", "userspace", "nope", "kernel\n", "kernel x");
}

static void lines(void)
{
	char big[300];

	TRY("kernel/domainname", "one", "two\n", "three\nfour", "", "\n", "with space \t", "\xc3\xa4", "example.org");
	memset(big, 'x', sizeof(big));
	say("longer than the name can be");
	try_bytes("kernel/domainname", big, 63);
	try_bytes("kernel/domainname", big, 64);
	try_bytes("kernel/domainname", big, 65);
	try_bytes("kernel/domainname", big, 300);
	try_bytes("kernel/domainname", "a\0b", 3);
	try_bytes("kernel/domainname", "(none)\n", 7);
}

int main(void)
{
	isolate();
	numbers();
	vectors();
	sets();
	lines();
	return 0;
}
