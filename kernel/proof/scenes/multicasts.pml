/* SPDX-License-Identifier: GPL-2.0-only */
/* Multicasts to three recipients, and one to two of them: the oldest waits for no other. */
#define NS		3
#define NR		3
#define SLOTS(r)	1
#define ALL_READ

#include "../line.pml"

init {
	setup();
	atomic {
		sleeper[0] = true; sleeper[1] = true; sleeper[2] = true;
		unsent = 3;
		run sleeping(0, 7, 1, 0);
		run sleeping(1, 7, 1, 0);
		run sleeping(2, 5, 1, 0);
		run reader(0); run reader(1); run reader(2);
		run worker();
		run witness()
	}
}
