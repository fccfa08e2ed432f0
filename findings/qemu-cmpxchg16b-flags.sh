#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# QEMU 7.2 emulates cmpxchg16b with the wrong flags: an operand of an earlier compare lands in them, the direction flag included.
#
# Guess: cmpxchg16b changes the zero flag and no other, as the processor manuals say, in an emulator as well.
#
# What happens: after "cmp" and then "cmpxchg16b", the flags are the second operand of the cmp, as a number, with the zero flag
# set or cleared as it should be. An operand with bit 10 set leaves the direction flag set, after which string instructions run
# backwards. QEMU works out flags late, from the last operation and its operands; here it takes the operands of the cmp for
# those of an older operation, popf, whose operand is the flags themselves. The processor, asked by the same program, does it
# right.
#
# For a tester of a bus: kernels use cmpxchg16b, and CI without KVM runs them in an emulator. What follows looks like a fault of
# the code under test. Take the feature from the emulated processor (-cpu ...,-cx16), and repeat a strange failure of an
# emulated kernel on a real processor before you look for it in your code.
#
# Our project: all its emulated guests run without cx16.
. "$(dirname "$0")/lib/finding.sh"

grep -qw cx16 /proc/cpuinfo || cannot 'this processor has no cmpxchg16b to compare with'
debian qemu-user=1:7.2+dfsg-7+deb12u18+b3 libcapstone4=4.0.2-5 libnuma1=2.0.16-1 liburing2=2.3-3 libglib2.0-0=2.74.6-2+deb12u9 \
	binutils-x86-64-linux-gnu=2.40-2 binutils-common=2.40-2 libbinutils=2.40-2 libctf0=2.40-2 libctf-nobfd0=2.40-2 \
	libgprofng0=2.40-2 libjansson4=2.14-2
guess 'the same flags from the processor and from QEMU'
cat >"$tmp/flags.s" <<'ASSEMBLY'
	.lcomm	memory, 32
	.globl	_start

	# Push the flags after cmp, and after cmp and cmpxchg16b; the 16 bytes in memory are \value, those that it expects are 1.
	.macro	probe	value
	movq	$\value, (%rdi)
	movq	$0, 8(%rdi)
	mov	$1, %eax
	xor	%edx, %edx
	mov	$1, %ebx
	xor	%ecx, %ecx
	mov	$0x400, %esi		# the operand: bit 10 is that of the direction flag
	xor	%r8d, %r8d
	cmp	%rsi, %r8
	pushf
	push	$0x202
	popf
	cmp	%rsi, %r8
	cmpxchg16b (%rdi)
	pushf
	cld
	.endm

_start:	lea	memory+15(%rip), %rdi
	and	$-16, %rdi
	probe	2
	probe	1
	mov	$1, %eax		# write(1, the four words of flags)
	mov	$1, %edi
	mov	%rsp, %rsi
	mov	$32, %edx
	syscall
	mov	$60, %eax		# exit(0)
	xor	%edi, %edi
	syscall
ASSEMBLY
LD_LIBRARY_PATH=$LIBRARIES "$ROOT/usr/bin/x86_64-linux-gnu-as" -o "$tmp/flags.o" "$tmp/flags.s"
LD_LIBRARY_PATH=$LIBRARIES "$ROOT/usr/bin/x86_64-linux-gnu-ld.bfd" -o "$tmp/flags" "$tmp/flags.o"
observe python3 - <<'PYTHON'
import os
import struct
import subprocess
from bus import ENVIRONMENT, ROOT

NAMES = {0: 'carry', 2: 'parity', 4: 'adjust', 6: 'zero', 7: 'sign', 10: 'direction', 11: 'overflow'}


def names(flags):
    return ' '.join(name for bit, name in NAMES.items() if flags >> bit & 1) or 'none'


program = os.path.dirname(ROOT) + '/flags'
for label, command in (('the processor', [program]), ('QEMU', [ROOT + '/usr/bin/qemu-x86_64', program])):
    words = struct.unpack('4Q', subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True).stdout)
    print(f'{label}: after cmp:', names(words[1]))
    print(f'{label}: after cmp and cmpxchg16b, values equal:', names(words[0]))
    print(f'{label}: after cmp and cmpxchg16b, values differ:', names(words[2]))
PYTHON
as_described <<'TEXT'
the processor: after cmp: carry parity sign
the processor: after cmp and cmpxchg16b, values equal: carry parity zero sign
the processor: after cmp and cmpxchg16b, values differ: carry parity sign
QEMU: after cmp: carry parity sign
QEMU: after cmp and cmpxchg16b, values equal: zero direction
QEMU: after cmp and cmpxchg16b, values differ: direction
TEXT
