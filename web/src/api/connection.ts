// Whether the server answers, learned from every request; while it does not, a small probe asks again until it does.
import { useSyncExternalStore } from "react";

type Listener = () => void;
const listeners = new Set<Listener>();
const recovered = new Set<Listener>();
let online = true;
let probe: ReturnType<typeof setInterval> | undefined;

/** Called with what each request learned. */
export function setOnline(next: boolean): void {
  if (next === online) return;
  online = next;
  if (next) {
    clearInterval(probe);
    for (const listener of recovered) listener();
  } else {
    probe = setInterval(
      () =>
        void fetch("/health/live").then(
          () => setOnline(true),
          () => undefined,
        ),
      3000,
    );
  }
  for (const listener of listeners) listener();
}

/** Calls `listener` each time the server answers again. Returns what ends the subscription. */
export function onRecovered(listener: Listener): () => void {
  recovered.add(listener);
  return () => recovered.delete(listener);
}

export function useOnline(): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => online,
  );
}
