// SPDX-License-Identifier: MIT
/**
 * What each key of a topology means, in Markdown, for hovers in editors and for the reference. A key is named by its
 * path in the file, with `*` for any name and `[]` for an item. The JSON Schema takes its descriptions from here; the
 * build fails if one is missing.
 */
export const PROSE: Readonly<Record<string, string>> = {
  '': 'A topology: buses, their masters and clients, the traffic to play and what must be observed.',
  apiVersion: 'The version of the language. There is one so far: `afbus-topo/v1`.',
  name: 'Its name in reports and in `afbus-topo ps`. The name of the file by default.',
  description: 'What the topology shows, for readers. Nothing depends on it.',

  include:
    'Other files that are merged into this one; their names are relative to it. If both set a key, this file wins.',
  matrix:
    'Variables, each with a list of values: the file is played once for each combination. `matrix: { n: [2, 8] }` is used as `${n}`.',
  defaults: 'Defaults for the keys that a node, bus, group, client or send leaves out.',
  'defaults.nodes': 'For every node.',
  'defaults.buses': 'For every bus.',
  'defaults.groups': 'For every group.',
  'defaults.clients': 'For every client.',
  'defaults.sends': 'For every send.',

  'x-*':
    'Ignored, whatever it holds: a place for what anchors (`&lamp`) name and aliases (`*lamp`, `<<: *lamp`) repeat.',

  launcher:
    'How nodes are made, unless `--launcher` says otherwise: as a `container` (the default) or as a `process`.',
  'launcher.process': 'Each node is a tree of plain processes on the host.',
  'launcher.process.pack':
    'Up to that many clients of one node and user share a process. A client that a step starts, limits or sends a signal gets its own.',

  nodes:
    'Privileged containers on the AF_BUS host, by name. If the file has none, each bus master gets a node, and all clients share another.',
  'nodes.*': 'A node: masters and clients are processes in it. `{}` has all defaults.',
  'nodes.*.env':
    'Environment variables of every process in the node. Values are taken as written: `1.10` stays `1.10`.',

  buses: 'The buses, by name. Each is a listening socket of its master.',
  'buses.*': 'A bus. With `{}` its master is in a node of its own and admits every client.',
  'buses.*.path':
    'Where clients connect: an absolute path, or `@name` for an abstract one. `/run/bus/<name of the bus>` by default.',
  'buses.*.protocol':
    'How the module reads messages. `none`, the default: not at all. `dbus`: as D-Bus messages; each client gets those multicasts that one of its match rules matches.',
  'buses.*.queueLength':
    'How many messages a receive queue holds before it is full; one more still fits. 10 by default. A queue is also full when its messages weigh half of `sendBuffer`.',
  'buses.*.sendBuffer':
    'How many bytes of one sender may be unread in the queues of others, and so the limit of one message. `208KiB` by default. A queue is full when its messages weigh half of that; a message weighs its length plus 768 bytes.',
  'buses.*.overflow':
    'What happens if a recipient is full: the sender waits (`block`, the default), the send fails with ENOBUFS (`fail`), or the recipient is expelled (`evict`).',
  'buses.*.master': 'The process that listens, admits clients and gives out addresses.',
  'buses.*.master.program':
    'The program of the master. `dbus-daemon` is the D-Bus daemon of this project, and makes this bus a message bus. By default the master does what the file says.',
  'buses.*.master.limits':
    "Limits of the program, under the names that they have in dbus-daemon's configuration.",
  'buses.*.master.services':
    'What the program starts when somebody needs a well-known name that nobody owns: by a call or signal to the name, or by `start`.',
  'buses.*.master.services.*':
    'A client, which connects when the bus starts it; or a program that ends at once.',
  'buses.*.master.services.*.exit': 'The exit status of that program.',
  'buses.*.master.limits.service_start_timeout':
    'How long a service may take until it owns its name. `25s` by default.',
  'buses.*.master.limits.max_outgoing_bytes':
    'A legacy client is disconnected if that many bytes wait for it in addition to those in its socket. 127MiB by default.',
  'buses.*.master.node':
    'The node that the master runs in. May be left out if the file has one node or none.',
  'buses.*.master.admit':
    'The clients that the master admits: names, with `*` as wildcard. All by default. A client that is not admitted can talk to the master only.',
  'buses.*.master.deny':
    'Clients that are not admitted although `admit` names them. The master recognises them by the credentials that the kernel gives.',
  'buses.*.master.deny[]': 'A rule matches a client that has all the ids it gives.',
  'buses.*.master.deny[].uid': 'The user id that is denied.',
  'buses.*.master.deny[].gid': 'The group id that is denied.',

  groups:
    'Multicast groups, by name. A group is a prefix: each client that has an address with it is a member.',
  'groups.*': 'A group.',
  'groups.*.bus': 'The bus that the group is on. May be left out if the file has one bus.',
  'groups.*.prefix':
    'The upper 16 bits of its addresses, from `0x0001` to `0xffff`. Prefix 0 is every client on the bus.',

  clients: 'The clients, by name. They connect in the order of the file.',
  'clients.*': 'A client: a process with one socket on one bus.',
  'clients.*.node': 'The node that it runs in. May be left out if the file has one node or none.',
  'clients.*.bus': 'The bus that it connects to. May be left out if the file has one bus.',
  'clients.*.groups':
    'Groups that it is a member of. The master gives it an address in each; they count up in the order of the file.',
  'clients.*.addresses':
    'More addresses that the master gives it, as `pppp/cccccccccccc` in hex. With `replicas` they count up.',
  'clients.*.user': 'User and group id of its process, as numbers: `"1000:1000"`. Root by default.',
  'clients.*.join':
    'Whether the master joins it to the bus at the start. `true` by default. With `false`, a `join` fault can do it later.',
  'clients.*.eavesdrop': 'Whether it gets a copy of every message on the bus. `false` by default.',
  'clients.*.replicas':
    'How many copies of this client there are: `tool` with 3 is `tool-0`, `tool-1` and `tool-2`; `tool` stands for all of them.',
  'clients.*.receive':
    '`auto`, the default, reads each message at once. `manual` reads only when a `read` step says so; until then its queue fills.',
  'clients.*.filter':
    'A socket filter of the client: each copy is kept whole, cut or dropped before it is queued. The sender does not see it.',
  'clients.*.filter.bpf':
    'A program of classic BPF. It returns how many bytes of the copy are kept; 0 drops it.',
  'clients.*.filter.keep': 'How much of each message is kept, its envelope of 32 bytes included: `64B`.',
  'clients.*.filter.drop': '`true` drops every copy: the client gets no message at all.',
  'clients.*.buffer':
    'How many bytes it reads of each message, the envelope of 32 bytes included: `64B`. Of a longer message it gets the beginning, and MSG_TRUNC. Without it, each message is read whole.',
  'clients.*.match':
    'On a bus with `protocol: dbus`: the D-Bus match rules that the master adds for it before it joins. It gets each multicast that one of them matches; without rules it gets none.',

  'clients.*.names':
    'On a bus with `protocol: dbus`: well-known names that it owns, like `org.example.Player`. For each the master gives it an address in prefix 0x0001 and tells the module, so that a rule with that `sender` matches its messages.',
  'clients.*.connect':
    'How a client of a message bus connects: `native`, the default, by AF_BUS; `legacy` by the AF_UNIX listener of the bus, as programs for other buses do.',
  'clients.*.program':
    'An unmodified program as a client of a message bus: its name and its arguments, which no shell reads. A `run` step starts it, in its node, with DBUS_SESSION_BUS_ADDRESS set to the AF_UNIX listener of the bus.',
  'clients.*.answers':
    'How a client of a message bus answers calls, by method. A call of any other method is answered with its own arguments.',
  'clients.*.answers.*': 'An answer: a `reply`, or an `error`.',
  'clients.*.answers.*.reply': 'The values that it returns.',
  'clients.*.answers.*.signature':
    'The types of the values in `reply`, if they do not follow from the values.',
  'clients.*.answers.*.fds':
    'Descriptors that go with the reply; values of type `h` are indexes into them. The caller writes its name into them, and the client reads it.',
  'clients.*.answers.*.fds[]': 'A descriptor.',
  'clients.*.answers.*.fds[].pipe': 'The name of a pipe whose writing end is passed.',
  'clients.*.answers.*.error': 'The name of the error: `org.example.Error.Failed`.',

  traffic:
    'The steps to play, in order. A step ends when its sends have returned and each recipient has what it is to get.',
  'traffic[]':
    'A step: `camera -> sensors: "text"`, `send`, `parallel`, `fault` or `expect`; on a message bus also `signal`, `call`, `own`, `release`, `start`, `add-match`, `remove-match` or `run`.',
  'traffic[].->':
    'A send in short: sender, arrow, destination, and the text to send. A destination is a client, a group, a bus (every client on it), `<bus>.master` or an address.',
  'traffic[].send': 'A send with all its keys.',
  'traffic[].send.from': 'The sender: a client, or `<bus>.master`.',
  'traffic[].send.to':
    'The destination: a client, a group, a bus (every client on it), `<bus>.master`, or an address `pppp/cccccccccccc` on the bus of the sender.',
  'traffic[].send.payload':
    'What is sent: a text, `{ hex: "00ff" }`, `{ base64: "AP8=" }` or a D-Bus message. By default `size` bytes are generated.',
  'traffic[].send.payload.hex': 'Bytes as pairs of hex digits.',
  'traffic[].send.payload.base64': 'Bytes in base64, padded with `=`.',
  'traffic[].send.payload.dbus':
    'A D-Bus message, on a bus with `protocol: dbus`: valid, with the envelope of 32 bytes as its last argument.',
  'traffic[].send.payload.dbus.type':
    '`signal` (the default), `method_call`, `method_return` or `error`. Each type requires some of the other keys.',
  'traffic[].send.payload.dbus.path':
    'The object that a signal comes from, or that a call is for: `/org/example/Player`.',
  'traffic[].send.payload.dbus.interface': 'The interface of its member: `org.example.Player`.',
  'traffic[].send.payload.dbus.member': 'The name of the signal or method: `Changed`.',
  'traffic[].send.payload.dbus.destination':
    'The bus name in its DESTINATION field. The message goes where `to` of the send says.',
  'traffic[].send.payload.dbus.error-name': 'Of an `error`: its name, `org.example.Error.Failed`.',
  'traffic[].send.payload.dbus.reply-serial':
    'Of a `method_return` or an `error`: the serial of the message that it answers.',
  'traffic[].send.payload.dbus.args':
    'Its arguments; rules count them from 0. With a `signature`: lists are arrays and structures, maps are dicts, `{ u: 7 }` is a variant, `{ hex: "00ff" }` may be an `ay`, and numbers of 64 bits are in quotes beyond 2^53. Without: texts are `s`, numbers `i`, `true` and `false` `b`, `{ path: /a }` is `o`.',
  'traffic[].send.payload.dbus.signature': 'The types of its arguments: `sa{sv}as`.',
  'traffic[].send.payload.dbus.raw':
    'A captured message in hex, instead of all other keys. Its serial is replaced, header fields that D-Bus does not know are removed, and the envelope is added to its arguments.',
  'traffic[].send.payload.dbus.endian': 'The byte order of the message: `little`, the default, or `big`.',
  'traffic[].send.count': 'How many messages, one after another. 1 by default.',
  'traffic[].send.size':
    'Size of the whole message, its envelope of 32 bytes included: `4KiB`, or a range from which each message draws its size: `64..4KiB`. 64 bytes by default.',
  'traffic[].send.rate':
    'Messages per second or minute: `2000/s`. By default each is sent as soon as the one before it was.',
  'traffic[].send.fds':
    'Descriptors that go with each message. Every receiver gets duplicates of its own, and uses them to prove that they work.',
  'traffic[].send.fds[]': 'A descriptor.',
  'traffic[].send.fds[].pipe':
    'The name of a pipe whose writing end is passed: each receiver writes its name into it, and the sender reads the names.',
  'traffic[].send.nonblocking':
    'If a recipient is full, the send fails with EAGAIN instead of waiting. `false` by default.',
  'traffic[].send.as': 'A name for the message, for reports and for `expect.deliveries`.',
  'traffic[].send.via':
    'If a master sends: the client through whose accepted socket it sends. By default the receiver, if that is one client, else the first client that has joined.',
  'traffic[].expect':
    'After a send, with the same indent: what must come of it; `model` allows whatever the model predicts, failures included. As a step of its own: what must be true of a client.',
  'traffic[].expect.error':
    'The send fails with this errno and no client gets the message; or the call is answered with this D-Bus error.',
  'traffic[].expect.recipients':
    'All that get a copy, eavesdroppers included. A group, a bus or the name of replicas stands for its members at that step. `[]` means that nobody gets one.',
  'traffic[].expect.latency':
    'Upper limits for the time from the call of the send until a reader has the copy.',
  'traffic[].expect.latency.p50': 'Upper limit for the median latency: `5ms`.',
  'traffic[].expect.latency.p90': 'Upper limit for the 90th-percentile latency.',
  'traffic[].expect.latency.p99': 'Upper limit for the 99th-percentile latency.',
  'traffic[].expect.latency.max': 'Upper limit for the latency of every copy.',
  'traffic[].expect.throughput': 'A lower limit for the rate of messages.',
  'traffic[].expect.throughput.min':
    'The lowest rate allowed, over the time in which sends are under way: `1000/s`.',
  'traffic[].expect.client': 'The client that the expectation is about.',
  'traffic[].expect.blocked':
    'Whether one of its sends waits for room (`true`) or none does (`false`). Only in a branch of `parallel`.',
  'traffic[].expect.hangup':
    'Its socket has ended: the client was expelled, or the master left before the client had joined. On a message bus: the bus has cut it off, since it was paused and too much waited for it.',
  'traffic[].expect.within':
    'Upper limit for the time until this is true: `500ms`. 5 s by default, 60 s for a program.',
  'traffic[].own': 'A client of a message bus requests a well-known name.',
  'traffic[].own.client': 'The client.',
  'traffic[].own.name': 'The name: `org.example.Player`.',
  'traffic[].own.allow-replacement':
    'Another client may take the name away with `replace`. `false` by default.',
  'traffic[].own.replace':
    'The client takes the name from its owner, if the owner allows replacement. `false` by default.',
  'traffic[].own.queue':
    'If another client owns the name, this one waits for it in the queue. `true` by default.',
  'traffic[].release': 'A client of a message bus gives up a well-known name, or no longer waits for it.',
  'traffic[].release.client': 'The client.',
  'traffic[].release.name': 'The name.',
  'traffic[].start':
    'A client of a message bus asks it to start the service of a name (StartServiceByName), and waits until the name has an owner.',
  'traffic[].start.client': 'The client.',
  'traffic[].start.name': 'The name.',
  'traffic[].add-match': 'A client of a message bus adds a match rule.',
  'traffic[].add-match.client': 'The client.',
  'traffic[].add-match.rule': "The rule: `\"type='signal',interface='org.example.Player'\"`.",
  'traffic[].remove-match': 'A client of a message bus removes a match rule.',
  'traffic[].remove-match.client': 'The client.',
  'traffic[].remove-match.rule': 'The rule: one with the same conditions, in any order and with any quotes.',
  'traffic[].signal': 'A client of a message bus sends a signal.',
  'traffic[].signal.from': 'The client that sends it.',
  'traffic[].signal.to':
    'The only receiver: a client or a well-known name. By default every client with a matching rule gets it.',
  'traffic[].signal.path': 'The object that it comes from: `/org/example/Player`.',
  'traffic[].signal.interface': 'The interface: `org.example.Player`.',
  'traffic[].signal.member': 'The name of the signal: `Changed`.',
  'traffic[].signal.signature': 'The types of the arguments, if they do not follow from their values.',
  'traffic[].signal.args':
    'The arguments: texts, whole numbers, `true` or `false`, `{ path: /a/b }`; with a `signature`, values of any type.',
  'traffic[].signal.count': 'How many signals, one after another. 1 by default.',
  'traffic[].signal.fds':
    'Descriptors that go with each signal; values of type `h` are indexes into them. Every receiver writes its name into its duplicates, and the sender reads the names.',
  'traffic[].signal.fds[]': 'A descriptor.',
  'traffic[].signal.fds[].pipe': 'The name of a pipe whose writing end is passed.',
  'traffic[].call': 'A client of a message bus calls a method and waits for the answer.',
  'traffic[].call.from': 'The client that calls.',
  'traffic[].call.to': 'The client, or the well-known name, that is called.',
  'traffic[].call.path': 'The object: `/org/example/Player`.',
  'traffic[].call.interface': 'The interface of the method. A call may leave it out.',
  'traffic[].call.member': 'The name of the method.',
  'traffic[].call.signature': 'The types of the arguments, if they do not follow from their values.',
  'traffic[].call.args': 'The arguments, written as for a signal.',
  'traffic[].call.fds':
    'Descriptors that go with the call, as with a signal. A client that answers with the arguments of the call gives them back, and the caller writes its name into them too.',
  'traffic[].call.fds[]': 'A descriptor.',
  'traffic[].call.fds[].pipe': 'The name of a pipe whose writing end is passed.',
  'traffic[].expect.result':
    'What the bus answers to `own` (`owner`, `queued`, `exists`, `already-owner`), to `release` (`released`, `non-existent`, `not-owner`) or to `start` (`started`, `already-running`).',
  'traffic[].expect.reply': 'The values that a call returns.',
  'traffic[].expect.signature': 'The types of the values in `reply`, if they do not follow from the values.',
  'traffic[].expect.by': 'The client that answers the call.',
  'traffic[].run':
    'Starts the program of a client of a message bus. With `expect` below it the step waits for that, else it ends when the program has started.',
  'traffic[].expect.exit': 'The exit status of the program: the step waits until the program has ended.',
  'traffic[].expect.output':
    "The program's standard output. A text is all of it: the step waits until the program has ended, and line ends at its end do not count. A list has texts that lines of it contain, in this order, since the program was started: the step waits until all are there. None of these texts is empty or has a line break. The name of a client in the file stands for its unique name.",
  'traffic[].expect.hears':
    'The signals about names that the bus has sent to the client since the last such step or since it connected: all of them, in order. `NameAcquired org.example.Player`, `NameLost …`, or `NameOwnerChanged org.example.Player: player -> nobody`; the name of a client in the file stands for its unique name.',
  'traffic[].parallel':
    'Branches that are played at the same time. A branch is a step, or a list of steps that are played in order.',
  'traffic[].fault': 'A fault to inject: an action and its target.',
  'traffic[].fault.kill': 'SIGKILL to the process of a client or of `<bus>.master`.',
  'traffic[].fault.stop':
    'SIGTERM to the process of a client or of `<bus>.master`: it closes its sockets and exits.',
  'traffic[].fault.pause': 'SIGSTOP to the process of a client or of `<bus>.master`.',
  'traffic[].fault.resume': 'SIGCONT to a process that was paused.',
  'traffic[].fault.leave':
    'The master closes its sockets and leaves. Clients that have joined stay connected to each other; all others are disconnected.',
  'traffic[].fault.close-listener':
    'The master closes its listening socket only: no more clients can connect.',
  'traffic[].fault.expel':
    'The master expels the client from the bus. The client can still read what is in its queue.',
  'traffic[].fault.join': 'The master joins the client, which has connected but is not on the bus yet.',
  'traffic[].fault.stop-reading': 'The client stops reading, so its queue fills.',
  'traffic[].fault.eavesdrop': 'The client becomes an eavesdropper, or stops being one (`on: false`).',
  'traffic[].fault.on': 'Whether to begin (`true`, the default) or to stop (`false`).',
  'traffic[].fault.add-address': 'The master gives the client the address in `address`.',
  'traffic[].fault.del-address': 'The master takes the address in `address` from the client.',
  'traffic[].fault.add-match': 'The master adds the match rule in `rule` for the client.',
  'traffic[].fault.remove-match':
    'The master removes one match rule of the client that means the same as `rule`.',
  'traffic[].fault.rule': "A D-Bus match rule: `\"type='signal',interface='org.example.Player'\"`.",
  'traffic[].fault.restart':
    'The process of the client is killed if it still runs, and another takes its place. To the bus it is another client, with a new prefix-0 address. The master admits it as the file says.',
  'traffic[].fault.fill':
    'The master sends to the client until its queue is full. The client must not be reading.',
  'traffic[].fault.kill-node': 'SIGKILL to everything on a node at once.',
  'traffic[].fault.pause-node':
    'SIGSTOP to every running process of a node at once, as if the machine hung. `for` resumes them.',
  'traffic[].fault.resume-node': 'SIGCONT to every paused process of a node at once.',
  'traffic[].fault.limit':
    'Limits what the process of the client may open (`fds`) or allocate (`memory`) from now on. Of a message with more descriptors it gets the first ones, and MSG_CTRUNC.',
  'traffic[].fault.fds':
    'How many descriptors the client may open besides those that are open at that moment; `unlimited` removes the limit. It closes the descriptors of a message before it reads the next.',
  'traffic[].fault.memory':
    'How many bytes the client may allocate besides what it has at that moment; messages that it sent and nobody has read count too. If it needs more, the kernel kills it. Only in a branch of `parallel`, beside its sends.',
  'traffic[].fault.at': 'When it happens, counted from the beginning of the step: `500ms`.',
  'traffic[].fault.after':
    'When it happens, counted in sends of the other branches of its `parallel` that have returned, with success or an error: `50`, or `{ messages: 50, of: camera }`.',
  'traffic[].fault.after.messages': 'How many messages.',
  'traffic[].fault.after.of': 'The sender whose messages count: a client or a master. By default all count.',
  'traffic[].fault.for':
    'How long it lasts. Then it is undone, and the step ends. Possible with `pause`, `pause-node`, `stop-reading`, `eavesdrop`, `add-address`, `del-address`, `add-match`, `remove-match` and `limit`.',
  'traffic[].fault.address': 'The address, as `pppp/cccccccccccc` in hex.',
  'traffic[].fault.read': 'The client reads `count` messages, or all that are there and every later one.',
  'traffic[].fault.count': 'How many messages. With `all`, the default, the client also goes on reading.',

  expect:
    'What must hold for the whole run. Limits of latency and throughput are checked only if the file gives them.',
  'expect.delivery': '`exactly-once`, the default: each message reaches each of its recipients once.',
  'expect.order': '`total`, the default: one order of all messages explains what every socket received.',
  'expect.latency': 'Upper limits for the time from the call of the send until a reader has the copy.',
  'expect.latency.p50': 'Upper limit for the median latency: `5ms`.',
  'expect.latency.p90': 'Upper limit for the 90th-percentile latency.',
  'expect.latency.p99': 'Upper limit for the 99th-percentile latency.',
  'expect.latency.max': 'Upper limit for the latency of every copy.',
  'expect.throughput': 'A lower limit for the rate of messages.',
  'expect.throughput.min': 'The lowest rate allowed, over the time in which sends are under way: `1000/s`.',
  'expect.deliveries':
    '`model`, the default: the reference model decides what the file does not say of a send. Or a list of deliveries that must be observed in addition.',
  'expect.deliveries[]': 'A copy that must arrive.',
  'expect.deliveries[].to': 'The client, or `<bus>.master`, that gets it.',
  'expect.deliveries[].message': 'The message: the `as` of its send.',
  'expect.deliveries[].from': 'The sender that the receiver must see.',
  'expect.deliveries[].fds': 'How many descriptors must come with it.',
  'expect.deliveries[].credentials': 'The credentials of the sender that the kernel must show.',
  'expect.deliveries[].credentials.uid': 'The user id.',
  'expect.deliveries[].credentials.gid': 'The group id.',
};
