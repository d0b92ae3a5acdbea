/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime's own program is not within reach of a container: root in it could write to it by /proc/PID/exe of a process that is on its way into the
 * container, or of one that was made to execute /proc/self/exe (CVE-2019-5736). So what enters containers is executed from a sealed copy in memory.
 */
#ifndef LICHEN_OCI_OCI_COPY_H
#define LICHEN_OCI_OCI_COPY_H

/* Executes the same command line from such a copy; comes back in the copy, and where none can be made: then with negative errno. */
int oci_copy_enter(char **argv);

#endif
