// Goal: every span of a trace is shown once, in time order, quickly. Method: small trees with known order, odd input, and one of 100,000 spans.
import { describe, expect, it } from "vitest";
import type { Span } from "../../api/types";
import { ancestors, buildTree, idsOfKind, ticks, visibleRows } from "./tree";

const base = Date.parse("2026-01-01T00:00:00Z");
function span(id: string, parent: string | undefined, offset: number, more: Partial<Span> = {}): Span {
  return {
    span_id: id,
    parent_id: parent,
    name: id,
    kind: "chain",
    status: "ok",
    start: new Date(base + offset).toISOString(),
    duration_ms: 10,
    prompt_tokens: 0,
    completion_tokens: 0,
    ...more,
  };
}
const ids = (rows: { span: Span }[]) => rows.map((row) => row.span.span_id);

describe("a span tree", () => {
  it("lists children under their parent in order of start, whatever the order of arrival", () => {
    const tree = buildTree([span("c", "a", 20), span("b", "a", 10), span("d", "b", 11), span("a", undefined, 0)]);
    expect(visibleRows(tree, new Set()).map((row) => [row.span.span_id, row.depth])).toEqual([
      ["a", 0],
      ["b", 1],
      ["d", 2],
      ["c", 1],
    ]);
    expect(tree.byId.get("a")!.descendants).toBe(3);
  });
  it("hides what lies below a collapsed span", () => {
    const tree = buildTree([span("a", undefined, 0), span("b", "a", 1), span("c", "b", 2), span("d", "a", 3)]);
    expect(ids(visibleRows(tree, new Set(["b"])))).toEqual(["a", "b", "d"]);
  });
  it("shows orphans and cycles as roots", () => {
    const tree = buildTree([span("a", "gone", 0), span("x", "y", 1), span("y", "x", 2), span("self", "self", 3)]);
    expect(ids(visibleRows(tree, new Set())).sort()).toEqual(["a", "self", "x", "y"]);
    expect(ancestors(tree, "y").length).toBeLessThan(3);
  });
  it("carries a failure up to the root", () => {
    const tree = buildTree([span("a", undefined, 0), span("b", "a", 1), span("c", "b", 2, { status: "error" })]);
    expect([tree.byId.get("a")!.failed, tree.byId.get("b")!.failed]).toEqual([true, true]);
  });
  it("lets a running span end at the latest known time", () => {
    const tree = buildTree([span("a", undefined, 0, { status: "running", duration_ms: undefined }), span("b", "a", 30)]);
    expect(tree.byId.get("a")!.end - base).toBe(40);
  });
  it("counts kinds and finds those that can be collapsed", () => {
    const tree = buildTree([span("a", undefined, 0), span("b", "a", 1, { kind: "llm" })]);
    expect(tree.kinds).toContainEqual(["llm", 1]);
    expect([idsOfKind(tree, "chain"), idsOfKind(tree, "llm")]).toEqual([["a"], []]);
  });
  it.each(["wide", "deep"])("takes 100,000 %s spans in well under a second", (shape) => {
    const spans = Array.from({ length: 100_000 }, (_, index) =>
      span(`s${index}`, index === 0 ? undefined : `s${shape === "deep" ? index - 1 : Math.floor((index - 1) / 10)}`, index % 5000),
    );
    const before = performance.now();
    const rows = visibleRows(buildTree(spans), new Set());
    expect(rows.length).toBe(100_000);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});

describe("the time axis", () => {
  it("uses round steps", () => expect([ticks(100), ticks(7300), ticks(0)]).toEqual([[0, 25, 50, 75, 100], [0, 2000, 4000, 6000], [0]]));
});
