/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's side of the broker (abi/broker.h). One epoll descriptor holds everything it listens to, so that the supervisor polls one.
 *
 * What comes over the socket is a guest's and not trusted: a request that is malformed, beyond a bound or for what is not to be had is
 * dropped by closing its descriptor. A descriptor that is neither a pipe, an eventfd nor an AF_UNIX socket never comes from an agent; closing it could
 * block (FUSE, SO_LINGER), so it is kept and the broker answers nobody any more. Nothing here blocks, and one wake-up does a bounded amount of work.
 * Limit: a guest that may mount FUSE can hide such a file in a socket's queue, and so make the supervisor wait for itself.
 */
#ifndef LICHEN_HOST_BROKER_HOST_H
#define LICHEN_HOST_BROKER_HOST_H

#include "base/types.h"
#include "host/supervise.h"

#define BROKER_WATCHES_MAX 1024u
#define BROKER_STREAMS_MAX 128u

struct broker;

/* Serves requests that come over `socket` (non-blocking; stays the caller's). The cell's log begins with a line that names the gaps in
 * `emulate` (bit per gap_id). Returns 0 or negative errno. */
int broker_new(int socket, u32 emulate, struct broker **ret) MUST_CHECK;
/* What it needs to end pid namespaces: the views of the commons, and the agent's descriptor; both stay the caller's, and outlive the broker. */
struct view_state;
void broker_knows_members(struct broker *broker, struct view_state *views, int agent);
/* Where it writes down who makes network namespaces (`network` of the commons), when a member asks for it; the caller's, and outlives the broker. */
void broker_knows_network(struct broker *broker, u32 *network);
/* Who takes requests for events of control groups (BROKER_CGROUP_EVENT), and their eventfd. */
typedef void broker_group_event(void *data, u64 group, u64 threshold, int eventfd);
void broker_knows_groups(struct broker *broker, broker_group_event *take, void *data);
/* What the supervisor is to serve for it. */
struct service broker_service(struct broker *broker);
/* Ends everything; NULL is nothing. */
void broker_free(struct broker *broker);

#endif
