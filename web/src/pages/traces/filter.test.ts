// Goal: an address, the chips and the text form mean the same filter. Method: round values, broken values, and live rows.
import { describe, expect, it } from "vitest";
import type { TraceRow } from "../../api/types";
import { matches, parseDuration, parseQuery, parseSearch, toRequest } from "./filter";

describe("an address", () => {
  it("keeps what is valid and drops the rest", () => {
    expect(parseSearch({ status: "error", duration_ms_min: "250", range: "1h", from: "yesterday", app: "", evil: "x" })).toEqual({
      status: "error",
      duration_ms_min: 250,
      range: "1h",
    });
  });
  it("drops a status and a duration that do not exist", () => expect(parseSearch({ status: "bad", duration_ms_min: "fast" })).toEqual({}));
});

describe("the text form", () => {
  it("reads conditions and words", () => {
    expect(parseQuery('status:error duration>=2s virtual functions app:twin name:"chat turn"')).toEqual({
      status: "error",
      duration_ms_min: 2000,
      text: "virtual functions",
      app: "twin",
      name: "chat turn",
    });
  });
  it("reads durations with their unit", () =>
    expect(["500", "1.5s", "2 min", "10µs", "soon"].map(parseDuration)).toEqual([500, 1500, 120_000, 0.01, undefined]));
});

describe("a request", () => {
  const now = Date.parse("2026-01-02T00:00:30Z");
  it("covers the last day unless told otherwise", () => expect(toRequest({}, now)).toEqual({ from: "2026-01-01T00:00:00.000Z" }));
  it("has no start for all time", () => expect(toRequest({ range: "all", cols: "x" }, now)).toEqual({}));
  it("prefers exact times", () =>
    expect(toRequest({ range: "1h", from: "2025-01-01T00:00:00Z" }, now)).toEqual({ from: "2025-01-01T00:00:00Z" }));
});

describe("a live row", () => {
  const row = { status: "ok", app: "twin", model: "m", name: "chat", duration_ms: 100 } as TraceRow;
  it("waits only where it belongs", () => {
    expect([
      matches(row, {}),
      matches(row, { app: "twin", duration_ms_min: 50 }),
      matches(row, { status: "error" }),
      matches(row, { duration_ms_min: 500 }),
      matches(row, { text: "x" }),
    ]).toEqual([true, true, false, false, false]);
  });
});
