// SPDX-License-Identifier: Apache-2.0
/* The same in a tree that the agent makes. */
#include "../engine/exe_nameless.c" // NOLINT(bugprone-suspicious-include): one program, two cells
