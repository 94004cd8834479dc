// What a page does with each client: set up, and a function that sends one event. Bundled for Chromium by browser.mjs.
import { AnalyticsBrowser } from "@segment/analytics-next";
import { RudderAnalytics } from "@rudderstack/analytics-js/bundled";
import { jitsuAnalytics } from "@jitsu/js";
import { newTracker, trackPageView, trackStructEvent, trackSelfDescribingEvent } from "@snowplow/browser-tracker";

const mark = (number) => `number-${number}`;

window.clients = {
  segment(host, key) {
    const integrations = { "Segment.io": { apiHost: `${new URL(host).host}/v1`, protocol: "http" } };
    const analytics = AnalyticsBrowser.load({ writeKey: key, cdnURL: host }, { integrations });
    return (number) => analytics.track("Counted", { mark: mark(number) });
  },
  rudder(host, key) {
    const analytics = new RudderAnalytics();
    const source = { id: "s", name: "s", writeKey: key, enabled: true, config: {}, destinations: [], workspaceId: "w" };
    analytics.load(key, host, {
      getSourceConfig: () => ({ source, updatedAt: "2026-01-01T00:00:00Z" }),
      queueOptions: { maxRetryDelay: 2000, minRetryDelay: 200, maxAttempts: 60 },
      sendAdblockPage: false,
    });
    return (number) => analytics.track("Counted", { mark: mark(number) });
  },
  jitsu(host, key) {
    const analytics = jitsuAnalytics({ host, writeKey: key });
    return (number) => analytics.track("Counted", { mark: mark(number) });
  },
  snowplow(host, key) {
    newTracker("t", host, { appId: key, bufferSize: 1, maxPostBytes: 20_000 });
    window.lookAtPage = () => trackPageView(); // it sends again what waits when something new is to be sent
    const schema = "iglu:example.orchard/counted/jsonschema/1-0-0";
    return (number) =>
      number % 2
        ? trackStructEvent({ category: "c", action: "Counted", label: mark(number) })
        : trackSelfDescribingEvent({ event: { schema, data: { mark: mark(number) } } });
  },
  beacon(host, key) {
    const body = (number) => ({ type: "track", event: "Counted", anonymousId: "a-1", messageId: mark(number), writeKey: key });
    return (number) => {
      const event = { ...body(number), properties: { mark: mark(number) } };
      navigator.sendBeacon(`${host}/v1/track`, new Blob([JSON.stringify(event)], { type: "application/json" }));
    };
  },
};
