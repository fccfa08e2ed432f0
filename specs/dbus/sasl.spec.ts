// SPDX-License-Identifier: MIT
// Authentication, line by line: what dbus-daemon answers, and this project's server with it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { UnixStream } from '../../native/lib/index.ts';
import { SaslServer } from '../../runner/dbus/index.ts';
import { type RunningBus, startDaemon } from './daemons.ts';
import { receive } from './raw-client.ts';

const uid = process.getuid?.() ?? 0;
const hex = (text: string): string => Buffer.from(text).toString('hex');
const ME = hex(String(uid));
const OTHER = hex(String(uid + 1));
const OK = 'OK GUID\r\n';
const REJECTED = 'REJECTED EXTERNAL\r\n';
const error = (text: string): string => `ERROR "${text}"\r\n`;
const CLOSED = '<closed>';

/** What a client says, and what it hears. */
const DIALOGUES: readonly (readonly [title: string, says: string, hears: string])[] = [
  ['libdbus', `\0AUTH EXTERNAL ${ME}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n`, `${OK}AGREE_UNIX_FD\r\n`],
  ['sd-bus', '\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n', `DATA\r\n${OK}AGREE_UNIX_FD\r\n`],
  [
    'GDBus',
    '\0AUTH\r\nAUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n',
    `${REJECTED}DATA\r\n${OK}AGREE_UNIX_FD\r\n`,
  ],
  ['JavaScript', `\0AUTH EXTERNAL ${ME}\r\nBEGIN\r\n`, OK],
  ['an identity that comes later', `\0AUTH EXTERNAL\r\nDATA ${ME}\r\n`, `DATA\r\n${OK}`],
  ['a blank after the mechanism', '\0AUTH EXTERNAL \r\nDATA\r\n', `DATA\r\n${OK}`],
  ['blanks and tabs', `\0AUTH \tEXTERNAL\t ${ME}\r\n`, OK],
  ['another user', `\0AUTH EXTERNAL ${OTHER}\r\n`, REJECTED],
  ['another user, then this one', `\0AUTH EXTERNAL ${OTHER}\r\nAUTH EXTERNAL ${ME}\r\n`, `${REJECTED}${OK}`],
  [
    'another user, later',
    `\0AUTH EXTERNAL\r\nDATA ${OTHER}\r\nDATA\r\n`,
    `DATA\r\n${REJECTED}${error('Not currently in an auth conversation')}`,
  ],
  ['a user by name', `\0AUTH EXTERNAL ${hex('nobody')}\r\n`, REJECTED],
  ['no hex', '\0AUTH EXTERNAL xyz\r\n', error('Invalid hex encoding')],
  ['more than hex', `\0AUTH EXTERNAL ${ME} x\r\n`, error('Invalid hex encoding')],
  ['a blank after the identity', `\0AUTH EXTERNAL ${ME} \r\n`, error('Invalid hex encoding')],
  ['no mechanism', '\0AUTH\r\n', REJECTED],
  [
    'mechanisms that are not offered',
    '\0AUTH ANONYMOUS\r\nAUTH DBUS_COOKIE_SHA1 30\r\nAUTH FOO\r\n',
    REJECTED.repeat(3),
  ],
  ['a mechanism in lower case', '\0AUTH external\r\n', REJECTED],
  ['a command in lower case', '\0auth\r\n', error('Unknown command')],
  ['a command that is none, and nothing', '\0FOO\r\n\r\n', error('Unknown command').repeat(2)],
  ['a blank before the command', '\0 AUTH\r\n', error('Unknown command')],
  ['a byte that is not ASCII', '\0AUTH \xff\r\n', error('Command contained non-ASCII')],
  [
    'a line feed alone, which ends no line',
    `\0AUTH EXTERNAL ${ME}\nBEGIN\n\r\n`,
    error('Invalid hex encoding'),
  ],
  [
    'AUTH within AUTH',
    '\0AUTH EXTERNAL\r\nAUTH EXTERNAL\r\n',
    `DATA\r\n${error('Sent AUTH while another AUTH in progress')}`,
  ],
  [
    'AUTH and DATA after OK',
    `\0AUTH EXTERNAL ${ME}\r\nAUTH EXTERNAL\r\nDATA\r\n`,
    `${OK}${error('Sent AUTH while expecting BEGIN')}${error('Sent DATA while expecting BEGIN')}`,
  ],
  [
    'CANCEL, ERROR and DATA at first',
    '\0CANCEL\r\nERROR\r\nDATA\r\n',
    `${error('Not currently in an auth conversation')}${REJECTED}${error('Not currently in an auth conversation')}`,
  ],
  ['CANCEL within AUTH', '\0AUTH EXTERNAL\r\nCANCEL\r\n', `DATA\r\n${REJECTED}`],
  ['CANCEL after OK', `\0AUTH EXTERNAL ${ME}\r\nCANCEL\r\n`, `${OK}${REJECTED}`],
  ['NEGOTIATE_UNIX_FD before OK', '\0NEGOTIATE_UNIX_FD\r\n', error('Need to authenticate first')],
  [
    'NEGOTIATE_UNIX_FD twice',
    `\0AUTH EXTERNAL ${ME}\r\nNEGOTIATE_UNIX_FD\r\nNEGOTIATE_UNIX_FD\r\n`,
    `${OK}${'AGREE_UNIX_FD\r\n'.repeat(2)}`,
  ],
  ['BEGIN with a word', `\0AUTH EXTERNAL ${ME}\r\nBEGIN x\r\n`, OK],
  ['BEGIN before OK', '\0BEGIN\r\n', CLOSED],
  ['no NUL', 'AUTH\r\n', CLOSED],
  ['a line of 16,382 bytes', `\0${'x'.repeat(16382)}\r\n`, error('Unknown command')],
  ['six rejections', `\0${'AUTH\r\n'.repeat(6)}`, `${REJECTED.repeat(6)}${CLOSED}`],
];

describe('authentication', () => {
  let bus: RunningBus;

  before(async () => {
    bus = await startDaemon();
  });

  after(() => bus[Symbol.asyncDispose]());

  for (const [title, says, hears] of DIALOGUES) {
    it(`of dbus-daemon: ${title}`, async () => assert.equal(await hear(bus.path, says, hears), hears));
    it(`of this project: ${title}`, () => assert.equal(answerTo(says), hears));
  }

  it('takes its lines in any pieces', () => {
    const sasl = server();
    const said = '\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\nl';
    const answers = [...said].map((byte) => sasl.feed(Buffer.from(byte)));
    assert.equal(
      answers.map(({ answer }) => answer).join(''),
      `DATA\r\nOK ${'0'.repeat(32)}\r\nAGREE_UNIX_FD\r\n`,
    );
    assert.equal(answers.at(-1)?.state, 'done');
    assert.equal(sasl.rest.toString(), 'l');
    assert.equal(sasl.fds, true);
  });

  it('closes a connection whose line does not end', () => {
    const sasl = server();
    assert.equal(sasl.feed(Buffer.from(`\0${'x'.repeat(16384)}`)).state, 'open');
    assert.deepEqual(sasl.feed(Buffer.from('x')), {
      ...{ answer: '', state: 'closed', reason: 'a line of more than 16 KiB' },
    });
  });
});

const server = (): SaslServer =>
  new SaslServer({ uid, guid: '0'.repeat(32), mechanisms: ['EXTERNAL'], fds: true });

function answerTo(says: string): string {
  const { answer, state } = server().feed(Buffer.from(says, 'latin1'));
  return `${normal(answer)}${state === 'closed' ? CLOSED : ''}`;
}

/** As much as is expected, and the end if that is. */
async function hear(path: string, says: string, hears: string): Promise<string> {
  using stream = UnixStream.connect(path);
  await stream.write(Buffer.from(says, 'latin1'));
  let heard = '';
  while (heard.length < hears.length) {
    const { data } = await receive(stream);
    if (data.length === 0) return `${heard}${CLOSED}`;
    heard = normal(heard + data.toString('latin1'));
  }
  return heard;
}

const normal = (text: string): string => text.replace(/OK [0-9a-f]{32}/g, 'OK GUID');
