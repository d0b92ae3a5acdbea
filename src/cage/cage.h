/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command in a cage: what a policy asks for, put together from what this host has (layer.h).
 *
 *   cage_open()     tries the layers; what is needed and missing is told, and then nothing may be started
 *   cage_launch()   as launch_run(), with all layers in force:
 *
 *     in the child, before who it is is settled     namespaces, mounts, the network
 *     when all else is set                          descriptors, rules of Landlock, user and capabilities, no_new_privs, Landlock, seccomp
 *     then                                          the engine's filter and the agent, if gaps are filled: they live in the cage
 *     when the command has ended                    what it left running is killed
 */
#ifndef LICHEN_CAGE_CAGE_H
#define LICHEN_CAGE_CAGE_H

#include <jansson.h>

#include "cage/cage_proxy.h"
#include "cage/layer.h"
#include "host/launch.h"

struct cage;

/* Prepares a cage; the policy stays the caller's and must outlive it; a /dev/shm of the run's own becomes a rule of it (cage_tmp.h). `weaker`: bit per layer
 * that may be missing. `limits`: what cage_limits_plan() has said of such limits in this run; NULL: they are tried. 0 or negative errno, and then
 * error->at.text says what of the policy is wrong (-EINVAL: its seccomp profile), or is empty; the caller calls cage_close(). */
int cage_open(struct cage_policy *policy, u32 weaker, const struct cell_enforcement *limits, struct cage **ret,
	      struct cage_policy_error *error) MUST_CHECK;
void cage_close(struct cage *cage);

/* Bit per layer that the policy needs, the host lacks and `weaker` does not name: if any is set the command must not be started. */
u32 cage_missing(const struct cage *cage) MUST_CHECK;
/* The same, of those that `weaker` names: the cage goes without. */
u32 cage_without(const struct cage *cage) MUST_CHECK;
const struct cage_finding *cage_finding(const struct cage *cage, enum cage_layer layer) MUST_CHECK;

/* The guest's environment, from ours: an array that the caller frees, with the strings in it. NULL: no memory. */
char **cage_environment(const struct cage_policy *policy, char *const *from) MUST_CHECK;
void cage_environment_free(char **env);

/* Who hears, in the process that calls cage_launch(), what lichen-proxy decides (network.mode proxy): without anybody such a cage is not launched. */
void cage_hear_network(struct cage *cage, const struct cage_proxy_reader *reader);
/* After cage_launch(): why the network was gone before the command ended; "" when it was not. */
const char *cage_network_problem(const struct cage *cage) MUST_CHECK;

/* After cage_launch(): the command's program, by its real path, when no rule lets it be executed and that is why it was not started; else "". */
const char *cage_refused_program(const struct cage *cage) MUST_CHECK;

/* Sets the bit of each call that its filter refuses by number or arguments, for cage_denials_new(): TRACE_NUMBERS_SIZE. */
void cage_refused_calls(const struct cage *cage, u64 *numbers);
/* Whether what it refuses may not be there at all (ENOENT). */
bool cage_hides(const struct cage *cage) MUST_CHECK;

/* As launch_run(), in the cage. What launch->setup says about streams and limits holds; its session is its own in any case. The children that the caller has at this time
 * are left alone; all that the command leaves behind is killed. */
int cage_launch(struct cage *cage, const struct launch *launch, struct launch_result *result) MUST_CHECK;

#define CAGE_STATUS_TIME 124 /* limits.wall or limits.cpu_time ended it */
/* The limit that ended the command: "wall", "cpu_time", "output", "memory", "disk"; NULL: none. */
const char *cage_limit_hit(const struct cage *cage) MUST_CHECK;
/* Half a sentence, if that was because it could not be told whether it holds; else NULL. */
const char *cage_limit_why(const struct cage *cage) MUST_CHECK;

/* What the audit log is told: members of an event run.policy. NULL: no memory. */
json_t *cage_describe(const struct cage *cage) MUST_CHECK;

#endif
