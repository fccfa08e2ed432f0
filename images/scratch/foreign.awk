# SPDX-License-Identifier: MIT
#
# Removes from a kernel's log the titles and stacks of KCSAN reports about races that are not ours: the kernel races with
# itself even without our modules. A race is ours if one of our modules makes one of the two accesses, or if our modules called
# both of them, because then our locking should have kept them apart. If a module is in one of the two stacks only (it woke a
# program that polls, or an interrupt came while it ran), core code raced with core code.
#
# All else passes unchanged, including lines that another processor printed in between, and a report without an end.

# The accesses in afbus_release() are those of sock_orphan(), which clears sk_wq and sets SOCK_DEAD without markings. The
# code that wakes a socket reads them without a lock, in every family.
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
	# The rest of the stack was interrupted and has no part in the race.
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
