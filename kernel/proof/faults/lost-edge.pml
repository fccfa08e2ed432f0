/* SPDX-License-Identifier: GPL-2.0-only */
/* A socket that got EAGAIN is not told when the reason goes in another way than by a read. */
#define FAULT_EDGE
#include "../scenes/changes.pml"
