/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The line at a full queue. README.md says which function each step is.
 *
 * What happens under one hold of the bus lock, or of the lock of one queue, is
 * one step (d_step) here; between steps anything may happen. Time is left out:
 * the patience of a line may end at any moment while its work is queued. So what
 * holds here depends neither on its length nor on the speed of any process.
 *
 * A scene defines NS, NR and SLOTS(r), includes this file and starts the
 * processes. What is checked:
 *
 *  - A queue never holds more than it may (take_room).
 *  - After each step on a line no waiter is left that could be called; and while
 *    one waits although there is room, the work that ends this is queued
 *    (check_line).
 *  - No younger message takes the room of an older one, unless the line is
 *    open since called senders did not come (take_room).
 *  - When nothing else can happen, each send that still sleeps, and each socket
 *    that got EAGAIN and no edge since, has a full recipient (witness).
 *  - If all recipients read, every message is sent (witness, ALL_READ).
 *
 * FAULT_WAKEUP and FAULT_EDGE put back two faults that the code has had.
 */

/* AFBUS_MAX_CALLED: called senders that have not come, at one recipient. */
#ifndef MAX_CALLED
#define MAX_CALLED	2
#endif
/* The same bound again: calls in one step. */
#ifndef MAX_CALLS
#define MAX_CALLS	1
#endif

#define AT(s, r)	((s) * NR + (r))
#define BIT(r)		(1 << (r))

#define IDLE		0
#define WAITING		1
#define CALLED		2

/* A recipient and its line. */
byte room[NR];			/* messages that the queue takes now */
bool gone[NR];			/* it is a recipient no more */
bool open[NR];			/* called senders did not come: nobody yields */
bool queued[NR];		/* the work is queued: patience runs */
bool again[NR];			/* it is queued to call those that are left */
bool passing[NR];		/* the work tells all who wait, from cursor on */
byte cursor[NR];

/* A waiter: a sender at a recipient. */
byte state[NS * NR];
byte ticket[NS * NR];		/* of a send that sleeps: the same everywhere */

/* A sender. */
byte rules[NS];			/* who of its recipients still wants its messages */
bool sleeper[NS];		/* its sends may sleep */
byte pending[NS];		/* waiters not called yet, and one while it looks */
bool woken[NS];
bool refused[NS];		/* a send has got EAGAIN, and none through since */
byte told[NS];			/* recipients it may try again and has not (bits) */
bool ready[NS];			/* its epoll has queued an edge */
bool listed[NS];		/* in afbus_bus.blocked */
bool rerouted[NS];		/* in afbus_bus.to_tell */
byte touched[NS];		/* lines that it has yet to serve */
byte stuck[NS];			/* whom it lacked, while it waits */

bool failing;			/* the policy: a full recipient fails the send */
byte tickets;
byte unsent;			/* messages still to be sent, by all */

/* Scratch within a step. */
hidden byte i;
hidden byte j;
hidden byte k;
hidden byte n;
hidden byte first;
hidden byte earlier;
hidden byte called;
hidden byte lacks;
hidden byte late;
hidden byte yes;

/* Who waits longest; NS if nobody does. */
inline find_first(r, beyond)
{
	first = NS;
	for (j : 0 .. NS - 1) {
		if
		:: state[AT(j, r)] == WAITING && ticket[AT(j, r)] > (beyond) &&
		   (first == NS || ticket[AT(j, r)] < ticket[AT(first, r)]) ->
			first = j
		:: else
		fi
	}
}

/* Called and not come: in all, and of those before ticket @t (0: none yet). */
inline count_called(r, t)
{
	called = 0;
	earlier = 0;
	for (j : 0 .. NS - 1) {
		if
		:: state[AT(j, r)] == CALLED ->
			called++;
			if
			:: !(t) || ticket[AT(j, r)] < (t) -> earlier++
			:: else
			fi
		:: else
		fi
	}
}

inline tell(s, r)
{
	if
	:: sleeper[s] ->
		assert(pending[s]);
		pending[s]--;
		if
		:: !pending[s] -> woken[s] = true
		:: else
		fi
	:: else ->
		told[s] = told[s] | BIT(r);
		ready[s] = true
	fi
}

inline may_call(r)
{
	find_first(r, 0);
	if
	:: first == NS || !room[r] -> yes = false
	:: else ->
		count_called(r, ticket[AT(first, r)]);
		yes = open[r] || (room[r] > earlier &&
				  (called < MAX_CALLED || !earlier))
	fi
}

/* Every change of a line ends with this. */
inline serve(r)
{
	if
	:: !room[r] -> open[r] = false
	:: else
	fi;
	n = 0;
	may_call(r);
	do
	:: yes && n < MAX_CALLS ->
		state[AT(first, r)] = (open[r] -> IDLE : CALLED);
		tell(first, r);
		n++;
		may_call(r)
	:: else -> break
	od;
	again[r] = yes;
	if
	:: first == NS -> open[r] = false
	:: first != NS && room[r] -> queued[r] = true
	:: else
	fi;
	check_line(r)
}

inline check_line(r)
{
	may_call(r);
	assert(!yes || again[r]);
	assert(first == NS || !room[r] || queued[r])
}

/* Sends that sleep, called or not. */
inline count_sleepers(r)
{
	n = 0;
	for (j : 0 .. NS - 1) {
		n = n + (sleeper[j] && state[AT(j, r)] != IDLE)
	}
}

/* Whether @s may take room at @r now; patience may be over just then. */
inline admits(s, r)
{
	if
	:: late && room[r] -> lose_calls(r)
	:: else
	fi;
	find_first(r, 0);
	if
	:: !room[r] || open[r] -> yes = room[r]
	:: room[r] && !open[r] && !ticket[AT(s, r)] ->
		count_sleepers(r);
		yes = room[r] > n
	:: else ->
		count_called(r, ticket[AT(s, r)]);
		yes = room[r] > earlier &&
		      (first == NS || ticket[AT(s, r)] <= ticket[AT(first, r)])
	fi
}

/* The rules of the line hold no more. */
inline lose_calls(r)
{
	for (j : 0 .. NS - 1) {
		if
		:: state[AT(j, r)] == CALLED -> state[AT(j, r)] = IDLE
		:: else
		fi
	}
	find_first(r, 0);
	open[r] = first != NS
}

/* Those to whom the message cannot go now: into lacks. */
inline admit(s, to)
{
	lacks = 0;
	for (i : 0 .. NR - 1) {
		if
		:: (to) & BIT(i) && !gone[i] ->
			admits(s, i);
			if
			:: !yes -> lacks = lacks | BIT(i)
			:: else
			fi
		:: else
		fi
	}
}

/* The message gets in. Whom it overtakes there has its own room still. */
inline take_room(s, r)
{
	assert(room[r]);
	room[r]--;
	for (j : 0 .. NS - 1) {
		if
		:: j != s && !open[r] && state[AT(j, r)] != IDLE &&
		   (ticket[AT(s, r)] -> ticket[AT(s, r)] > ticket[AT(j, r)] :
					sleeper[j]) ->
			/* Room is left for it and all older ones, asleep if need be. */
			called = 0;
			for (k : 0 .. NS - 1) {
				if
				:: k != s && state[AT(k, r)] != IDLE &&
				   (ticket[AT(s, r)] || sleeper[k]) &&
				   ticket[AT(k, r)] <= ticket[AT(j, r)] -> called++
				:: else
				fi
			}
			assert(room[r] >= called)
		:: else
		fi
	}
}

inline commit(s, to)
{
	for (i : 0 .. NR - 1) {
		if
		:: (to) & BIT(i) && !gone[i] -> take_room(s, i)
		:: else
		fi
	}
}

inline leave_line(s, r)
{
	state[AT(s, r)] = IDLE;
	touched[s] = touched[s] | BIT(r)
}

inline join_line(s, r)
{
	state[AT(s, r)] = WAITING;
	touched[s] = touched[s] | BIT(r);
	if
	:: !room[r] -> open[r] = false
	:: else
	fi
}

/* The lines it has changed, one at a time: no bus lock. */
inline hand_over(s)
{
	do
	:: d_step {
		touched[s] ->
		i = 0;
		do
		:: touched[s] & BIT(i) -> break
		:: else -> i++
		od;
		touched[s] = touched[s] & ~BIT(i);
		serve(i)
	   }
	:: !touched[s] -> break
	od
}

/* Leave the first bit only; it is in i, too. */
inline only_first(bits)
{
	i = 0;
	do
	:: (bits) & BIT(i) -> break
	:: else -> i++
	od;
	bits = BIT(i)
}

/* One attempt of a send that may sleep. */
inline attempt_sleeping(s, to)
{
	listed[s] = false;
	rerouted[s] = false;
	woken[s] = false;
	for (i : 0 .. NR - 1) {
		if
		:: state[AT(s, i)] == WAITING -> leave_line(s, i)
		:: else
		fi
	}
	pending[s] = 1;
	admit(s, (to) & rules[s]);
	if
	:: !lacks || failing ->
		if
		:: !lacks -> commit(s, (to) & rules[s])
		:: else
		fi;
		lacks = 0;
		end_waiting(s)
	:: else ->
		if
		:: !ticket[AT(s, 0)] ->
			tickets++;
			for (i : 0 .. NR - 1) {
				ticket[AT(s, i)] = tickets
			}
			/* The first time it waits for the first of them only. */
			only_first(lacks)
		:: else
		fi;
		for (i : 0 .. NR - 1) {
			if
			:: lacks & BIT(i) ->
				join_line(s, i);
				pending[s]++
			:: !(lacks & BIT(i)) && state[AT(s, i)] != IDLE &&
			   (gone[i] || !((to) & rules[s] & BIT(i))) ->
				leave_line(s, i)
			:: else
			fi
		}
		listed[s] = true
	fi;
	stuck[s] = lacks
}

/* A ticket that is used up: close the gap, only to have fewer states. */
inline return_ticket(t)
{
	for (j : 0 .. NS * NR - 1) {
		if
		:: ticket[j] > t -> ticket[j]--
		:: else
		fi
	}
	for (j : 0 .. NR - 1) {
		if
		:: cursor[j] >= t -> cursor[j]--
		:: else
		fi
	}
	tickets--
}

inline end_waiting(s)
{
	k = ticket[AT(s, 0)];
	for (i : 0 .. NR - 1) {
		if
		:: state[AT(s, i)] != IDLE -> leave_line(s, i)
		:: else
		fi;
		ticket[AT(s, i)] = 0
	}
	if
	:: k -> return_ticket(k)
	:: else
	fi;
	pending[s] = 0
}

/* What a signal does: everywhere out of the line; the ticket is kept. */
inline interrupt(s)
{
	listed[s] = false;
	rerouted[s] = false;
	for (i : 0 .. NR - 1) {
		if
		:: state[AT(s, i)] != IDLE -> leave_line(s, i)
		:: else
		fi
	}
	stuck[s] = 0
}

/* The line's patience may be over when a sender looks, or not yet. */
#define either_time(attempt)						\
	if								\
	:: d_step { late = false; attempt }				\
	:: d_step { late = true; attempt }				\
	fi

/* Sends @messages to @to, sleeping for room; @signals times it is interrupted. */
proctype sleeping(byte s, to, messages, signals)
{
	do
	:: messages ->
		either_time(attempt_sleeping(s, to));
		hand_over(s);
		if
		:: !stuck[s] ->
progress:		messages--;
			unsent--
		:: else ->
			d_step {
				pending[s]--;
				if
				:: !pending[s] -> woken[s] = true
				:: else
				fi
			};
endasleep:		if
			:: woken[s]
			:: signals ->
				signals--;
				d_step { interrupt(s) };
				hand_over(s);
				if
				:: true
				:: d_step {
					end_waiting(s);
					messages--;
					unsent--
				   }
				fi
			fi
		fi
	:: else -> break
	od
}

/* What epoll does with an edge: it polls, and drops it without POLLOUT. */
inline harvest(s)
{
	ready[s] = false;
	yes = !refused[s] || told[s]
}

/* One attempt of a send that may not sleep. */
inline attempt_polling(s, to)
{
	admit(s, (to) & rules[s]);
	if
	:: !lacks || failing ->
		if
		:: !lacks -> commit(s, (to) & rules[s])
		:: else
		fi;
		lacks = 0;
		for (i : 0 .. NR - 1) {
			if
			:: (to) & rules[s] & BIT(i) && !gone[i] ->
				if
				:: state[AT(s, i)] != IDLE -> leave_line(s, i)
				:: else
				fi;
				told[s] = told[s] & ~BIT(i);
				k = ticket[AT(s, i)];
				ticket[AT(s, i)] = 0;
				if
				:: k -> return_ticket(k)
				:: else
				fi
			:: else
			fi
		}
		ready[s] = ready[s] || refused[s];
		refused[s] = false
	:: else ->
		only_first(lacks);
		if
		:: !ticket[AT(s, i)] ->
			tickets++;
			ticket[AT(s, i)] = tickets
		:: else
		fi;
		told[s] = told[s] & ~BIT(i);
		join_line(s, i);
		refused[s] = true;
		listed[s] = true
	fi;
	stuck[s] = (stuck[s] & ~(to)) | lacks
}

/*
 * Sends one message to @to and one to @also (0: none), never sleeping: after
 * EAGAIN it waits for an edge of POLLOUT, as with EPOLLET, and tries what is
 * left again.
 */
proctype polling(byte s, to, also)
{
	byte todo = 1 + (also -> 2 : 0);
	byte untried;
	bool shown;

	do
	:: todo ->
		untried = todo;
		do
		:: untried & 1 ->
			untried = untried & ~1;
			either_time(attempt_polling(s, to));
			hand_over(s);
			if
			:: !(stuck[s] & to) ->
progress1:			todo = todo & ~1;
				unsent--
			:: else
			fi
		:: untried & 2 ->
			untried = untried & ~2;
			either_time(attempt_polling(s, also));
			hand_over(s);
			if
			:: !(stuck[s] & also) ->
progress2:			todo = todo & ~2;
				unsent--
			:: else
			fi
		:: !untried -> break
		od;
		if
		:: todo ->
			shown = false;
			do
			:: !shown ->
endasleep:			d_step {
					ready[s] ->
					harvest(s);
					shown = yes
				}
			:: else -> break
			od
		:: else
		fi
	:: else -> break
	od
}

/* Reads all that comes. The line is served in a step of its own. */
proctype reader(byte r)
{
endidle:
	do
	:: d_step { room[r] < SLOTS(r) -> room[r]++ };
progressr:	d_step { serve(r) }
	od
}

/* The work items of the lines and of the bus. */

#ifdef FAULT_EDGE
/* As it was: a change woke sends that slept, and told no socket. */
#define hears(s)	sleeper[s]
#else
#define hears(s)	true
#endif

#ifdef FAULT_WAKEUP
/* As it was: only the next sender that tried noticed that patience was over. */
#define may_open	false
#else
#define may_open	true
#endif

inline work_serve(r)
{
	d_step {
		again[r] ->
		serve(r)
	}
}

/* Patience is over: those who were called and did not come have lost it. */
inline work_open(r)
{
	d_step {
		queued[r] && may_open ->
		queued[r] = false;
		if
		:: room[r] -> lose_calls(r)
		:: else
		fi;
		serve(r)
	}
}

/* What a sender waits for is not what it was: all who wait look again, once. */
inline work_pass(r)
{
	d_step {
		passing[r] ->
		find_first(r, cursor[r]);
		if
		:: first == NS ->
			passing[r] = false;
			cursor[r] = 0
		:: else ->
			cursor[r] = ticket[AT(first, r)];
			if
			:: hears(first) ->
				state[AT(first, r)] = IDLE;
				tell(first, r)
			:: else
			fi
		fi;
		serve(r)
	}
}

inline work_reroute(s)
{
	d_step {
		rerouted[s] ->
		rerouted[s] = false;
		for (i : 0 .. NR - 1) {
			if
			:: hears(s) && !sleeper[s] && state[AT(s, i)] == WAITING ->
				state[AT(s, i)] = IDLE;
				tell(s, i);
				serve(i)
			:: else
			fi
		}
		if
		:: sleeper[s] -> woken[s] = true
		:: else
		fi
	}
}

proctype worker()
{
endidle:
	do
	:: work_serve(0)
	:: work_open(0)
	:: work_pass(0)
	:: work_reroute(0)
	:: work_reroute(1)
#if NR > 1
	:: work_serve(1)
	:: work_open(1)
	:: work_pass(1)
#endif
#if NR > 2
	:: work_serve(2)
	:: work_open(2)
	:: work_pass(2)
#endif
#if NS > 2
	:: work_reroute(2)
#endif
	od
}

/* Changes, all under the bus lock. */
inline drop_rule(r)
{
	d_step {
		for (i : 0 .. NS - 1) {
			rules[i] = rules[i] & ~BIT(r)
		};
		passing[r] = true;
		cursor[r] = 0
	}
}

inline leave_bus(r)
{
	d_step {
		gone[r] = true;
		passing[r] = true;
		cursor[r] = 0
	}
}

inline fail_when_full()
{
	d_step {
		failing = true;
		for (i : 0 .. NS - 1) {
			rerouted[i] = rerouted[i] || listed[i];
			listed[i] = false
		};
		skip
	}
}

/* Nothing else can happen: each sender that waits has a reason. */
proctype witness()
{
endidle:
	timeout;
	d_step {
		for (k : 0 .. NR - 1) {
			find_first(k, 0);
			assert(first == NS || !room[k])
		}
		for (k : 0 .. NS - 1) {
			/* Of what a send lacks, one; of a socket's sends, each. */
			yes = !stuck[k] || !sleeper[k];
			for (i : 0 .. NR - 1) {
				if
				:: stuck[k] & BIT(i) ->
					n = !room[i] && !gone[i] && !failing &&
					    rules[k] & BIT(i);
					assert(sleeper[k] || n);
					yes = yes || n
				:: else
				fi
			}
			assert(yes)
		}
#ifdef ALL_READ
		assert(!unsent)
#endif
	}
}

inline setup()
{
	d_step {
		for (i : 0 .. NR - 1) {
			room[i] = SLOTS(i)
		}
		for (i : 0 .. NS - 1) {
			rules[i] = 7
		}
	}
}
