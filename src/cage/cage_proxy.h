/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network of a caged command that is let to some hosts (network.mode: proxy): it is in a network namespace without a way out, and somebody listens there at
 * 127.0.0.1:3128. That socket is made inside of the namespace and served outside of it, by lichen-proxy, since a socket stays in the namespace that it was
 * made in whoever holds it.
 *
 *   supervisor   cage_proxy_start()   finds and starts lichen-proxy, hands it the policy's lists, waits until it is ready
 *   guest        cage_proxy_listen()  in its namespace, before the filter for system calls: makes the listener, sends it
 *   (supervisor  cage_proxy_hand()    where there is no namespace: connections come from cage_notify.h)
 *   supervisor   cage_proxy_read()    decisions, when helper.out can be read
 *   supervisor   cage_proxy_stop()    what has ended, and the helper's end
 *
 * It fails closed: without the helper, or when it dies, there is nobody to connect to. What it decides was told before it is done (docs/proxy-json.md); it waits
 * when nobody reads.
 */
#ifndef LICHEN_CAGE_CAGE_PROXY_H
#define LICHEN_CAGE_CAGE_PROXY_H

#include <jansson.h>

#include "cage/policy.h"
#include "host/helper.h"

#define CAGE_PROXY_PORT 3128
#define CAGE_PROXY_VARIABLES 8u
#define CAGE_PROXY_LINE 4096u
#define CAGE_PROXY_PROBLEM 512u

struct cage_proxy {
	struct helper helper; /* .out: for poll(2) */
	int control;
	bool ended;  /* nothing more comes; .out stays open, and silent */
	size_t have; /* of the next line */
	char line[CAGE_PROXY_LINE];
};

/* Nothing is started. */
#define CAGE_PROXY_NONE                                                      \
	{                                                                    \
		.helper = { .out = -1, .err = -1 }, .control = -1, .have = 0 \
	}

/* One line of the helper's. */
struct cage_proxy_decision {
	bool denied;        /* a denial: net.connect `target` */
	const char *target; /* HOST:PORT, or what stood in its place with odd bytes as \xNN; NULL: none is known */
	const char *reason; /* of a denial; NULL: no rule allows it */
	json_t *event;      /* all of it; borrowed */
};

/* What takes decisions, in their order. */
struct cage_proxy_reader {
	void (*take)(void *data, const struct cage_proxy_decision *decision);
	void *data;
};

/* Whether the helper is there. 0, or -ENOENT and `path` is where it belongs. */
int cage_proxy_find(char path[PATH_MAX]) MUST_CHECK;
/* Starts it. 0, or negative errno with a sentence in `problem`; nothing is left then. */
int cage_proxy_start(const struct cage_policy *policy, struct cage_proxy *ret, char problem[CAGE_PROXY_PROBLEM]) MUST_CHECK;
/*
 * In the guest's process, alone in its network namespace: brings loopback up, listens, and sends the listener to the helper; the process keeps nothing of it.
 * 0 or negative errno; -EXDEV: there is a way out of the namespace.
 */
int cage_proxy_listen(struct cage_proxy *proxy) MUST_CHECK;
/* In its place: connections come over `door`, which stays the caller's: one with each message of a SOCK_SEQPACKET socket. 0 or negative errno. */
int cage_proxy_hand(struct cage_proxy *proxy, int door) MUST_CHECK;
/* The variables that tell programs of the proxy. Returns how many. */
size_t cage_proxy_environment(const struct cage_policy *policy, struct cage_variable to[CAGE_PROXY_VARIABLES]);
/* Hands out some of what has come, without waiting: who has other things to do (clocks) gets to them however fast it comes. 0: more may come, or be there; 1: it has ended; or negative errno. */
int cage_proxy_read(struct cage_proxy *proxy, const struct cage_proxy_reader *reader) MUST_CHECK;
/*
 * Ends it, and hands out the rest. Returns its exit status (0 as it should be), 128+n; or negative errno;
 * -ECHILD: it had ended before, and the supervisor has waited for it.
 */
int cage_proxy_stop(struct cage_proxy *proxy, const struct cage_proxy_reader *reader) MUST_CHECK;

#endif
