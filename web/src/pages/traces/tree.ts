// The span tree: from the flat list of a trace to the rows that a virtual list shows.
import type { Kind, Span } from "../../api/types";

export type Node = { span: Span; children: Node[]; depth: number; start: number; end: number; failed: boolean; descendants: number };
export type SpanTree = { roots: Node[]; byId: Map<string, Node>; start: number; end: number; kinds: [Kind, number][] };

/**
 * Builds the tree. A span whose parent is unknown, or that is its own ancestor, becomes a root, so that no span is ever hidden.
 * Shapes: `spans` in any order; children are sorted by start, then by id.
 * Units:  `start` and `end` in milliseconds since the epoch; a running span ends at the latest time known in the trace.
 * Cost:   O(n log n), without recursion: 100,000 spans of any depth.
 */
export function buildTree(spans: Span[]): SpanTree {
  const byId = new Map<string, Node>();
  const counts = new Map<Kind, number>();
  let start = Number.POSITIVE_INFINITY;
  let end = Number.NEGATIVE_INFINITY;
  for (const span of spans) {
    const from = Date.parse(span.start);
    const to = span.duration_ms !== undefined ? from + span.duration_ms : span.end ? Date.parse(span.end) : Number.NaN;
    byId.set(span.span_id, { span, children: [], depth: 0, start: from, end: to, failed: span.status === "error", descendants: 0 });
    counts.set(span.kind, (counts.get(span.kind) ?? 0) + 1);
    start = Math.min(start, from);
    end = Math.max(end, Number.isNaN(to) ? from : to);
  }
  const roots: Node[] = [];
  for (const node of byId.values()) {
    if (Number.isNaN(node.end)) node.end = end;
    const parent = node.span.parent_id ? byId.get(node.span.parent_id) : undefined;
    if (parent && parent !== node) parent.children.push(node);
    else roots.push(node);
  }
  const reached = walk(roots);
  if (reached.length < byId.size) {
    const seen = new Set(reached);
    for (const node of byId.values()) {
      if (seen.has(node)) continue;
      const parent = byId.get(node.span.parent_id ?? "");
      if (parent) parent.children = parent.children.filter((child) => child !== node);
      roots.push(node);
      for (const added of walk([node])) seen.add(added);
    }
    walk(roots);
  }
  const order = walk(roots);
  for (let index = order.length - 1; index >= 0; index--) {
    const node = order[index]!;
    for (const child of node.children) {
      node.descendants += 1 + child.descendants;
      node.failed ||= child.failed;
    }
  }
  return { roots, byId, start: spans.length ? start : 0, end: spans.length ? end : 0, kinds: [...counts].sort((a, b) => b[1] - a[1]) };
}

/** Sorts children, sets depths and returns the nodes in the order shown, each once. */
function walk(roots: Node[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const sorted = (nodes: Node[]) => nodes.sort((a, b) => a.start - b.start || (a.span.span_id < b.span.span_id ? -1 : 1));
  const stack = sorted(roots)
    .map((node) => ({ node, depth: 0 }))
    .reverse();
  while (stack.length) {
    const { node, depth } = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    node.depth = depth;
    order.push(node);
    sorted(node.children);
    for (let index = node.children.length - 1; index >= 0; index--) stack.push({ node: node.children[index]!, depth: depth + 1 });
  }
  return order;
}

/** The rows to show: everything in order, without what lies below a collapsed span. Cost: O(visible + collapsed). */
export function visibleRows(tree: SpanTree, collapsed: ReadonlySet<string>): Node[] {
  const rows: Node[] = [];
  const stack = [...tree.roots].reverse();
  while (stack.length) {
    const node = stack.pop()!;
    rows.push(node);
    if (collapsed.has(node.span.span_id)) continue;
    for (let index = node.children.length - 1; index >= 0; index--) stack.push(node.children[index]!);
  }
  return rows;
}

/** The ids of the spans of one kind that have children: what "collapse by kind" closes. */
export function idsOfKind(tree: SpanTree, kind: Kind): string[] {
  return [...tree.byId.values()].filter((node) => node.span.kind === kind && node.children.length).map((node) => node.span.span_id);
}

/** The spans above a span, outermost first, so that a linked span can be opened. */
export function ancestors(tree: SpanTree, spanId: string): string[] {
  const found: string[] = [];
  let node = tree.byId.get(tree.byId.get(spanId)?.span.parent_id ?? "");
  while (node && !found.includes(node.span.span_id)) {
    found.unshift(node.span.span_id);
    node = tree.byId.get(node.span.parent_id ?? "");
  }
  return found;
}

/** Round positions for a time axis of at most `most` + 1 ticks, in milliseconds from 0 to `total`. */
export function ticks(total: number, most = 4): number[] {
  if (!(total > 0)) return [0];
  const raw = total / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= raw - 1e-9)!;
  return Array.from({ length: Math.floor(total / step + 1e-9) + 1 }, (_, index) => index * step);
}
