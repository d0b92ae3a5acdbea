/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What programs that call lichen may rely on: its version, its exit statuses, and the names of its JSON formats
 * (docs/doctor-json.md, docs/why-json.md). All of this only grows within one major version.
 */
#ifndef LICHEN_H
#define LICHEN_H

#define LICHEN_VERSION "0.1.0"

/* Exit statuses of `lichen run`, besides the guest's own (128+n when signal n ended it): those of `docker run`. */
#define LICHEN_EXIT_FAILED 125         /* lichen itself failed; the guest did not run */
#define LICHEN_EXIT_NOT_EXECUTABLE 126 /* the program is there and cannot be executed */
#define LICHEN_EXIT_NOT_FOUND 127      /* there is no such program */
#define LICHEN_EXIT_DENIED 77          /* the cage denied something, whatever the own status of the guest or flow */
/* With --audit also LICHEN_EXIT_IO, the log could not be written, and LICHEN_EXIT_DATA, it is broken. */

/* Exit statuses of the other commands: 0, or one of sysexits.h. */
#define LICHEN_EXIT_USAGE 64 /* wrong command line */
#define LICHEN_EXIT_DATA \
	65 /* images: an image, manifest, layer or archive is malformed, or its digest is wrong; audit: the log is broken */
#define LICHEN_EXIT_NO_INPUT 66    /* images, audit: there is no such image, log or file */
#define LICHEN_EXIT_UNAVAILABLE 69 /* doctor: the workload cannot run here, or with that kernel configuration; images: in use */
#define LICHEN_EXIT_SOFTWARE 70    /* lichen itself failed */
#define LICHEN_EXIT_OS_FILE 72     /* a program that belongs to lichen is not there */
#define LICHEN_EXIT_IO 74          /* the output could not be written; audit: the log cannot be read or written */
#define LICHEN_EXIT_BUDGET 75      /* flow: the budget is exhausted */
#define LICHEN_EXIT_CONFIG 78      /* cage, flow: the policy, the flow's file or config.yaml is wrong */
#define LICHEN_EXIT_TIMEOUT 124    /* flow: a limit of time or of steps has ended it */

#define LICHEN_FLOW_FAILED 1 /* `lichen flow run`: a step failed */

#define LICHEN_PII_FOUND 1 /* `lichen pii scan`: something was found */

/* Exit statuses of `lichen up` and `lichen restart`, besides LICHEN_EXIT_USAGE, _DATA (a unit file is wrong, or the unit is masked), _SOFTWARE. */
#define LICHEN_UP_NOT_INSTALLED 66 /* there is no such unit, or its program is not there; the package that has it is told */
#define LICHEN_UP_CANNOT 69        /* this machine lacks what the unit's program needs, and nothing fills it */
#define LICHEN_UP_DIED 80          /* the daemon ended before it was ready, or could not be started */
#define LICHEN_UP_TIMEOUT 81       /* it was not ready in time */
#define LICHEN_UP_LOST 82          /* it was ready, and then was not */
#define LICHEN_UP_CONDITION 83     /* a condition of the unit (ConditionPathExists= …) is not met */
#define LICHEN_UP_UNPROVEN 84      /* it answers, but does not do its work: of docker, no container can be started */

/* Exit statuses of `lichen status`: those of LSB init scripts, and LICHEN_UP_LOST. */
#define LICHEN_STATUS_FAILED 1   /* it failed, and was not ready before */
#define LICHEN_STATUS_INACTIVE 3 /* it does not run */
#define LICHEN_STATUS_UNKNOWN 4  /* there is no such unit */

/* Exit statuses of lichen-fetch, and of `lichen pull`, which hands them on: 0, or one of sysexits.h with a meaning of its own. */
#define LICHEN_FETCH_USAGE 64        /* wrong command line or configuration file */
#define LICHEN_FETCH_MISMATCH 65     /* what came has another digest or size than it should */
#define LICHEN_FETCH_NOT_FOUND 66    /* no such repository, tag or manifest, or none for the platform */
#define LICHEN_FETCH_NETWORK 69      /* the registry cannot be reached, or fails again and again */
#define LICHEN_FETCH_SOFTWARE 70     /* out of memory, or a fault of lichen-fetch's own */
#define LICHEN_FETCH_DISK_FULL 73    /* the disk is full, or a quota or limit of file sizes is reached */
#define LICHEN_FETCH_IO 74           /* the directory cannot be written for another reason */
#define LICHEN_FETCH_BUSY 75         /* another lichen-fetch is filling the directory */
#define LICHEN_FETCH_PROTOCOL 76     /* the registry's answer is malformed or not supported, or its certificate is not trusted */
#define LICHEN_FETCH_UNAUTHORIZED 77 /* the registry refuses access, or wants a login that is not there */

/* Exit statuses of lichen-proxy: 0 when SIGTERM ended it. */
#define LICHEN_PROXY_USAGE 64         /* wrong command line */
#define LICHEN_PROXY_SOFTWARE 70      /* out of memory, or a fault of lichen-proxy's own */
#define LICHEN_PROXY_IO 74            /* nobody reads what it tells */
#define LICHEN_PROXY_NO_LISTENER 76   /* the control socket was closed before a listener came */
#define LICHEN_PROXY_CONFIGURATION 78 /* the configuration is wrong, or did not come */

#define LICHEN_DOCTOR_SCHEMA "lichen-doctor/1"        /* `lichen doctor --json` */
#define LICHEN_CONFIG_SCHEMA "lichen-kernel-config/1" /* `lichen doctor --kernel-config=FILE --json` */
#define LICHEN_PLAN_SCHEMA "lichen-plan/1"            /* `lichen run --explain --json` */
#define LICHEN_WHY_SCHEMA "lichen-why/1"              /* `lichen why --json` */
#define LICHEN_IMAGES_SCHEMA "lichen-images/1"        /* `lichen images --json` */
#define LICHEN_FETCH_SCHEMA "lichen-fetch/1"          /* what lichen-fetch prints while it works */
#define LICHEN_PROXY_SCHEMA "lichen-proxy/1"          /* what lichen-proxy prints while it works */
#define LICHEN_VOLUMES_SCHEMA "lichen-volumes/1"      /* `lichen volume inspect` */
#define LICHEN_SYSTEM_SCHEMA "lichen-system/1"        /* `lichen system df --json` */
#define LICHEN_PRUNE_SCHEMA "lichen-prune/1"          /* `lichen system prune --json` */
#define LICHEN_UNITS_SCHEMA "lichen-units/1"          /* `lichen status --json` */
#define LICHEN_UP_SCHEMA "lichen-up/1"                /* `lichen up --explain --json` */
#define LICHEN_PII_SCHEMA "lichen-pii/1"              /* `lichen pii scan --json` */
#define LICHEN_CAGE_SCHEMA "lichen-cage/1"            /* `lichen cage check --json` */
#define LICHEN_CAGE_ENV_SCHEMA "lichen-cage-env/1"    /* `lichen cage env-check --json` */
#define LICHEN_AUDIT_SCHEMA "lichen-audit/1"          /* `lichen audit verify --json`, and the entries of a log */
#define LICHEN_CELLS_SCHEMA "lichen-cells/1"          /* `lichen ps --json`, `lichen inspect` */

#endif
