/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM bus

#if !defined(_AF_BUS_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _AF_BUS_TRACE_H

#include <linux/tracepoint.h>
#include "bus.h"
#include "name.h"

/*
 * Each event names the bus, a place in its sequence, who acts (the prefix-0
 * address, 0 for the master), whom it is about, and a length. What an event
 * has no use for is 0.
 */

DECLARE_EVENT_CLASS(afbus_event,
	TP_PROTO(const struct afbus_bus *bus, u64 seq, u64 sender,
		 u64 recipient, size_t len),
	TP_ARGS(bus, seq, sender, recipient, len),
	TP_STRUCT__entry(
		__array(char, bus, BUS_PATH_MAX + 1)
		__field(u64, seq)
		__field(u64, sender)
		__field(u64, recipient)
		__field(size_t, len)
	),
	TP_fast_assign(
		afbus_name_print(&bus->name, __entry->bus);
		__entry->seq = seq;
		__entry->sender = sender;
		__entry->recipient = recipient;
		__entry->len = len;
	),
	TP_printk("bus=%s seq=%llu sender=%04llx/%012llx recipient=%04llx/%012llx len=%zu",
		  __entry->bus, __entry->seq,
		  __entry->sender >> BUS_CLIENT_BITS,
		  __entry->sender & BUS_CLIENT_MASK,
		  __entry->recipient >> BUS_CLIENT_BITS,
		  __entry->recipient & BUS_CLIENT_MASK,
		  __entry->len)
);

#define AFBUS_EVENT(name)						\
DEFINE_EVENT(afbus_event, name,						\
	TP_PROTO(const struct afbus_bus *bus, u64 seq, u64 sender,	\
		 u64 recipient, size_t len),				\
	TP_ARGS(bus, seq, sender, recipient, len))

/* A client got its prefix-0 address. */
AFBUS_EVENT(connect);
/* A client was let onto the bus. */
AFBUS_EVENT(join);
/* A client was given an address, or lost it (len 0). */
AFBUS_EVENT(addr);
/* A message got its place; the recipient is its destination. */
AFBUS_EVENT(send);
/* One copy was queued. */
AFBUS_EVENT(deliver);
/* A sender has to wait for a recipient. */
AFBUS_EVENT(block);
/* One copy was dropped by a filter, or did not fit at an eavesdropper. */
AFBUS_EVENT(drop);
/* A client is off the bus. */
AFBUS_EVENT(leave);

#endif /* _AF_BUS_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
