// Hold @msgpack/msgpack against the golden messages of proto/vectors.
//
//     node vectors.js [FOLDER [REQUESTS]]
//
// Every frame that the broker takes whole is decoded here too and must mean what its line says; what it means is
// encoded again and must mean the same. With the address of a broker's requests socket, the requests are pushed there
// as well.

import {isDeepStrictEqual} from "node:util";
import {readFileSync} from "node:fs";
import {ExtensionCodec, decode, encode} from "@msgpack/msgpack";
import {Push} from "zeromq";

const here = new URL("../../../proto/vectors", import.meta.url).pathname;
const units = {y: 31536000, w: 604800, d: 86400, h: 3600, m: 60, s: 1, ms: 0.001};

// Timestamps as seconds, whatever the range of a Date.
const codec = new ExtensionCodec();
codec.register({
  type: -1,
  encode: () => null,
  decode: (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length === 4) return view.getUint32(0);
    if (bytes.length === 12) return Number(view.getBigInt64(4)) + view.getUint32(0) / 1e9;
    const both = view.getBigUint64(0);
    return Number(both & 0x3ffffffffn) + Number(both >> 34n) / 1e9;
  },
});
// what other senders put under keys of their own is not ours to read
const foreign = {extensionCodec: codec, useBigInt64: false, mapKeyConverter: (key) => (typeof key === "string" ? key : `(${key})`)};

function seconds(duration) {
  if (typeof duration !== "string") return duration;
  let sum = 0;
  for (const [, number, unit] of duration.matchAll(/(\d+)(ms|[ywdhms])/g)) sum += Number(number) * units[unit];
  return sum;
}

function labels(event) {
  return Object.fromEntries(Object.entries(event.labels ?? {}).filter(([, value]) => value !== ""));
}

function metric(event, values) {
  return {
    name: event.name, kind: event.kind, values, labels: labels(event), unit: event.unit || null, time: event.time ?? null,
  };
}

function listOf(frame) {
  return Array.isArray(frame) ? frame : [frame];
}

function metrics(frame) {
  if (frame.samples && frame.series) { // a compact frame
    const found = [];
    for (let i = 0; i < frame.samples.length; i += 2)
      found.push(metric({...frame.series[frame.samples[i]], time: null}, [frame.samples[i + 1]]));
    return found;
  }
  return listOf(frame).map((event) => metric(event, event.value == null ? event.values : [event.value]));
}

function requests(frame) {
  return listOf(frame).map((event) => ({
    operation: event.operation, duration: seconds(event.duration), error: event.error ?? false,
    dependency: event.dependency || null, message: event.message ?? null, labels: labels(event),
    attempt: event.attempt ?? 1, breaker: event.breaker ?? null, time: event.time ?? null,
  }));
}

// As JSON has it: the encoder sends minus zero as 0.
const plain = (value) => JSON.parse(JSON.stringify(value));

// The events of all vectors of a file, each checked.
function check(path, meaning) {
  const events = [];
  for (const line of readFileSync(path, "utf8").trimEnd().split("\n")) {
    const vector = JSON.parse(line);
    if (vector.whole !== "ok" || Object.keys(vector.refused).length > 0) continue; // the broker's to judge
    for (const frame of [Buffer.from(vector.frame, "hex"), encode(vector.events)]) {
      const found = meaning(decode(frame, foreign));
      if (!isDeepStrictEqual(plain(found), plain(vector.events)))
        throw new Error(`${path}: ${vector.name}: ${JSON.stringify(found)}, expected ${JSON.stringify(vector.events)}`);
    }
    events.push(...vector.events);
  }
  return events;
}

const [folder = here, address] = process.argv.slice(2);
const checked = check(`${folder}/metrics.jsonl`, metrics);
const pushed = check(`${folder}/requests.jsonl`, requests);
console.log(`${checked.length} metric events and ${pushed.length} request events are understood`);
if (address) {
  const socket = new Push({linger: 2000});
  socket.connect(address);
  await socket.send(encode(pushed));
  socket.close();
}
