// The filter of the trace list: between the address, the chips and the text form for experts.
import type { TraceFilter } from "../../api/queries";
import type { TraceRow } from "../../api/types";

export type Range = "15m" | "1h" | "24h" | "7d" | "30d" | "all";
export const ranges: Record<Range, { label: string; ms?: number }> = {
  "15m": { label: "Last 15 minutes", ms: 15 * 60_000 },
  "1h": { label: "Last hour", ms: 3_600_000 },
  "24h": { label: "Last 24 hours", ms: 86_400_000 },
  "7d": { label: "Last 7 days", ms: 7 * 86_400_000 },
  "30d": { label: "Last 30 days", ms: 30 * 86_400_000 },
  all: { label: "All time" },
};

/** What the address of the list holds. */
export type TraceSearch = Omit<TraceFilter, "from" | "to"> & { range?: Range; from?: string; to?: string; cols?: string };

export const statuses = ["running", "ok", "error", "cancelled", "interrupted"] as const;

type Field = { key: "status" | "app" | "model" | "name" | "session_id" | "duration_ms_min"; label: string; operator: string; hint: string };
export const fields: Field[] = [
  { key: "status", label: "Status", operator: "is", hint: "error" },
  { key: "app", label: "App", operator: "is", hint: "twin" },
  { key: "model", label: "Model", operator: "is", hint: "smollm2-135m" },
  { key: "name", label: "Name", operator: "contains", hint: "chat" },
  { key: "session_id", label: "Session", operator: "is", hint: "a session's id" },
  { key: "duration_ms_min", label: "Duration", operator: "≥", hint: "500 ms, 2 s" },
];

/** Keeps what is valid in an address; anything else is dropped, so that an old or broken link still opens the list. */
export function parseSearch(raw: Record<string, unknown>): TraceSearch {
  const text = (key: string) =>
    typeof raw[key] === "string" && raw[key] ? raw[key] : typeof raw[key] === "number" ? String(raw[key]) : undefined;
  const minimum = Number(raw.duration_ms_min);
  const range = text("range");
  const search: TraceSearch = {
    text: text("text"),
    status: statuses.find((status) => status === raw.status),
    app: text("app"),
    model: text("model"),
    name: text("name"),
    session_id: text("session_id"),
    duration_ms_min: raw.duration_ms_min !== undefined && Number.isFinite(minimum) && minimum > 0 ? minimum : undefined,
    range: range && range in ranges ? (range as Range) : undefined,
    from: time(raw.from),
    to: time(raw.to),
    cols: text("cols"),
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined));
}

function time(value: unknown): string | undefined {
  return typeof value === "string" && !Number.isNaN(Date.parse(value)) ? value : undefined;
}

/** Reads "500", "500ms", "2 s" or "1.5min" as milliseconds. */
export function parseDuration(text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s|min|m)?\s*$/i.exec(text);
  if (!match) return undefined;
  const unit = { us: 0.001, µs: 0.001, ms: 1, s: 1000, m: 60_000, min: 60_000 }[(match[2] ?? "ms").toLowerCase()];
  return Number(match[1]) * unit!;
}

/** Reads the text form: `status:error app:twin duration>=2s words to find`. Words that are no condition search the text. */
export function parseQuery(query: string): TraceSearch {
  const found: Record<string, unknown> = {};
  const rest: string[] = [];
  for (const word of query.match(/(?:[a-z]+(?::|>=?))?"[^"]*"|\S+/gi) ?? []) {
    const condition = /^(status|app|model|name|session|range):(.+)$/i.exec(word);
    const minimum = /^duration(?:>=?|:)(.+)$/i.exec(word);
    if (condition) found[condition[1]!.toLowerCase().replace(/^session$/, "session_id")] = condition[2]!.replaceAll('"', "");
    else if (minimum) found.duration_ms_min = parseDuration(minimum[1]!);
    else rest.push(word.replaceAll('"', ""));
  }
  if (rest.length) found.text = rest.join(" ");
  return parseSearch(found);
}

/** The request of an address. `now` is rounded to the minute, so that the same address stays the same request for a while. */
export function toRequest(search: TraceSearch, now: number): TraceFilter {
  const { range, cols: _, ...filter } = search;
  const ms = ranges[range ?? "24h"].ms;
  if (filter.from || filter.to || ms === undefined) return filter;
  return { ...filter, from: new Date(Math.floor((now - ms) / 60_000) * 60_000).toISOString() };
}

/** Whether a live row belongs into a filtered list. Text is left to the server, which sees whole inputs: such rows do not wait. */
export function matches(row: TraceRow, filter: TraceFilter): boolean {
  if (filter.text || filter.to) return false;
  const same = (wanted: string | undefined, value: string | undefined) => wanted === undefined || wanted === value;
  const long = filter.duration_ms_min === undefined || (row.duration_ms ?? 0) >= filter.duration_ms_min;
  return (
    same(filter.status, row.status) &&
    same(filter.app, row.app) &&
    same(filter.model, row.model) &&
    (row.name ?? "").toLowerCase().includes((filter.name ?? "").toLowerCase()) &&
    same(filter.session_id, row.session_id) &&
    long
  );
}
