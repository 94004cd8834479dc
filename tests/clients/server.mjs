// A client of the field in Node: sends `count` events, one every `pause` ms, and says what it believes of each.
// node server.mjs <sdk> <gateway> <key> <count> <pause>
const [sdk, host, key, count, pause] = [...process.argv.slice(2, 5), Number(process.argv[5]), Number(process.argv[6])];
process.on("unhandledRejection", () => {}); // an SDK that has given up says so to its callback
const delivered = new Set();
const failed = new Set();
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const mark = (number) => `number-${number}`;

const clients = {
  async segment() {
    const { Analytics } = await import("@segment/analytics-node");
    const analytics = new Analytics({ writeKey: key, host, flushAt: 5, flushInterval: 200, maxRetries: 20 });
    analytics.on("error", () => {});
    return {
      send: (number) =>
        analytics.track({ userId: "u-1", event: "Counted", properties: { mark: mark(number) } }, (error) =>
          (error ? failed : delivered).add(number),
        ),
      end: () => analytics.closeAndFlush({ timeout: 60_000 }),
    };
  },
  async rudder() {
    const { default: Analytics } = await import("@rudderstack/rudder-sdk-node");
    const analytics = new Analytics(key, { dataPlaneUrl: host, flushAt: 5, flushInterval: 200, logLevel: "silent" });
    return {
      send: (number) =>
        analytics.track({ userId: "u-1", event: "Counted", properties: { mark: mark(number) } }, (error) =>
          (error ? failed : delivered).add(number),
        ),
      end: async () => {
        for (let turn = 0; delivered.size + failed.size < count && turn < 300; turn++) {
          await rest(200);
          analytics.flush(() => {}).catch?.(() => {});
        }
      },
    };
  },
  async jitsu() {
    const { jitsuAnalytics } = await import("@jitsu/js");
    // its calls resolve whatever became of the event, so that the answers are looked at
    const watched = async (url, options) => {
      const number = Number(/number-(\d+)/.exec(options.body)[1]);
      const answer = await fetch(url, options).catch((error) => (failed.add(number), Promise.reject(error)));
      (answer.ok ? delivered : failed).add(number);
      return answer;
    };
    const analytics = jitsuAnalytics({ host, writeKey: key, s2s: true, fetch: watched });
    const sent = [];
    const send = (number) => sent.push(analytics.track("Counted", { userId: "u-1", mark: mark(number) }));
    return { send, end: () => Promise.allSettled(sent) };
  },
  async snowplow() {
    const { newTracker, buildStructEvent } = await import("@snowplow/node-tracker");
    const numbers = (events) => events.map((event) => Number(/number-(\d+)/.exec(event.se_la ?? event.evt?.se_la)[1]));
    const tracker = newTracker(
      { namespace: "t", appId: key, encodeBase64: true },
      {
        endpoint: host,
        bufferSize: 5,
        onRequestSuccess: (events) => numbers(events).forEach((number) => delivered.add(number)),
        onRequestFailure: ({ events, willRetry }) => willRetry || numbers(events).forEach((number) => failed.add(number)),
      },
    );
    tracker.setUserId("u-1");
    return {
      send: (number) => tracker.track(buildStructEvent({ category: "c", action: "Counted", label: mark(number) })),
      end: async () => {
        for (let turn = 0; delivered.size + failed.size < count && turn < 300; turn++) {
          await rest(200);
          tracker.flush();
        }
      },
    };
  },
};

const client = await clients[sdk]();
for (let number = 0; number < count; number++) {
  client.send(number);
  await rest(pause);
}
await client.end();
console.log(JSON.stringify({ delivered: [...delivered], failed: [...failed] }));
process.exit(0);
