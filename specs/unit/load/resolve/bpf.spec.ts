// SPDX-License-Identifier: MIT
// Programs of classic BPF: what the assembler makes of them, and what they say of a message.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { packFilter } from '../../../../native/lib/filter.ts';
import { mix } from '../../../../runner/common/envelope.ts';
import { type Filter, runFilter } from '../../../../runner/common/filter.ts';
import { assemble } from '../../../../runner/load/resolve/bpf.ts';

function program(source: string): Filter {
  const assembled = assemble(source);
  assert.ok('program' in assembled, JSON.stringify(assembled));
  return assembled.program;
}
const codes = (source: string) => program(source).map(({ code, jt, jf, k }) => [code, jt, jf, k]);
const mistakes = (source: string) => {
  const assembled = assemble(source);
  return 'mistakes' in assembled
    ? assembled.mistakes.map(({ line, column, length, message }) => [
        line.slice(column, column + length),
        message,
      ])
    : [];
};
const BYTES = Uint8Array.from({ length: 40 }, (_, n) => n * 7);
const kept = (source: string, bytes = BYTES) => runFilter(program(source), bytes);
const answer = (source: string, bytes = BYTES) => kept(`${source}\nret a`, bytes);

describe('the assembler', () => {
  it('finds all mistakes of a program at once', () => {
    assert.deepEqual(mistakes('ldz [2]\njeq #1, nowhere\nret 0\nagain: tax\njmp again'), [
      ['ldz', 'unknown instruction "ldz"'],
      ['nowhere', 'unknown label "nowhere"'],
      ['0', 'expected #k or a after ret'],
      ['again', '"again" is not further on'],
      ['jmp again', 'the filter runs beyond its end'],
    ]);
    assert.deepEqual(mistakes('ld M[3]\nld M[4]\nld M[3]\nret a'), [
      ['ld M[3]', 'M[3] may not have been written here'],
      ['ld M[4]', 'M[4] may not have been written here'],
    ]);
  });

  it('makes what the kernel’s own tool makes', () => {
    // The examples of Documentation/networking/filter.rst, as bpf_asm -c prints them.
    assert.deepEqual(codes('ldh [12]\njne #0x806, drop\nret #-1\ndrop: ret #0'), [
      [0x28, 0, 0, 0x0c],
      [0x15, 0, 1, 0x806],
      [0x06, 0, 0, 0xffffffff],
      [0x06, 0, 0, 0],
    ]);
    assert.deepEqual(
      codes(`
        ldh [12]
        jne #0x800, drop   ; IPv4
        ldb [23]
        jneq #6, drop
        ldh [20]
        jset #0x1fff, drop
        ldxb 4*([14]&0xf)
        ldh [x + 14]
        jeq #0x16, good
        ldh [x + 16]
        jne #0x16, drop
      good: ret #-1
      drop: ret #0`),
      [
        [0x28, 0, 0, 12],
        [0x15, 0, 10, 0x800],
        [0x30, 0, 0, 23],
        [0x15, 0, 8, 6],
        [0x28, 0, 0, 20],
        [0x45, 6, 0, 0x1fff],
        [0xb1, 0, 0, 14],
        [0x48, 0, 0, 14],
        [0x15, 2, 0, 0x16],
        [0x48, 0, 0, 16],
        [0x15, 0, 1, 0x16],
        [0x06, 0, 0, 0xffffffff],
        [0x06, 0, 0, 0],
      ],
    );
  });

  it('says what the kernel would refuse, and where', () => {
    const cases: [string, string, string][] = [
      ['rte #0', 'rte', 'unknown instruction "rte"'],
      ['ret 0', '0', 'expected #k or a after ret'],
      ['ldb [32', '[32', 'expected [k], [x + k] after ldb'],
      ['ld #5', 'ld #5', 'the filter runs beyond its end'],
      ['jeq #1, far\nret #0', 'far', 'unknown label "far"'],
      ['up: ld #1\njmp up\nret #0', 'up', '"up" is not further on'],
      ['jmp end\nret #0\nend:', 'end', 'there is no instruction after "end"'],
      ['a: ret #0\na: ret #1', 'a', 'the label "a" is there twice'],
      ['ld M[3]\nret a', 'ld M[3]', 'M[3] may not have been written here'],
      ['ld M[16]\nret a', 'M[16]', 'expected M[0] … M[15]'],
      ['div #0\nret a', '#0', 'a division by zero'],
      ['lsh #32\nret a', '#32', 'a shift by more than 31 bits'],
      ['ret #0x1ffffffff', '0x1ffffffff', 'expected a number of 32 bits'],
      ['jeq #1\nret #0', '#1', 'expected an operand and one or two labels after jeq'],
      ['tax x\nret #0', 'x', 'this does not belong here'],
      ['; nothing', '; nothing', 'the filter has no instruction'],
      [
        `jeq #1, far\n${'tax\n'.repeat(256)}far: ret #0`,
        'far',
        '"far" is 256 instructions away; at most 255',
      ],
    ];
    for (const [source, piece, message] of cases)
      assert.deepEqual(mistakes(source), [[piece, message]], source);
  });

  it('says all of them at once', () => {
    assert.deepEqual(
      mistakes('rte #0\nldq [1]\nret #0').map(([piece]) => piece),
      ['rte', 'ldq'],
    );
  });

  it('follows every path to a cell of M[]', () => {
    assert.deepEqual(mistakes('jeq #1, yes\nst M[1]\nyes: ld M[1]\nret a').length, 1);
    program('jeq #1, yes\nst M[1]\njmp on\nyes: stx M[1]\non: ld M[1]\nret a');
  });
});

const TOKENS = [
  ...[
    'ld',
    'ldh',
    'ldb',
    'ldx',
    'ldxb',
    'st',
    'stx',
    'tax',
    'txa',
    'ret',
    'jmp',
    'jeq',
    'jset',
    'jlt',
    'div',
    'lsh',
    'neg',
  ],
  ...[
    '#0',
    '#1',
    '#-1',
    '#99999999999',
    'x',
    'a',
    '[0]',
    '[x + 3]',
    '[',
    'M[2]',
    'M[99]',
    '4*([1]&0xf)',
    '#len',
  ],
  ...['l:', 'l', ', l', ',', ';', ' ', ' ', '\n', '\n', '\n', 'é', ':', 'M[', 'end: ret #0', 'ret a'],
];

describe('any text', () => {
  it('is a program that ends, or mistakes with their places', () => {
    for (let run = 0; run < 4000; run++) {
      const source = Array.from(
        { length: 1 + (mix(1, run) % 24) },
        (_, n) => TOKENS[mix(run, n) % TOKENS.length],
      ).join(' ');
      const assembled = assemble(source);
      if ('program' in assembled) {
        assert.ok(runFilter(assembled.program, BYTES) <= BYTES.length, source);
        packFilter(assembled.program);
        continue;
      }
      assert.ok(assembled.mistakes.length > 0);
      for (const { line, column, length, message } of assembled.mistakes) {
        assert.ok(source.split('\n').includes(line), source);
        assert.ok(column >= 0 && length > 0 && message !== '', source);
      }
    }
  });
});

describe('a filter', () => {
  it('keeps at most the message', () => {
    assert.deepEqual([kept('ret #0'), kept('ret #16'), kept('ret #-1')], [0, 16, 40]);
  });

  it('reads bytes in network order, and stops beyond the end', () => {
    assert.equal(answer('ldb [3]'), 21);
    assert.equal(answer('ldh [0]'), 7);
    assert.equal(answer('ldx #2\nldb [x + 1]'), 21);
    assert.equal(kept('ld [37]\nret #5'), 0);
    assert.equal(kept('ld [36]\nret #5'), 5);
    assert.equal(kept('ldx #-1\nldb [x + 1]\nret #5'), 5);
    assert.equal(answer('ld #len'), 40);
    for (const bare of ['ld len', 'ldx len\ntxa', 'ldi 40', 'ldi #40', 'ldxi 0x28\ntxa'])
      assert.equal(answer(bare), 40, bare);
    assert.equal(answer('ldx 4*([5]&0xf)\ntxa'), 12);
  });

  it('computes in 32 bits', () => {
    const cases: [string, number][] = [
      ['ld #5\nsub #6\nrsh #28', 15],
      ['ld #-1\nadd #21', 20],
      ['ld #0x10001\nmul #0x10001\nand #0xff', 1],
      ['ld #17\ndiv #5', 3],
      ['ld #17\nmod #5', 2],
      ['ld #12\nor #3\nxor #1', 14],
      ['ld #1\nneg\nadd #8', 7],
      ['ld #1\nlsh #4', 16],
      ['ld #30\nst M[2]\nld #0\nldx M[2]\ntxa', 30],
      ['ld #9\ntax\nld #4\nadd x', 13],
    ];
    for (const [source, value] of cases) assert.equal(answer(source), value, source);
    assert.equal(kept('ldx #0\nld #5\ndiv x\nret #9'), 0);
  });

  it('jumps as it compares', () => {
    const jumps = (test: string) => kept(`ld #5\n${test}, yes\nret #1\nyes: ret #2`) === 2;
    const yes = ['jeq #5', 'jgt #4', 'jge #5', 'jset #4', 'jne #4', 'jlt #6', 'jle #5', 'jneq #6'];
    const no = ['jeq #4', 'jgt #5', 'jge #6', 'jset #2', 'jne #5', 'jlt #5', 'jle #4', 'jgt #-1'];
    for (const test of yes) assert.ok(jumps(test), test);
    for (const test of no) assert.ok(!jumps(test), test);
    assert.equal(kept('ld #5\njeq #4, yes, no\nyes: ret #1\nno: ret #2'), 2);
    assert.equal(kept('jmp on\nret #1\non: ret #2'), 2);
  });
});
