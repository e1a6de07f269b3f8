// Goal: every page shows the same number as the same text. Method: the boundaries between units.
import { describe, expect, it } from "vitest";
import { ago, bytes, compact, count, duration, plural, share } from "./format";

describe("duration", () => {
  it.each([
    [undefined, "–"],
    [0, "0 ms"],
    [0.0004, "1 µs"],
    [0.42, "420 µs"],
    [1, "1 ms"],
    [7.256, "7.26 ms"],
    [42.04, "42 ms"],
    [310.4, "310 ms"],
    [999.6, "1 s"],
    [7421, "7.42 s"],
    [59_949, "59.9 s"],
    [60_000, "1 min"],
    [400_000, "6 min 40 s"],
    [3_600_000, "1 h"],
    [93_784_000, "1 d 2 h"],
    [-5, "-5 ms"],
  ])("writes %s ms as %s", (ms, text) => expect(duration(ms)).toBe(text));
});

describe("counts", () => {
  it("separates thousands", () => expect(count(1234567)).toBe("1,234,567"));
  it("keeps small numbers exact in tiles", () => expect(compact(9999)).toBe("9,999"));
  it("shortens large numbers in tiles", () =>
    expect([compact(12_345), compact(1_284_321), compact(2e9)]).toEqual(["12.3k", "1.28M", "2B"]));
  it("uses powers of 1024 for bytes", () => expect([bytes(512), bytes(1536), bytes(157_286_400)]).toEqual(["512 B", "1.5 KiB", "150 MiB"]));
  it("gives the whole with the share", () =>
    expect([share(3, 120), share(1, 1000), share(0, 0)]).toEqual(["2.5% of 120", "0.10% of 1,000", "none yet"]));
  it("uses the singular for one", () => expect([plural(1, "span"), plural(2, "query", "queries")]).toEqual(["1 span", "2 queries"]));
});

describe("ago", () => {
  const now = Date.parse("2026-01-01T12:00:00Z");
  it.each([
    ["2026-01-01T11:59:59Z", "now"],
    ["2026-01-01T11:59:48Z", "12 s ago"],
    ["2026-01-01T09:00:00Z", "3 h ago"],
    ["2026-01-01T12:05:00Z", "in 5 min"],
    ["2025-11-01T12:00:00Z", "2 mo ago"],
    ["nonsense", "nonsense"],
  ])("reads %s as %s", (time, text) => expect(ago(time, now)).toBe(text));
});
