// The list that a trace was opened from, so that `[` and `]` go to its neighbours and "back" returns to the same filter.
import type { TraceSearch } from "./filter";

type List = { ids: string[]; search: TraceSearch };
const key = "volan-trace-list";

export function rememberList(ids: string[], search: TraceSearch): void {
  if (!ids.length) return;
  try {
    sessionStorage.setItem(key, JSON.stringify({ ids: ids.slice(0, 1000), search } satisfies List));
  } catch {
    // Without storage a trace only loses its neighbours.
  }
}

export function neighboursOf(traceId: string): { previous?: string; next?: string; place?: string } {
  let list: List | undefined;
  try {
    list = JSON.parse(sessionStorage.getItem(key) ?? "null") ?? undefined;
  } catch {
    return {};
  }
  const at = list?.ids.indexOf(traceId) ?? -1;
  if (!list || at < 0) return {};
  return { previous: list.ids[at - 1], next: list.ids[at + 1], place: `${at + 1} of ${list.ids.length}` };
}
