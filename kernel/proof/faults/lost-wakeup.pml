/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The place of a multicast that waits elsewhere keeps the room that a read has
 * made, and no event ends that: the sleeper behind it is never woken.
 */
#define FAULT_WAKEUP
#include "../scenes/stopped.pml"
