// Push events: a batch of metrics, a request, and an incident.
//
//     node push.js [METRICS [REQUESTS [INCIDENTS]]]        (addresses; first: npm ci --ignore-scripts)

import {encode} from "@msgpack/msgpack";
import {Push} from "zeromq";

const defaults = ["tcp://127.0.0.1:7701", "tcp://127.0.0.1:7702", "tcp://127.0.0.1:7703"];
const addresses = defaults.map((address, i) => process.argv[2 + i] ?? address);

function pusher(address) {
  // an exiting program loses nothing that it sent, and does not wait for ever where nobody takes it
  const socket = new Push({linger: 2000, sendTimeout: 2000});
  socket.connect(address);
  return socket;
}

const [metrics, requests, incidents] = addresses.map(pusher);
const labels = {host: "web-1", language: "node"};

// an array is a batch: cheaper than event by event
await metrics.send(encode([
  {name: "example_orders", kind: "counter", value: 3, labels},
  {name: "example_queue_depth", kind: "gauge", value: 17, labels},
  {name: "example_latency", kind: "histogram", values: [0.012, 0.034, 0.021], unit: "seconds", labels},
]));
await requests.send(encode({
  operation: "POST /example", duration: 0.031, dependency: "postgresql", error: true, message: "connection refused",
}));
await incidents.send(encode({title: "an example is running", severity: "low", key: "example-node"}));
console.log("pushed 5 events");
for (const socket of [metrics, requests, incidents]) socket.close();
