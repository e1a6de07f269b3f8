// Goal: the chart shows every hour of its range. Method: sparse counts.
import { describe, expect, it } from "vitest";
import { fillHours, roundUp } from "./HourChart";

describe("the hours of a chart", () => {
  it("are there also where nothing happened", () => {
    const filled = fillHours([{ start: "2026-01-01T02:00:00Z", traces: 3, errors: 1 }], "2026-01-01T00:30:00Z", "2026-01-01T04:00:00Z");
    expect(filled.map((each) => each.traces)).toEqual([0, 0, 3, 0]);
    expect(filled[0]!.start).toBe("2026-01-01T00:00:00.000Z");
  });
  it("have a round top", () => expect([1, 4, 5, 37, 41, 999].map(roundUp)).toEqual([4, 4, 5, 40, 50, 1000]));
});
