// Open an incident exactly once, whatever happens to the broker or the connection meanwhile.
//
//     node command.js [--once TEXT] [CONTROL [TITLE]]
//
// The command carries `once`, a text of its own, and is sent again until it is answered: the broker does it the first
// time and gives the first answer again afterwards, across its own restarts too.

import {randomUUID} from "node:crypto";
import {parseArgs} from "node:util";
import {decode, encode} from "@msgpack/msgpack";
import {Request} from "zeromq";

const resend = 1000; // milliseconds
const patience = 30000;

// The result. Throws when there is no answer in time, or a refusal.
async function command(address, message) {
  const bytes = encode(message);
  for (const end = Date.now() + patience; Date.now() < end;) {
    // a new one each time: a REQ that got no answer cannot send
    const socket = new Request({linger: 0, receiveTimeout: resend});
    socket.connect(address);
    try {
      await socket.send(bytes);
      const reply = decode((await socket.receive())[0]);
      if (!reply.ok) throw new Error(`${reply.error.code}: ${reply.error.message}`);
      return reply.result;
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    } finally {
      socket.close();
    }
  }
  throw new Error(`no answer from ${address}: is tocsind running?`);
}

const {values: options, positionals} = parseArgs({
  allowPositionals: true,
  options: {once: {type: "string", default: randomUUID()}},
});
const [control = "tcp://127.0.0.1:7705", title = "the disk of db-1 is full"] = positionals;
const incident = await command(control, {
  do: "incident.open", title, severity: "high", systems: ["db-1"], once: options.once,
});
console.log(incident.incident, incident.title);
