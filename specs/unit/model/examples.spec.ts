// SPDX-License-Identifier: MIT
// The contract by example, section by section.
import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import * as model from '../../../runner/model/index.ts';
import { Scene } from './scene.ts';

const A = '0002/000000000001';
const GROUP = '0002/ffffffffffff';
const NOBODYS = '0009/000000000009';

describe('model, section 1: vocabulary', () => {
  it('counts prefix-0 addresses up from 1 and never gives one again', () => {
    const scene = new Scene().add('a', 'b');
    assert.deepEqual([scene.address('a'), scene.address('b')], ['0000/000000000001', '0000/000000000002']);
    model.close(scene.client('b'));
    scene.add('c');
    assert.equal(scene.address('c'), '0000/000000000003');
  });

  it('tells multicast addresses, and those that only the kernel gives', () => {
    assert.ok(model.isMulticast(GROUP) && model.isMulticast(model.EVERYONE));
    assert.deepEqual([A, GROUP, model.EVERYONE, '0000/000000000007'].map(model.isAssignable), [
      true,
      false,
      false,
      false,
    ]);
    assert.equal(model.groupAddress(0x1f), '001f/ffffffffffff');
  });
});

describe('model, section 2: interface', () => {
  it('refuses connections when nobody listens, and makes them wait when the backlog is full', () => {
    const bus = model.listen({ maxBacklog: 1 });
    assert.ok('client' in model.connect(bus) && 'client' in model.connect(bus));
    assert.deepEqual(model.connect(bus), { error: 'EAGAIN' });
    assert.ok(model.accept(bus));
    assert.ok('client' in model.connect(bus));
    model.closeListener(bus);
    assert.deepEqual(model.connect(bus), { error: 'ECONNREFUSED' });
  });

  it('says of policy calls what the table says', () => {
    const scene = new Scene().add('a?', 'b');
    const [a, b] = [scene.accepted('a'), scene.accepted('b')];
    assert.equal(model.setEavesdrop(a, true), 'EINVAL');
    assert.equal(model.join(a), undefined);
    assert.equal(model.join(a), 'EINVAL');
    assert.equal(model.join(scene.client('a')), 'EINVAL');
    assert.equal(model.addAddress(a, A), undefined);
    assert.equal(model.addAddress(a, A), 'EADDRINUSE');
    assert.equal(model.addAddress(b, A), 'EADDRINUSE');
    assert.equal(model.addAddress(b, GROUP), 'EINVAL');
    assert.equal(model.addAddress(b, '0000/000000000077'), 'EINVAL');
    assert.equal(model.delAddress(b, A), 'EADDRNOTAVAIL');
    assert.equal(model.delAddress(a, A), undefined);
    assert.equal(model.delAddress(a, A), 'EADDRNOTAVAIL');
    assert.equal(model.setEavesdrop(a, true), undefined);
    assert.equal(model.setEavesdrop(a, true), undefined);
    model.expel(a);
    for (const call of [model.join, (x: model.Endpoint) => model.addAddress(x, A)])
      assert.equal(call(a), 'ENOTCONN');
    assert.equal(model.setEavesdrop(a, true), 'ENOTCONN');
    assert.equal(model.delAddress(a, A), 'EADDRNOTAVAIL');
  });

  it('fails a send to a full queue on a bus that fails, and nobody gets the message', () => {
    const scene = new Scene({ queueLength: 1, overflow: 'fail' }).add('a', 'b', 'c');
    scene.fill('b');
    assert.equal(scene.tell('a', model.EVERYONE), 'ENOBUFS');
    assert.equal(scene.client('c').queue.length, 0);
    assert.equal(scene.tell('a', 'c'), 'c');
  });

  it('evicts a full client on a bus that evicts: the others get the message, both ends know', () => {
    const scene = new Scene({ queueLength: 1, overflow: 'evict' }).add('a', 'b', 'c');
    scene.fill('b');
    const outcome = scene.send('a', model.EVERYONE);
    assert.ok('sent' in outcome);
    assert.equal(scene.names(outcome.copies), 'a c');
    assert.equal(scene.names(outcome.evicted), 'b');
    const b = scene.client('b');
    assert.ok(model.hungUp(b) && model.hungUp(scene.accepted('b')));
    assert.equal(model.takeError(b), 'ENOBUFS');
    assert.equal(model.takeError(b), undefined);
    assert.equal(model.takeError(scene.accepted('b')), 'ENOBUFS');
    assert.equal(b.queue.length, 2);
    model.receive(b);
    model.receive(b);
    assert.ok(model.atEnd(b));
    assert.equal(scene.tell('b', 'a'), 'EPIPE');
  });

  it('takes a change of overflow at once', () => {
    const scene = new Scene({ queueLength: 1 }).add('a', 'b');
    scene.fill('b');
    assert.equal(scene.tell('a', 'b'), 'wait b');
    model.setOverflow(scene.bus, 'fail');
    assert.equal(scene.tell('a', 'b'), 'ENOBUFS');
  });
});

describe('model, section 3: sending', () => {
  it('3.1 sends to the other half of the pair without a destination, or to address 0', () => {
    const scene = new Scene().add('a');
    assert.equal(scene.tell('a'), '@a');
    assert.equal(scene.tell('a', model.MASTER), '@a');
    assert.equal(scene.tell('@a'), 'a');
    assert.equal(scene.tell('@a', model.MASTER), 'a');
  });

  it('3.2 keeps a client that has not joined to its master, and a path to the bus', () => {
    const scene = new Scene({ path: '/run/bus/cabin' }).add('a?', 'b');
    assert.equal(scene.tell('a', 'b'), 'EHOSTUNREACH');
    assert.equal(scene.tell('a', model.EVERYONE), 'EHOSTUNREACH');
    assert.equal(scene.tell('a', NOBODYS), 'EHOSTUNREACH');
    assert.equal(scene.tell('a'), '@a');
    assert.equal(scene.tell('@a'), 'a');
    assert.equal(scene.tell('b', 'b', { path: '/run/bus/cabin' }), 'b');
    assert.equal(scene.tell('b', 'b', { path: '/elsewhere' }), 'EHOSTUNREACH');
  });

  it('3.3 finds the holder, else takes the default route; an accepted socket is its own', () => {
    const scene = new Scene().add('a', 'b', 'c?');
    model.addAddress(scene.accepted('b'), A);
    assert.equal(scene.tell('a', A), 'b');
    assert.equal(scene.tell('a', NOBODYS), '@a');
    assert.equal(scene.tell('a', 'c'), '@a');
    assert.equal(scene.tell('@b', NOBODYS), '@b');
    assert.equal(scene.tell('@b', 'a'), 'a');
  });

  it('3.4 multicasts to the members that have joined, once each, the sender included', () => {
    const scene = new Scene().add('a', 'b', 'c?');
    model.addAddress(scene.accepted('a'), A);
    model.addAddress(scene.accepted('a'), '0002/000000000002');
    model.addAddress(scene.accepted('c'), '0002/000000000003');
    assert.equal(scene.tell('a', GROUP), 'a');
    assert.equal(scene.tell('b', GROUP), 'a');
    assert.equal(scene.tell('b', '0007/ffffffffffff'), 'nobody');
    assert.equal(scene.tell('b', model.EVERYONE), 'a b');
    assert.equal(scene.tell('@c', GROUP), 'a');
    model.join(scene.accepted('c'));
    assert.equal(scene.tell('b', GROUP), 'a c');
    model.delAddress(scene.accepted('a'), A);
    assert.equal(scene.tell('b', GROUP), 'a c');
    model.delAddress(scene.accepted('a'), '0002/000000000002');
    assert.equal(scene.tell('b', GROUP), 'c');
  });

  it('3.5 copies everything on the bus to eavesdroppers, once, and counts what they miss', () => {
    const scene = new Scene({ queueLength: 1 }).add('a', 'b', 'w', 'x?');
    model.setEavesdrop(scene.accepted('w'), true);
    assert.equal(scene.tell('a', 'b'), 'b w');
    assert.equal(scene.tell('x'), '@x');
    assert.equal(scene.tell('@x'), 'x');
    assert.equal(scene.tell('@x', NOBODYS), '@x w');
    scene.drain();
    assert.equal(scene.tell('@x', 'b'), 'b w');
    scene.drain();
    scene.fill('w');
    const missed = scene.send('a', 'b');
    assert.ok('sent' in missed);
    assert.deepEqual([scene.names(missed.copies), scene.names(missed.lost)], ['b', 'w']);
    assert.equal(scene.tell('a', model.EVERYONE), 'wait w');
    while (model.receive(scene.client('w')));
    scene.send('a', 'b');
    assert.equal(model.receive(scene.client('w'))?.lost, 1);
    scene.drain();
    scene.send('w', 'b');
    assert.equal(model.receive(scene.client('w'))?.sent.from, scene.address('w'));
  });

  it('3.6 refuses what is longer than the send buffer - 32; no bytes are a message', () => {
    const scene = new Scene({ sendBuffer: 1000 }).add('a', 'b');
    assert.equal(scene.tell('a', 'b', { length: 968 }), 'b');
    scene.drain();
    assert.equal(scene.tell('a', 'b', { length: 969 }), 'EMSGSIZE');
    assert.equal(scene.tell('a', 'b', { length: 0 }), 'b');
    assert.equal(model.receive(scene.client('b'))?.length, 0);
  });

  it('3.7 lets filters cut or drop a copy, before anybody waits for its room', () => {
    const scene = new Scene({ queueLength: 1 }).add('a', 'b', 'c');
    scene.client('b').filter = ({ length }) => Math.min(length, 4);
    scene.client('c').filter = () => 0;
    assert.equal(scene.tell('a', model.EVERYONE), 'a b');
    assert.equal(model.receive(scene.client('b'))?.length, 4);
    assert.equal(scene.tell('a', 'c'), 'nobody');
    scene.fill('b');
    scene.client('b').filter = () => 0;
    assert.equal(scene.tell('a', 'b'), 'nobody');
  });

  it('6 fails a unicast that the hook drops, and leaves a recipient out of a multicast', () => {
    const scene = new Scene({
      verdict: ({ recipient }) => (recipient.address.endsWith('2') ? 'EPERM' : undefined),
    }).add('a', 'b', 'c');
    assert.equal(scene.tell('a', 'b'), 'EPERM');
    assert.equal(scene.tell('a', model.EVERYONE), 'a c');
    model.setEavesdrop(scene.accepted('b'), true);
    assert.equal(scene.tell('a', 'c'), 'c');
  });

  it('always shows the sender’s prefix-0 address', () => {
    const scene = new Scene().add('a', 'b');
    model.addAddress(scene.accepted('a'), A);
    scene.send('a', 'b');
    scene.send('@b', 'b');
    const seen = [model.receive(scene.client('b')), model.receive(scene.client('b'))];
    assert.deepEqual(
      seen.map((copy) => copy?.sent.from),
      [scene.address('a'), model.MASTER],
    );
  });
});

describe('model, section 4: guarantees', () => {
  it('waits for recipients whose queue is full, and for no others', () => {
    const scene = new Scene({ queueLength: 2 }).add('a', 'b', 'c');
    for (const _ of [1, 2, 3]) assert.equal(scene.tell('a', 'b'), 'b');
    assert.equal(scene.tell('a', 'b'), 'wait b');
    assert.equal(scene.tell('a', model.EVERYONE), 'wait b');
    assert.equal(scene.tell('a', 'c'), 'c');
    model.receive(scene.client('b'));
    assert.equal(scene.tell('a', model.EVERYONE), 'a b c');
  });

  it('refuses sends of a client with a full queue, but not of a master', () => {
    const scene = new Scene({ queueLength: 1 }).add('a', 'b');
    scene.fill('b');
    assert.deepEqual(scene.send('b', 'a'), { wait: [scene.client('b')], for: 'own-queue' });
    for (const _ of [1, 2]) assert.equal(scene.tell('a'), '@a');
    assert.equal(scene.tell('a'), 'wait @a');
    assert.equal(scene.tell('@a'), 'a');
    assert.ok(!model.writable(scene.client('b')) && model.writable(scene.accepted('a')));
  });

  it('drops recipients that die out of the set', () => {
    const scene = new Scene({ queueLength: 1 }).add('a', 'b', 'c');
    scene.fill('b');
    assert.equal(scene.tell('a', model.EVERYONE), 'wait b');
    model.close(scene.client('b'));
    assert.equal(scene.tell('a', model.EVERYONE), 'a c');
  });

  it('charges the sender until the last recipient has read, but not for eavesdroppers', () => {
    const scene = new Scene({ sendBuffer: 4000 }).add('a', 'b', 'c', 'w');
    const [a, b, w] = [scene.client('a'), scene.client('b'), scene.client('w')];
    model.setEavesdrop(scene.accepted('w'), true);
    assert.equal(scene.tell('a', model.EVERYONE, { length: 1000 }), 'a b c w');
    assert.equal(a.charged, 1768);
    for (const name of ['a', 'b', 'c']) model.receive(scene.client(name));
    assert.equal(a.charged, 1768, 'w is a recipient as well');
    model.receive(w);
    assert.equal(a.charged, 0);
    assert.equal(scene.tell('a', 'b', { length: 1232 }), 'b w');
    assert.equal(scene.tell('a', 'c', { length: 1232 }), 'c');
    assert.deepEqual(scene.send('a', 'a'), { wait: [a], for: 'send-buffer' });
    assert.ok(!model.writable(a) && model.writable(b));
    model.receive(b);
    assert.equal(scene.tell('a', 'b'), 'b');
    scene.drain();
    assert.equal(a.charged, 0);
    assert.equal(w.queued, 0);
  });

  it('calls a queue full when it weighs half a send buffer, until three quarters of that are free', () => {
    const scene = new Scene({ sendBuffer: 8000 }).add('a', 'b', 'c');
    const b = scene.client('b');
    for (let n = 0; n < 4; n++) assert.equal(scene.tell('a', 'b', { length: 232 }), 'b');
    assert.equal(scene.tell('c', 'b', { length: 0 }), 'wait b');
    assert.equal(scene.tell('a', 'c'), 'c', 'others have room');
    assert.equal(scene.tell('b', 'c'), 'c', 'and it can answer');
    for (const _ of [1, 2]) model.receive(b);
    assert.equal(scene.tell('c', 'b', { length: 0 }), 'wait b');
    model.receive(b);
    assert.equal(scene.tell('c', 'b', { length: 0 }), 'b');
  });

  it('gives a heavy queue room after each read on a bus that fails', () => {
    const scene = new Scene({ sendBuffer: 8000, overflow: 'fail' }).add('a', 'b');
    for (let n = 0; n < 4; n++) assert.equal(scene.tell('a', 'b', { length: 232 }), 'b');
    assert.equal(scene.tell('a', 'b'), 'ENOBUFS');
    model.receive(scene.client('b'));
    assert.equal(scene.tell('a', 'b'), 'b');
  });

  it('takes a message of any length into an empty queue', () => {
    const scene = new Scene({ sendBuffer: 8000 }).add('a', 'b');
    assert.equal(scene.tell('a', 'b', { length: 8000 - 32 }), 'b');
    assert.equal(scene.tell('a', 'b', { length: 0 }), 'wait a');
  });

  it('charges nobody for what is queued on a bus that evicts', () => {
    const scene = new Scene({ sendBuffer: 8000, overflow: 'evict' }).add('a', 'b', 'c');
    const b = scene.client('b');
    for (let n = 0; n < 3; n++) {
      scene.send('a', model.EVERYONE, { length: 2000 });
      for (const name of ['a', 'c']) model.receive(scene.client(name));
      assert.equal(scene.client('a').charged, 0);
      assert.equal(b.out, n === 2);
    }
    assert.equal(b.queue.length, 2);
  });

  it('ends charges for the queue of a client that was expelled, has left, or receives no more', () => {
    const partings: Record<string, (scene: Scene) => void> = {
      expelled: (scene) => model.expel(scene.accepted('b')),
      left: (scene) => model.shutdown(scene.client('b'), 'both'),
      deaf: (scene) => model.shutdown(scene.client('b'), 'read'),
    };
    for (const [how, part] of Object.entries(partings)) {
      const scene = new Scene().add('a', 'b', 'c');
      scene.send('a', 'b');
      scene.send('a', model.EVERYONE);
      part(scene);
      assert.equal(scene.client('a').charged, 778, how);
      for (const name of ['a', 'b', 'b', 'c']) assert.ok(model.receive(scene.client(name)));
      assert.equal(scene.client('a').charged, 0, how);
    }
  });

  it('gives messages and changes of policy places of one sequence', () => {
    const scene = new Scene().add('a', 'b');
    const first = scene.send('a', 'b');
    model.addAddress(scene.accepted('b'), A);
    const second = scene.send('b', 'a');
    assert.ok('sent' in first && 'sent' in second && second.sent === first.sent + 2);
  });
});

describe('model, section 5: lifetime', () => {
  it('expels: the queue is drained, then it is over; sends give EPIPE', () => {
    const scene = new Scene().add('a', 'b');
    scene.send('a', 'b');
    model.expel(scene.accepted('b'));
    const b = scene.client('b');
    assert.ok(model.hungUp(b) && model.readable(b) && !model.atEnd(b));
    assert.ok(model.receive(b) && model.atEnd(b));
    assert.equal(scene.tell('b', 'a'), 'EPIPE');
    assert.equal(scene.tell('@b'), 'EPIPE');
    assert.equal(scene.tell('a', 'b'), '@a');
    assert.equal(scene.tell('a', model.EVERYONE), 'a');
  });

  it('leaves: joined clients go on without a master, the others are disconnected', () => {
    const scene = new Scene().add('a', 'b', 'c?', 'd?');
    model.addAddress(scene.accepted('b'), A);
    scene.send('d');
    model.leave(scene.bus);
    assert.equal(scene.tell('a', A), 'b');
    assert.equal(scene.tell('a', model.EVERYONE), 'a b');
    assert.equal(scene.tell('a'), 'ECONNREFUSED');
    assert.equal(scene.tell('a', NOBODYS), 'ECONNREFUSED');
    assert.ok(model.hungUp(scene.client('c')) && !model.hungUp(scene.client('a')));
    assert.equal(scene.client('c').error, undefined);
    assert.equal(model.takeError(scene.client('d')), 'ECONNRESET');
    assert.deepEqual(model.connect(scene.bus), { error: 'ECONNREFUSED' });
  });

  it('resets connections that nobody accepted when the listener closes', () => {
    const bus = model.listen();
    const made = model.connect(bus);
    assert.ok('client' in made);
    model.closeListener(bus);
    assert.equal(made.client.error, 'ECONNRESET');
    assert.ok(model.hungUp(made.client));
  });

  it('closes a client: what it sent is read, its addresses are free, its number is not', () => {
    const scene = new Scene().add('a', 'b');
    model.addAddress(scene.accepted('b'), A);
    scene.send('b');
    model.close(scene.client('b'));
    const accepted = scene.accepted('b');
    assert.ok(model.receive(accepted) && model.atEnd(accepted) && model.hungUp(accepted));
    assert.equal(scene.tell('@b'), 'EPIPE');
    assert.equal(model.addAddress(scene.accepted('a'), A), undefined);
    assert.equal(scene.tell('a', '0000/000000000002'), '@a');
  });

  it('gives back what a closed recipient had not read', () => {
    const scene = new Scene().add('a', 'b');
    scene.send('a', 'b');
    model.close(scene.client('b'));
    assert.equal(scene.client('a').charged, 0);
  });

  it('shuts halves: as AF_UNIX before the client joins, as the decisions say afterwards', () => {
    const scene = new Scene().add('a', 'b', 'c', 'd?');
    model.shutdown(scene.client('a'), 'write');
    assert.equal(scene.tell('a', 'b'), 'EPIPE');
    assert.ok(model.atEnd(scene.accepted('a')));
    assert.equal(scene.tell('b', 'a'), 'a');
    model.shutdown(scene.client('b'), 'read');
    assert.equal(scene.tell('c', 'b'), 'EPIPE');
    assert.equal(scene.tell('c', model.EVERYONE), 'a c');
    model.shutdown(scene.accepted('c'), 'write');
    assert.equal(scene.tell('c', 'c'), 'c');
    model.shutdown(scene.accepted('d'), 'read');
    assert.equal(scene.tell('d'), 'EPIPE');
    model.shutdown(scene.client('c'), 'both');
    assert.equal(scene.tell('a'), 'EPIPE');
    assert.ok(scene.client('c').out && model.hungUp(scene.accepted('c')));
  });
});
