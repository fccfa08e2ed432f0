/* SPDX-License-Identifier: GPL-2.0-only */
/* Sends that are interrupted and try again, or give up, beside a recipient that never reads. */
#define NS		3
#define NR		2
#define SLOTS(r)	1

#include "../line.pml"

init {
	setup();
	atomic {
		/* Recipient 1 reads nothing. */
		sleeper[0] = true; sleeper[1] = true;
		unsent = 4;
		run sleeping(0, 3, 1, 1);
		run sleeping(1, 1, 2, 1);
		run polling(2, 1, 0);
		run reader(0);
		run worker();
		run witness()
	}
}
