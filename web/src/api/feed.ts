// The live feed of root spans: one event stream for the whole page, shared by whoever listens.
import { useEffect, useRef, useSyncExternalStore } from "react";
import type { TraceRow } from "./types";

type State = "off" | "connecting" | "live";
const rowListeners = new Set<(row: TraceRow) => void>();
const stateListeners = new Set<() => void>();
let state: State = "off";
let source: EventSource | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;

function setState(next: State): void {
  state = next;
  for (const listener of stateListeners) listener();
}

function connect(): void {
  clearTimeout(retry);
  source?.close();
  setState("connecting");
  source = new EventSource("/api/v1/traces/live");
  source.onopen = () => setState("live");
  source.addEventListener("trace", (event) => {
    const row = JSON.parse((event as MessageEvent<string>).data) as TraceRow;
    for (const listener of rowListeners) listener(row);
  });
  source.onerror = () => {
    setState("connecting");
    if (source?.readyState === EventSource.CLOSED) retry = setTimeout(connect, 5000);
  };
}

/** Keeps the feed open while the caller is shown. */
export function useLiveFeed(): void {
  useEffect(() => {
    connect();
    return () => {
      clearTimeout(retry);
      source?.close();
      setState("off");
    };
  }, []);
}

export function useFeedState(): State {
  return useSyncExternalStore(
    (listener) => {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    () => state,
  );
}

/** Calls `listener` for each root span that starts or ends. */
export function useTraceFeed(listener: (row: TraceRow) => void): void {
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const forward = (row: TraceRow) => latest.current(row);
    rowListeners.add(forward);
    return () => {
      rowListeners.delete(forward);
    };
  }, []);
}
