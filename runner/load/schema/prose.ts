// SPDX-License-Identifier: MIT
/**
 * What each key of a topology means, in Markdown: for hovers in editors and for the reference. A key's name is its
 * path in the file, with `*` for a name of the writer's and `[]` for an item. The JSON Schema takes its words from here,
 * and is not written while one is missing.
 */
export const PROSE: Readonly<Record<string, string>> = {
  '': 'A topology: buses, their masters and clients, the traffic to play and what must be observed.',
  apiVersion: 'The version of the language. There is one so far: `afbus-topo/v1`.',
  name: 'What reports and `afbus-topo ps` call it. Called after the file when absent.',
  description: 'What the topology shows, for people. Nothing depends on it.',

  include:
    'Files whose content is taken over as if it stood here, by names relative to this file. What this file says itself wins.',
  matrix:
    'Variables with the values that they take in turn: the file is played once for each combination. `matrix: { n: [2, 8] }` is used as `${n}`.',
  defaults: 'What each node, bus, group, client or send has unless it says something else.',
  'defaults.nodes': 'Of every node.',
  'defaults.buses': 'Of every bus.',
  'defaults.groups': 'Of every group.',
  'defaults.clients': 'Of every client.',
  'defaults.sends': 'Of every send that is spelled out.',

  launcher: 'How nodes are made where `--launcher` does not say: `container`, the default, or `process`.',
  'launcher.process': 'Nodes are process trees of the host.',
  'launcher.process.pack':
    'Up to that many clients of one node and user share a process, except those that a step starts, limits or sends a signal.',

  nodes:
    'Privileged containers on the AF_BUS host, by name. Without any, one is made up for each bus master and one for all clients.',
  'nodes.*': 'A node. Masters and clients are processes in it; an empty one is written `{}`.',
  'nodes.*.env':
    'Environment variables of everything in the node. Values are taken as written: `1.10` stays `1.10`.',

  buses: 'The buses, by name. Each is a listening socket that its master holds.',
  'buses.*': 'A bus. `{}` is one with a master in a node of its own that admits everybody.',
  'buses.*.path':
    'Where clients connect: an absolute path, or `@name` for an abstract one. `/run/bus/<name of the bus>` by default.',
  'buses.*.protocol':
    'What the module is to understand of the messages. `none`, the default: bytes are bytes. `dbus`: messages of D-Bus, of which each client gets those that its match rules want.',
  'buses.*.queueLength':
    'Messages that a receive queue holds before it is full; one more still fits. 10 by default. Half of `sendBuffer` bounds it as well.',
  'buses.*.sendBuffer':
    "Bytes that a sender may have in others' queues, and so the limit of one message: `208KiB`. A queue is full when its messages weigh half of that, each its length and 768 bytes.",
  'buses.*.overflow':
    'What a full recipient means for a sender: it waits (`block`, the default), it gets ENOBUFS (`fail`), or the recipient is expelled (`evict`).',
  'buses.*.master': 'The process that listens, admits clients and gives out addresses.',
  'buses.*.master.program':
    'What the master is: `dbus-daemon` is the D-Bus message bus of this project, and makes this bus a message bus. A master that plays the file by default.',
  'buses.*.master.node': 'The node that the master runs in. May be left out where there is one node or none.',
  'buses.*.master.admit':
    'Who is let onto the bus: names of clients, with `*` as wildcard. Everybody by default. Others stay point to point with the master.',
  'buses.*.master.deny':
    'Clients that are not admitted although `admit` names them, by the credentials that the kernel vouches for.',
  'buses.*.master.deny[]': 'A rule matches a client that has all the ids it gives.',
  'buses.*.master.deny[].uid': 'The user id that is denied.',
  'buses.*.master.deny[].gid': 'The group id that is denied.',

  groups:
    'Multicast groups, by name. A group is a prefix: each client that has an address with it is a member.',
  'groups.*': 'A group.',
  'groups.*.bus': 'The bus that the group is on. May be left out where there is one.',
  'groups.*.prefix':
    'The upper 16 bits of its addresses, from `0x0001` to `0xffff`. Prefix 0 is everybody on the bus.',

  clients: 'The clients, by name. They connect in the order of the file.',
  'clients.*': 'A client: a process with one socket on one bus.',
  'clients.*.node': 'The node that it runs in. May be left out where there is one node or none.',
  'clients.*.bus': 'The bus that it connects to. May be left out where there is one.',
  'clients.*.groups':
    'Groups that it is a member of; the master gives it an address for each, counting up in the order of the file.',
  'clients.*.addresses':
    'Further addresses that the master gives it, as `pppp/cccccccccccc` in hex. They count up over `replicas`.',
  'clients.*.user': '`uid:gid` that the process has, in numbers: `"1000:1000"`. Root by default.',
  'clients.*.join':
    'Whether it is to be put on the bus at the start. `true` by default; a `join` step does it later.',
  'clients.*.eavesdrop': 'Whether it gets a copy of every message on the bus. `false` by default.',
  'clients.*.replicas':
    'How many of it there are: `tool` with 3 is `tool-0`, `tool-1` and `tool-2`; `tool` stands for all.',
  'clients.*.receive':
    '`auto` reads whatever comes at once (the default); `manual` reads when a `read` step says so, so that its queue fills.',
  'clients.*.filter':
    'What the kernel does with a copy before it is queued: takes it whole, shortens it, or drops it. No sender learns of it.',
  'clients.*.filter.bpf': 'A program of classic BPF; what it returns is how many bytes are kept.',
  'clients.*.filter.keep': 'How much of each message is kept, its envelope of 32 bytes included: `64B`.',
  'clients.*.filter.drop': 'Nothing is kept: the client gets no message at all.',
  'clients.*.match':
    'On a bus with `protocol: dbus`: the D-Bus match rules that the master gives it before it joins. Of what other clients send to many it gets what one of them wants; without rules, none.',

  'clients.*.names':
    'On a bus with `protocol: dbus`: well-known names that it owns, `org.example.Player`. The master gives it an address in prefix 0x0001 for each, and tells the module, so that rules with that `sender` mean it.',
  'clients.*.connect':
    'How a client of a message bus is connected: `native`, the default, on AF_BUS itself; `legacy` through the AF_UNIX listener of the bus, as programs for other buses are.',
  'clients.*.answers':
    'How a client of a message bus answers calls, by method. Calls of other methods get back the values that they came with.',
  'clients.*.answers.*': 'An answer: a `reply`, or an `error`.',
  'clients.*.answers.*.reply': 'The values that it returns.',
  'clients.*.answers.*.signature': 'Their types, where they do not follow from the values.',
  'clients.*.answers.*.error': 'The name of the error: `org.example.Error.Failed`.',

  traffic:
    'The steps to play, in order. A step ends when its sends have returned and all their deliveries are settled.',
  'traffic[]': 'A step: `camera -> sensors: "text"`, `send`, `parallel`, `fault` or `expect`.',
  'traffic[].->':
    'A send in short: sender, arrow, destination, and the text that is sent. A destination is a client, a group, a bus (everybody on it), `<bus>.master` or an address.',
  'traffic[].send': 'A send, spelled out.',
  'traffic[].send.from': 'Who sends: a client, or `<bus>.master`.',
  'traffic[].send.to':
    'Where to: a client, a group, a bus (everybody on it), `<bus>.master`, or an address `pppp/cccccccccccc` on the bus of the sender.',
  'traffic[].send.payload':
    'What is sent: a text, `{ hex: "00ff" }`, `{ base64: "AP8=" }` or a D-Bus message. Generated bytes where absent, as many as `size` says.',
  'traffic[].send.payload.hex': 'Bytes as pairs of hex digits.',
  'traffic[].send.payload.base64': 'Bytes in base64, padded with `=`.',
  'traffic[].send.payload.dbus':
    'A D-Bus message, on a bus with `protocol: dbus`: valid, with the envelope of 32 bytes as its last argument.',
  'traffic[].send.payload.dbus.type':
    '`signal`, the default, `method_call`, `method_return` or `error`. Each has fields that it needs.',
  'traffic[].send.payload.dbus.path': 'The object that it is about, or from: `/org/example/Player`.',
  'traffic[].send.payload.dbus.interface': 'The interface of its member: `org.example.Player`.',
  'traffic[].send.payload.dbus.member': 'The name of the signal or method: `Changed`.',
  'traffic[].send.payload.dbus.destination':
    'The bus name that its header says it is for. Where it goes is said by `to`.',
  'traffic[].send.payload.dbus.error-name': 'Of an `error`: which one.',
  'traffic[].send.payload.dbus.reply-serial':
    'Of a `method_return` or an `error`: the serial of the message that it answers.',
  'traffic[].send.payload.dbus.args':
    'Its arguments, which rules count from 0. With a `signature`: lists are arrays and structures, maps are dicts, `{ u: 7 }` is a variant, `{ hex: "00ff" }` may be an `ay`, and numbers of 64 bits are in quotes beyond 2^53. Without: texts are `s`, numbers `i`, `true` and `false` `b`, `{ path: /a }` is `o`.',
  'traffic[].send.payload.dbus.signature': 'The types of its arguments: `sa{sv}as`.',
  'traffic[].send.payload.dbus.raw':
    'A captured message in hex, instead of all other keys. Its serial is replaced, fields that D-Bus does not know are left out, and the envelope is added to its arguments.',
  'traffic[].send.payload.dbus.endian': 'The byte order of the message: `little`, the default, or `big`.',
  'traffic[].send.count': 'How many messages, one after another. 1 by default.',
  'traffic[].send.size':
    'Bytes of the whole message, 32 of envelope included: `4KiB`, or a range to draw from for each message: `64..4KiB`. 64 bytes by default.',
  'traffic[].send.rate': 'Messages per second or minute: `2000/s`. As fast as they go where absent.',
  'traffic[].send.fds':
    'Descriptors that go with each message. Every receiver gets duplicates of its own, and has to use them.',
  'traffic[].send.fds[]': 'A descriptor.',
  'traffic[].send.fds[].pipe':
    'The name of a pipe whose writing end is passed: each receiver writes its name into it, and the sender reads the names.',
  'traffic[].send.nonblocking': 'A full recipient is EAGAIN at once rather than a wait. `false` by default.',
  'traffic[].send.as': 'A name for the message, for reports and for `expect.deliveries`.',
  'traffic[].send.via':
    'For masters: the client through whose accepted socket it sends. The receiver itself where that is one client, else the first that has joined.',
  'traffic[].expect':
    'Below a send, with the same indent: what must happen to it; `model` allows whatever the model predicts, failures included. As a step of its own: what must be seen of a client by then.',
  'traffic[].expect.error':
    'The send fails with this errno, and nobody gets the message; or the call is answered with this error of D-Bus.',
  'traffic[].expect.recipients':
    'Everybody who gets a copy, eavesdroppers included; a group, a bus or the name of replicas stands for its members at that step. `[]` is nobody.',
  'traffic[].expect.latency': 'How long copies may take from the call of the send to their reader.',
  'traffic[].expect.latency.p50': 'Half of the copies take no longer: `5ms`.',
  'traffic[].expect.latency.p90': 'So long at most take 90 of 100 copies.',
  'traffic[].expect.latency.p99': 'So long at most take 99 of 100 copies.',
  'traffic[].expect.latency.max': 'No copy takes longer.',
  'traffic[].expect.throughput': 'How many messages go through.',
  'traffic[].expect.throughput.min': 'At least that many while sends are under way: `1000/s`.',
  'traffic[].expect.client': 'The client that is looked at.',
  'traffic[].expect.blocked':
    'It has a send that waits for room (`true`), or has none (`false`). In a branch of `parallel`.',
  'traffic[].expect.hangup':
    'Its socket has ended: it was expelled, or its master left before it was admitted.',
  'traffic[].expect.within': 'The longest time that this may take: `500ms`. 5 s by default.',
  'traffic[].own': 'A client of a message bus asks for a well-known name.',
  'traffic[].own.client': 'The client.',
  'traffic[].own.name': 'The name: `org.example.Player`.',
  'traffic[].own.allow-replacement':
    'Another client may take the name away with `replace`. `false` by default.',
  'traffic[].own.replace': 'The name is taken from its owner, if that one allows it. `false` by default.',
  'traffic[].own.queue': 'The client waits for the name if another one owns it. `true` by default.',
  'traffic[].release': 'A client of a message bus gives up a well-known name, or no longer waits for it.',
  'traffic[].release.client': 'The client.',
  'traffic[].release.name': 'The name.',
  'traffic[].add-match': 'A client of a message bus adds a match rule.',
  'traffic[].add-match.client': 'The client.',
  'traffic[].add-match.rule': "The rule: `\"type='signal',interface='org.example.Player'\"`.",
  'traffic[].remove-match': 'A client of a message bus removes a match rule.',
  'traffic[].remove-match.client': 'The client.',
  'traffic[].remove-match.rule': 'A rule that says the same, in whatever order and quotes.',
  'traffic[].signal': 'A client of a message bus sends a signal.',
  'traffic[].signal.from': 'The client that sends it.',
  'traffic[].signal.to':
    'The client, or the well-known name, that it is for alone. Everyone with a rule for it by default.',
  'traffic[].signal.path': 'The object that it is about: `/org/example/Player`.',
  'traffic[].signal.interface': 'The interface: `org.example.Player`.',
  'traffic[].signal.member': 'What has happened: `Changed`.',
  'traffic[].signal.signature': 'The types of the arguments, where they do not follow from their values.',
  'traffic[].signal.args':
    'The arguments: texts, whole numbers, `true` or `false`, `{ path: /a/b }`; with a `signature`, values of any type.',
  'traffic[].signal.count': 'How many signals, one after another. 1 by default.',
  'traffic[].call': 'A client of a message bus calls a method and waits for the answer.',
  'traffic[].call.from': 'The client that calls.',
  'traffic[].call.to': 'The client, or the well-known name, that is called.',
  'traffic[].call.path': 'The object: `/org/example/Player`.',
  'traffic[].call.interface': 'The interface; a call may have none.',
  'traffic[].call.member': 'The method.',
  'traffic[].call.signature': 'The types of the arguments, where they do not follow from their values.',
  'traffic[].call.args': 'The arguments, as of a signal.',
  'traffic[].expect.result':
    'What the bus answers to `own` (`owner`, `queued`, `exists`, `already-owner`) or to `release` (`released`, `non-existent`, `not-owner`).',
  'traffic[].expect.reply': 'The values that a call returns.',
  'traffic[].expect.signature': 'Their types, where they do not follow from the values.',
  'traffic[].expect.by': 'The client that answers the call.',
  'traffic[].expect.hears':
    'What the bus has told the client of names since the last such step, or since it came: all of it, in order. `NameAcquired org.example.Player`, `NameLost …`, or `NameOwnerChanged org.example.Player: player -> nobody`; the unique name of a client is written as the client.',
  'traffic[].parallel':
    'Branches that are played at the same time. A branch is a step, or a list of steps that are played in order.',
  'traffic[].fault': 'Something done to a party: a verb, and to whom.',
  'traffic[].fault.kill': 'SIGKILL to the process of a client or of `<bus>.master`.',
  'traffic[].fault.stop':
    'SIGTERM to the process of a client or of `<bus>.master`: it ends in an orderly way.',
  'traffic[].fault.pause': 'SIGSTOP to the process of a client or of `<bus>.master`.',
  'traffic[].fault.resume': 'SIGCONT to a process that was paused.',
  'traffic[].fault.leave':
    'The master closes its sockets and leaves. Who has joined goes on; who has not, is cut off.',
  'traffic[].fault.close-listener': 'The master closes its listening socket alone: nobody new can connect.',
  'traffic[].fault.expel': 'The master throws the client off the bus. What it has queued it may still read.',
  'traffic[].fault.join': 'The master puts a client on the bus that is not on it yet.',
  'traffic[].fault.stop-reading': 'The client stops to read, so that its queue fills.',
  'traffic[].fault.eavesdrop': 'The client begins to eavesdrop, or stops with `on: false`.',
  'traffic[].fault.on': 'Begin (`true`, the default) or stop (`false`).',
  'traffic[].fault.add-address': 'The master gives the client one more address: the one in `address`.',
  'traffic[].fault.del-address': 'The master takes an address from the client: the one in `address`.',
  'traffic[].fault.add-match': 'The master gives the client one more match rule: the one in `rule`.',
  'traffic[].fault.remove-match':
    'The master takes a match rule from the client, one that says what `rule` does.',
  'traffic[].fault.rule': "A D-Bus match rule: `\"type='signal',interface='org.example.Player'\"`.",
  'traffic[].fault.restart':
    'The process of the client is killed, where it still runs, and another takes its place: to the bus another client, with a new prefix-0 address. The master lets it on as the file says.',
  'traffic[].fault.fill': 'The master sends to the client, which does not read, until its queue is full.',
  'traffic[].fault.kill-node': 'SIGKILL to everything on a node at once.',
  'traffic[].fault.pause-node':
    'SIGSTOP to every running process of a node at once, as if the machine hung. `for` resumes them.',
  'traffic[].fault.resume-node': 'SIGCONT to every paused process of a node at once.',
  'traffic[].fault.limit':
    'The process of the client may open few descriptors from now on: as many as `fds` says. Of a message with more it gets the first, and MSG_CTRUNC.',
  'traffic[].fault.fds':
    'How many more than are open at that moment; `unlimited` takes the limit away. What comes with a message is closed before the next is read.',
  'traffic[].fault.memory':
    'How many bytes more than it has then: as soon as it wants more, what it sent and nobody has read included, the kernel ends it. In a branch of `parallel`, beside its sends.',
  'traffic[].fault.at': 'How long after the beginning of the step it happens: `500ms`.',
  'traffic[].fault.after':
    'How many messages of the other branches of its `parallel` have returned, with success or an error, when it happens: `50`, or `{ messages: 50, of: camera }`.',
  'traffic[].fault.after.messages': 'How many messages.',
  'traffic[].fault.after.of': 'Whose messages count: a client, or a master. The default is all.',
  'traffic[].fault.for':
    'How long it lasts: then it is undone, and the step ends. Of `pause`, `pause-node`, `stop-reading`, `eavesdrop`, `add-address`, `del-address`, `add-match`, `remove-match` and `limit`.',
  'traffic[].fault.address': 'The address, as `pppp/cccccccccccc` in hex.',
  'traffic[].fault.read': 'The client reads: `count` messages, or all that are there and from then on.',
  'traffic[].fault.count': 'How many messages; `all`, the default, also goes on reading.',

  expect: 'What must hold for the whole run; what is left out has its default.',
  'expect.delivery': 'Each message reaches each of its recipients once: `exactly-once`, the default.',
  'expect.order': 'One order of messages explains what every socket received: `total`, the default.',
  'expect.latency': 'How long copies may take from the call of the send to their reader.',
  'expect.latency.p50': 'Half of the copies take no longer: `5ms`.',
  'expect.latency.p90': 'So long at most take 90 of 100 copies.',
  'expect.latency.p99': 'So long at most take 99 of 100 copies.',
  'expect.latency.max': 'No copy takes longer.',
  'expect.throughput': 'How many messages go through.',
  'expect.throughput.min': 'At least that many while sends are under way: `1000/s`.',
  'expect.deliveries':
    '`model`, the default: what the file does not say of a send, the reference model does. Or a list of deliveries that must be among those observed.',
  'expect.deliveries[]': 'A copy that must arrive.',
  'expect.deliveries[].to': 'The client, or `<bus>.master`, that gets it.',
  'expect.deliveries[].message': 'The `as` of the send.',
  'expect.deliveries[].from': 'The sender that the receiver must see.',
  'expect.deliveries[].fds': 'How many descriptors must come with it.',
  'expect.deliveries[].credentials': 'The credentials of the sender that the kernel must show.',
  'expect.deliveries[].credentials.uid': 'The user id.',
  'expect.deliveries[].credentials.gid': 'The group id.',
};
