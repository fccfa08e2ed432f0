# SPDX-License-Identifier: MIT
#
# Takes out of a kernel's log the titles and stacks of the races that are not ours among those that KCSAN reports, for the
# kernel races with itself, also without us. A race is ours if one of our modules makes either access, or has called who makes it
# on both sides: then it is what we guard that nobody guards. Where a module is in one stack only (it woke up a program
# that polls, an interrupt came while it ran), core code raced with core code.
#
# Everything else passes as it is, also what another processor printed in between, and a report that has no end.

# afbus_release() makes no access of its own that anybody could race with, but contains those of sock_orphan(), which
# clears sk_wq and sets SOCK_DEAD without marks; the code that wakes a socket up reads them without a lock, in every family.
function is_ours() {
	return (title ~ OURS || sides > 1) && title !~ /afbus_release \[af_bus\]/
}

BEGIN {
	OURS = "\\[(af_bus|nfdbus|bus_hook)\\]"
}

/BUG: KCSAN/ && !inside {
	inside = 1
	title = $0
	rest = ""
	around = ""
	sides = 0
	open = 0
	next
}

inside {
	rest = rest "\n" $0
	if (!/^(\[ *[0-9.]+\])? +[^ ]+\+0x[0-9a-f]+\/0x[0-9a-f]+( \[[a-z0-9_]+\])?\r?$/)
		around = around "\n" $0
	if (/ to 0x[0-9a-f]+ of [0-9]+ bytes by /)
		open = 1
	# What follows was interrupted, and has no part in it.
	if (/ asm_sysvec_| asm_common_interrupt/)
		open = 0
	if (open && $0 ~ OURS) {
		sides++
		open = 0
	}
	if (!/==========/)
		next
	inside = 0
	if (is_ours())
		print title rest
	else
		print substr(around, 2)
	next
}

{
	print
}

END {
	if (inside)
		print title rest
}
