/* SPDX-License-Identifier: GPL-2.0-only */
/* A multicast that is stuck at a recipient that never reads holds up nobody at another. */
#define NS		3
#define NR		2
#define SLOTS(r)	1

#include "../line.pml"

init {
	setup();
	atomic {
		/* Recipient 1 reads nothing. */
		sleeper[0] = true; sleeper[1] = true;
		unsent = 5;
		run sleeping(0, 3, 2, 0);
		run sleeping(1, 1, 2, 0);
		run polling(2, 1, 0);
		run reader(0);
		run worker();
		run witness()
	}
}
