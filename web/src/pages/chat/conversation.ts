// The state of a conversation: its turns, kept for this browser tab, so that a reload or a look at a trace loses nothing.
import { useCallback, useEffect, useRef, useState } from "react";
import { ask, messagesOf, newTurn, reduceTurn, type Turn } from "./stream";

const key = (id: string) => `volan-chat-${id}`;

/** An id for a conversation or turn. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function stored(id: string): Turn[] {
  try {
    const turns = JSON.parse(sessionStorage.getItem(key(id)) ?? "[]") as Turn[];
    return turns.map((turn) => (turn.state === "waiting" || turn.state === "streaming" ? { ...turn, state: "stopped" } : turn));
  } catch {
    return [];
  }
}

export type Conversation = { turns: Turn[]; busy: boolean; send: (question: string) => void; stop: () => void; retry: () => void };

export function useConversation(id: string, app: string | undefined): Conversation {
  const [turns, setTurns] = useState<Turn[]>(() => stored(id));
  const abort = useRef<AbortController>(undefined);
  const busy = turns.some((turn) => turn.state === "waiting" || turn.state === "streaming");

  useEffect(() => {
    if (busy || !turns.length) return;
    try {
      sessionStorage.setItem(key(id), JSON.stringify(turns.slice(-40)));
    } catch {
      // Without storage the conversation lasts as long as the page.
    }
  }, [id, turns, busy]);
  useEffect(() => () => abort.current?.abort(), []);

  const start = useCallback(
    (before: Turn[], question: string) => {
      if (!app) return;
      const turn = newTurn(newId(), question);
      const controller = new AbortController();
      abort.current = controller;
      setTurns([...before, turn]);
      void ask(app, id, messagesOf(before, question), controller.signal, (event) => {
        setTurns((old) => old.map((each) => (each.id === turn.id ? reduceTurn(each, event) : each)));
      });
    },
    [app, id],
  );
  return {
    turns,
    busy,
    send: (question) => {
      if (!busy) start(turns, question);
    },
    stop: () => abort.current?.abort(),
    retry: () => {
      const last = turns.at(-1);
      if (last && !busy) start(turns.slice(0, -1), last.question);
    },
  };
}
