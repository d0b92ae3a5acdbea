// SPDX-License-Identifier: Apache-2.0
/* What the proxy takes for a host, an address, a rule; and what it refuses. */
#include <errno.h>
#include <string.h>

#include "proxy/proxy_rule.h"
#include "unit.h"

static void hosts_have_one_spelling(void **state)
{
	(void)state;
	static const char *const rows[][2] = {
		{ "example.com", "example.com" },
		{ "EXAMPLE.Com.", "example.com" },
		{ "localhost", "localhost" },
		{ "a-b.x--y.xn--bcher-kva", "a-b.x--y.xn--bcher-kva" },
		{ "3com.com", "3com.com" },
		{ "1.2.3.4", "1.2.3.4" },
		{ "1.2.3.4.", "1.2.3.4" },
		{ "255.255.255.255", "255.255.255.255" },
		{ "[::1]", "::1" },
		{ "[2001:DB8:0:0::1]", "2001:db8::1" },
		{ "[::ffff:127.0.0.1]", "127.0.0.1" },
		{ "[::ffff:7f00:1]", "127.0.0.1" },
		{ "0x7g.com", "0x7g.com" },
		{ "1.2.3.a", "1.2.3.a" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_host host;
		const char *why = "";
		print_message("%s\n", rows[i][0]);
		assert_int_equal(proxy_host_parse(rows[i][0], strlen(rows[i][0]), &host, &why), 0);
		assert_string_equal(host.text, rows[i][1]);
	}
}

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void odd_hosts_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t length; /* 0: to the NUL */
	} rows[] = {
		{ "", 0 },
		{ ".", 0 },
		{ "..", 0 },
		{ "a..b", 0 },
		{ ".a", 0 },
		{ "a.com..", 0 },
		{ "-a.com", 0 },
		{ "a-.com", 0 },
		{ "a_b.com", 0 },
		{ "a b.com", 0 },
		{ "a%2ecom", 0 },
		{ "a.com%00.evil", 0 },
		{ "a.com\0.evil", 12 },
		{ "a.com\0", 6 },
		{ "a.com\r\nHost: b", 0 },
		{ "user@a.com", 0 },
		{ "a.com/b", 0 },
		{ "a.com\\b", 0 },
		{ "a.com#", 0 },
		{ "a.com?", 0 },
		{ "b\xc3\xbc"
		  "cher.de",
		  0 },
		{ "a\xe3\x80\x82"
		  "com",
		  0 }, /* an ideographic full stop */
		{ LABEL_63 "a.com", 0 },
		{ LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, 0 },
		/* 127.0.0.1 in the forms that inet_aton(3) takes */
		{ "2130706433", 0 },
		{ "0x7f000001", 0 },
		{ "0X7F.1", 0 },
		{ "017700000001", 0 },
		{ "0177.0.0.1", 0 },
		{ "127.1", 0 },
		{ "127.0.1", 0 },
		{ "127.0.0.01", 0 },
		{ "127.0.0.0x1", 0 },
		{ "127.0.0.1.2", 0 },
		{ "127.0.0.256", 0 },
		{ "1.2.3.0x", 0 },
		{ "::1", 0 },
		{ "[::1", 0 },
		{ "[]", 0 },
		{ "[127.0.0.1]", 0 },
		{ "[fe80::1%eth0]", 0 },
		{ "[fe80::1%25eth0]", 0 },
		{ "[::1]x", 0 },
		{ "[::ffff:0177.0.0.1]", 0 },
		{ "[v1.a]", 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_host host;
		const char *why = NULL;
		size_t length = rows[i].length ? rows[i].length : strlen(rows[i].bytes);
		print_message("%s\n", rows[i].bytes);
		assert_int_equal(proxy_host_parse(rows[i].bytes, length, &host, &why), -EINVAL);
		assert_non_null(why);
	}
}

static void targets_have_a_strict_port(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		u16 fallback, port;
	} rows[] = {
		{ "a.com:443", 0, 443 },    { "a.com:1", 0, 1 },     { "a.com:65535", 0, 65535 }, { "a.com", 80, 80 },
		{ "a.com:8080", 80, 8080 }, { "[::1]:443", 0, 443 }, { "[::1]", 80, 80 },         { "a.com", 0, 0 },
		{ "a.com:", 80, 0 },        { "a.com:0", 0, 0 },     { "a.com:065", 0, 0 },       { "a.com:65536", 0, 0 },
		{ "a.com:999999", 0, 0 },   { "a.com:+1", 0, 0 },    { "a.com: 1", 0, 0 },        { "a.com:1:2", 0, 0 },
		{ "a.com:http", 0, 0 },     { "[::1]443", 0, 0 },    { "::1:443", 0, 0 },         { ":443", 0, 0 },
		{ "[::1:443", 0, 0 },       { "", 80, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_host host;
		const char *why = NULL;
		u16 port = 0;
		print_message("%s\n", rows[i].text);
		int r = proxy_target_parse(rows[i].text, strlen(rows[i].text), rows[i].fallback, &host, &port, &why);
		assert_int_equal(r, rows[i].port ? 0 : -EINVAL);
		assert_int_equal(port, rows[i].port);
	}
}

static void addresses_are_what_they_are_for(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum address_class class;
	} rows[] = {
		{ "1.1.1.1", ADDRESS_PUBLIC },
		{ "9.255.255.255", ADDRESS_PUBLIC },
		{ "11.0.0.0", ADDRESS_PUBLIC },
		{ "100.63.255.255", ADDRESS_PUBLIC },
		{ "100.128.0.0", ADDRESS_PUBLIC },
		{ "172.15.255.255", ADDRESS_PUBLIC },
		{ "172.32.0.0", ADDRESS_PUBLIC },
		{ "223.255.255.255", ADDRESS_PUBLIC },
		{ "0.0.0.0", ADDRESS_UNSPECIFIED },
		{ "0.1.2.3", ADDRESS_UNSPECIFIED },
		{ "10.255.255.255", ADDRESS_PRIVATE },
		{ "100.64.0.0", ADDRESS_SHARED },
		{ "100.127.255.255", ADDRESS_SHARED },
		{ "100.100.100.200", ADDRESS_METADATA },
		{ "127.0.0.1", ADDRESS_LOOPBACK },
		{ "127.255.255.255", ADDRESS_LOOPBACK },
		{ "169.254.169.254", ADDRESS_METADATA },
		{ "169.254.1.1", ADDRESS_LINK_LOCAL },
		{ "172.16.0.0", ADDRESS_PRIVATE },
		{ "172.31.255.255", ADDRESS_PRIVATE },
		{ "192.0.0.192", ADDRESS_METADATA },
		{ "192.0.2.1", ADDRESS_RESERVED },
		{ "192.168.255.255", ADDRESS_PRIVATE },
		{ "198.19.0.0", ADDRESS_RESERVED },
		{ "224.0.0.1", ADDRESS_MULTICAST },
		{ "239.255.255.255", ADDRESS_MULTICAST },
		{ "240.0.0.1", ADDRESS_RESERVED },
		{ "255.255.255.255", ADDRESS_UNSPECIFIED },
		{ "::", ADDRESS_UNSPECIFIED },
		{ "::1", ADDRESS_LOOPBACK },
		{ "::ffff:127.0.0.1", ADDRESS_LOOPBACK },
		{ "::ffff:1.1.1.1", ADDRESS_PUBLIC },
		{ "::127.0.0.1", ADDRESS_LOOPBACK },
		{ "::ffff:0:10.0.0.1", ADDRESS_PRIVATE },
		{ "64:ff9b::127.0.0.1", ADDRESS_LOOPBACK },
		{ "64:ff9b::8.8.8.8", ADDRESS_PUBLIC },
		{ "64:ff9b:1::1", ADDRESS_PRIVATE },
		{ "2002:7f00:1::", ADDRESS_LOOPBACK },
		{ "2002:a9fe:a9fe::", ADDRESS_METADATA },
		{ "2001::1", ADDRESS_RESERVED },
		{ "2001:db8::1", ADDRESS_RESERVED },
		{ "2606:4700::1111", ADDRESS_PUBLIC },
		{ "fc00::1", ADDRESS_PRIVATE },
		{ "fdff::1", ADDRESS_PRIVATE },
		{ "fd00:ec2::254", ADDRESS_METADATA },
		{ "fe80::1", ADDRESS_LINK_LOCAL },
		{ "fec0::1", ADDRESS_PRIVATE },
		{ "ff02::1", ADDRESS_MULTICAST },
		{ "100::1", ADDRESS_RESERVED },
		{ "4000::1", ADDRESS_RESERVED },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_address address;
		print_message("%s\n", rows[i].text);
		assert_int_equal(proxy_address_parse(rows[i].text, &address), 0);
		assert_int_equal(proxy_address_class(&address), rows[i].class);
	}
}

static void rules_read_as_they_are_written(void **state)
{
	(void)state;
	static const struct {
		const char *text, *wanted; /* NULL: refused */
		bool private;
	} rows[] = {
		{ "API.Example.com:443", "network.allow api.example.com:443", false },
		{ "*.debian.org:80", "network.allow *.debian.org:80", false },
		{ "a.com:*", "network.allow a.com:*", false },
		{ "8.8.8.8:53", "network.allow 8.8.8.8:53", false },
		{ "8.8.0.0/16:53", "network.allow 8.8.0.0/16:53", false },
		{ "0.0.0.0/0:443", "network.allow 0.0.0.0/0:443", false },
		{ "[2606:4700::]:443", "network.allow [2606:4700::]:443", false },
		{ "[2606:4700::/32]:443", "network.allow [2606:4700::/32]:443", false },
		{ "localhost:80", "network.private localhost:80", true },
		{ "127.0.0.1:80", "network.private 127.0.0.1:80", true },
		{ "10.0.0.0/8:*", "network.private 10.0.0.0/8:*", true },
		{ "[::1]:80", "network.private [::1]:80", true },
		{ "[::ffff:10.0.0.1]:80", "network.private 10.0.0.1:80", true },
		{ "127.0.0.1:80", NULL, false },
		{ "[::1]:80", NULL, false },
		{ "0.0.0.0:80", NULL, true },
		{ "224.0.0.1:80", NULL, true },
		{ "a.com", NULL, false },
		{ "*:443", NULL, false },
		{ "*.:443", NULL, false },
		{ "*.*.com:443", NULL, false },
		{ "a.*:443", NULL, false },
		{ "*a.com:443", NULL, false },
		{ "*.1.2.3.4:443", NULL, false },
		{ "a.com/24:443", NULL, false },
		{ "8.8.8.8/33:443", NULL, false },
		{ "8.8.8.8/24:443", NULL, false },
		{ "8.8.8.0/:443", NULL, false },
		{ "8.8.8.0/-1:443", NULL, false },
		{ "8.8.8.0/24x:443", NULL, false },
		{ "[2606:4700::/129]:443", NULL, false },
		{ "2606:4700:::443", NULL, false },
		{ "[2606::]", NULL, false },
		{ "a.com:443-445", NULL, false },
		{ "a.com:**", NULL, false },
		{ "http://a.com:80", NULL, false },
		{ "", NULL, false },
		{ ":", NULL, false },
		{ "*.", NULL, false },
		{ "*.:", NULL, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_rule rule;
		char text[PROXY_RULE_TEXT];
		const char *why = "";
		print_message("%s\n", rows[i].text);
		assert_int_equal(proxy_rule_parse(rows[i].text, rows[i].private, &rule, &why), rows[i].wanted ? 0 : -EINVAL);
		if (rows[i].wanted)
			assert_string_equal(proxy_rule_text(&rule, text), rows[i].wanted);
		else
			assert_true(*why);
	}
}

static void add_rules(struct proxy_rules *rules)
{
	static const char *const allow[] = { "api.example.com:443", "*.debian.org:80", "8.8.8.8:53",
					     "9.0.0.0/8:443",       "0.0.0.0/0:9",     "inside.example:80" };
	static const char *const private[] = { "localhost:8080", "10.0.0.5:5432", "192.168.1.0/24:*", "10.0.0.9:80",
					       "0.0.0.0/0:7" };
	struct proxy_rule rule;
	const char *why = "";
	for (size_t i = 0; i < ARRAY_SIZE(allow); i++) {
		assert_int_equal(proxy_rule_parse(allow[i], false, &rule, &why), 0);
		assert_int_equal(proxy_rules_add(rules, &rule), 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(private); i++) {
		assert_int_equal(proxy_rule_parse(private[i], true, &rule, &why), 0);
		assert_int_equal(proxy_rules_add(rules, &rule), 0);
	}
}

static void targets_are_judged_as_they_are_written(void **state)
{
	(void)state;
	static const struct {
		const char *target;
		bool allowed;
	} rows[] = {
		{ "api.example.com:443", true },
		{ "API.EXAMPLE.COM.:443", true },
		{ "api.example.com:80", false },
		{ "example.com:443", false },
		{ "x.api.example.com:443", false },
		{ "ftp.debian.org:80", true },
		{ "a.b.debian.org:80", true },
		{ "debian.org:80", false },
		{ "evildebian.org:80", false },
		{ "debian.org.evil.com:80", false },
		{ "8.8.8.8:53", true },
		{ "[::ffff:8.8.8.8]:53", true },
		{ "8.8.8.9:53", false },
		{ "9.1.2.3:443", true },
		{ "10.1.2.3:443", false },
		{ "127.0.0.1:9", false }, /* within 0.0.0.0/0, which lets to public addresses only */
		{ "169.254.169.254:9", false },
		{ "1.1.1.1:9", true },
		{ "localhost:8080", true },
		{ "localhost:8081", false },
		{ "127.0.0.1:8080", false }, /* the name is listed, not the address */
		{ "10.0.0.5:5432", true },
		{ "10.0.0.5:80", false },
		{ "192.168.1.200:1", true },
		{ "192.168.2.1:1", false },
		{ "127.0.0.1:7", true },
		{ "0.0.0.0:7", false },
		{ "224.0.0.1:7", false },
		{ "[::1]:7", false },
	};
	struct proxy_rules rules = { .rule = NULL };
	add_rules(&rules);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_host host;
		const char *why = "";
		u16 port;
		print_message("%s\n", rows[i].target);
		assert_int_equal(proxy_target_parse(rows[i].target, strlen(rows[i].target), 0, &host, &port, &why), 0);
		struct proxy_verdict verdict = proxy_rules_target(&rules, &host, port);
		assert_int_equal(verdict.rule != NULL, rows[i].allowed);
		assert_true(verdict.rule || verdict.why);
	}
	proxy_rules_free(&rules);
}

static void names_that_lead_to_private_addresses_need_them_listed(void **state)
{
	(void)state;
	static const struct {
		const char *target, *address;
		bool allowed;
	} rows[] = {
		{ "api.example.com:443", "93.184.216.34", true },
		{ "api.example.com:443", "127.0.0.1", false },
		{ "api.example.com:443", "::1", false },
		{ "api.example.com:443", "::ffff:10.0.0.5", false },
		{ "api.example.com:443", "169.254.169.254", false },
		{ "api.example.com:443", "100.64.1.1", false },
		{ "api.example.com:443", "fe80::1", false },
		{ "api.example.com:443", "192.168.1.7", true },
		{ "inside.example:80", "10.0.0.9", true },
		{ "inside.example:80", "10.0.0.5", false },
		{ "localhost:8080", "127.0.0.1", true },
		{ "localhost:8080", "::1", true },
		{ "localhost:8080", "0.0.0.0", false },
		{ "localhost:8080", "ff02::1", false },
	};
	struct proxy_rules rules = { .rule = NULL };
	add_rules(&rules);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct proxy_host host;
		struct proxy_address address;
		const char *why = "";
		u16 port;
		print_message("%s %s\n", rows[i].target, rows[i].address);
		assert_int_equal(proxy_target_parse(rows[i].target, strlen(rows[i].target), 0, &host, &port, &why), 0);
		struct proxy_verdict verdict = proxy_rules_target(&rules, &host, port);
		assert_non_null(verdict.rule);
		assert_int_equal(proxy_address_parse(rows[i].address, &address), 0);
		assert_int_equal(proxy_rules_address(&rules, verdict.rule, &address, port).rule != NULL, rows[i].allowed);
	}
	proxy_rules_free(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_have_one_spelling),
		cmocka_unit_test(odd_hosts_are_refused),
		cmocka_unit_test(targets_have_a_strict_port),
		cmocka_unit_test(addresses_are_what_they_are_for),
		cmocka_unit_test(rules_read_as_they_are_written),
		cmocka_unit_test(targets_are_judged_as_they_are_written),
		cmocka_unit_test(names_that_lead_to_private_addresses_need_them_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
