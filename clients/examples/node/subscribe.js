// Hear every publication once and in order, from a number on, through restarts of either side.
//
//     node subscribe.js [--family F] [--since SEQ] [--count N] [EVENTS [CONTROL]]
//
// Numbers count 1, 2, 3 ... within a family. So a hole shows, and `events.since` fills it: what was published before
// this program ran, while the connection was away, or faster than it could read. Each heartbeat names the newest
// number, so that missing the last one shows too. To resume, keep the last number that was dealt with and give it as
// --since.

import {parseArgs} from "node:util";
import {decode, encode} from "@msgpack/msgpack";
import {Request, Subscriber} from "zeromq";

const {values: options, positionals} = parseArgs({
  allowPositionals: true,
  options: {
    family: {type: "string", default: "incident"},
    since: {type: "string", default: "0"},
    count: {type: "string", default: "0"},
  },
});
const [events = "tcp://127.0.0.1:7704", control = "tcp://127.0.0.1:7705"] = positionals;
const family = options.family;
let last = Number(options.since);

// The result; null when nobody answers in time.
async function ask(question) {
  const socket = new Request({linger: 0, receiveTimeout: 2000});
  socket.connect(control);
  try {
    await socket.send(encode(question));
    const [body] = await socket.receive();
    const reply = decode(body);
    if (!reply.ok) throw new Error(`${reply.error.code}: ${reply.error.message}`);
    return reply.result;
  } catch (error) {
    if (error.code === "EAGAIN") return null;
    throw error;
  } finally {
    socket.close();
  }
}

// What was published after the last one, up to `head`.
async function* missed(head) {
  while (last < head) {
    const page = await ask({do: "events.since", family, seq: last});
    if (page === null) return; // the broker is away: the next heartbeat shows the hole again
    for (const publication of page.items) {
      last = publication.seq;
      yield publication;
    }
    if (page.items.length > 0) continue;
    if (!page.lost || page.lost[0] > last + 1) return; // on its way to the store
    last = page.lost[1]; // a crash took these numbers: nobody holds them
  }
}

async function* publications(socket) {
  for await (const [, body] of socket) {
    const publication = decode(body);
    if (publication.family === "heartbeat") {
      yield* missed(publication.data.heads[family]);
    } else if (publication.seq === last + 1) {
      last = publication.seq;
      yield publication;
    } else {
      yield* missed(publication.seq);
    }
  }
}

// no ZMQ heartbeats here: they abort a connecting reader (libzmq issue 3937)
const socket = new Subscriber();
socket.subscribe(`${family}.`, "heartbeat");
socket.connect(events);
let count = 0;
for await (const {seq, type, subject} of publications(socket)) {
  console.log(seq, type, subject);
  if (++count === Number(options.count)) break;
}
socket.close();
