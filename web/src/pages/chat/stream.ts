// The chat stream: reads server-sent events and folds them into one turn. The folding is pure, so that every branch has a test.
import { createParser } from "eventsource-parser";
import { ApiError, errorFrom, jsonHeaders, send } from "../../api/client";
import type { Source, Timings, Usage } from "../../api/types";

export type TurnState = "waiting" | "streaming" | "done" | "stopped" | "failed";

/** One question and what came back. */
export type Turn = {
  id: string;
  question: string;
  answer: string;
  state: TurnState;
  sources: Source[];
  traceId?: string;
  timings?: Timings;
  usage?: Usage;
  finishReason?: string;
  error?: { code: string; message: string; fix?: string };
};

export type TurnEvent =
  | { type: "chunk"; data: Chunk }
  | { type: "failed"; error: { code: string; message: string; fix?: string } }
  | { type: "stopped" }
  | { type: "ended" };

export type Chunk = {
  choices?: { delta?: { content?: string | null }; finish_reason?: string | null }[];
  usage?: Usage | null;
  volan?: { trace_id?: string; sources?: Source[]; timings?: Timings; usage?: Usage };
  error?: { message: string; type?: string; param?: string | null; code?: string | null };
};

export function newTurn(id: string, question: string): Turn {
  return { id, question, answer: "", state: "waiting", sources: [] };
}

/** Advances a turn by one event. A turn that has ended stays as it is. */
export function reduceTurn(turn: Turn, event: TurnEvent): Turn {
  if (turn.state !== "waiting" && turn.state !== "streaming") return turn;
  switch (event.type) {
    case "failed":
      return { ...turn, state: "failed", error: event.error };
    case "stopped":
      return { ...turn, state: "stopped" };
    case "ended":
      if (turn.finishReason) return { ...turn, state: "done" };
      return {
        ...turn,
        state: "failed",
        error: {
          code: "data_loss",
          message: "The stream ended before the answer was complete.",
          fix: "Ask again; the trace shows how far it came.",
        },
      };
    case "chunk":
      return reduceChunk(turn, event.data);
  }
}

function reduceChunk(turn: Turn, chunk: Chunk): Turn {
  if (chunk.error)
    return { ...turn, state: "failed", error: { code: chunk.error.code ?? chunk.error.type ?? "internal", message: chunk.error.message } };
  const choice = chunk.choices?.[0];
  const text = choice?.delta?.content ?? "";
  const next: Turn = { ...turn };
  if (text) {
    next.answer += text;
    next.state = "streaming";
  }
  if (choice?.finish_reason) next.finishReason = choice.finish_reason;
  if (chunk.volan?.trace_id) next.traceId = chunk.volan.trace_id;
  if (chunk.volan?.sources) next.sources = chunk.volan.sources;
  if (chunk.volan?.timings) next.timings = chunk.volan.timings;
  const usage = chunk.volan?.usage ?? chunk.usage;
  if (usage) next.usage = usage;
  return next;
}

type Message = { role: "user" | "assistant"; content: string };

/** The messages of a request: earlier complete turns, then the question. */
export function messagesOf(turns: Turn[], question: string): Message[] {
  const earlier = turns
    .filter((turn) => turn.answer && (turn.state === "done" || turn.state === "stopped"))
    .flatMap((turn): Message[] => [
      { role: "user", content: turn.question },
      { role: "assistant", content: turn.answer },
    ]);
  return [...earlier, { role: "user", content: question }];
}

/** Asks and reports each event until the answer ends. Never throws: failures and the reader's stop are events too. */
export async function ask(
  app: string,
  session: string,
  messages: Message[],
  signal: AbortSignal,
  emit: (event: TurnEvent) => void,
): Promise<void> {
  try {
    const response = await send(
      new Request("/v1/chat/completions", {
        method: "POST",
        headers: jsonHeaders,
        signal,
        body: JSON.stringify({
          model: app,
          messages,
          stream: true,
          stream_options: { include_usage: true },
          metadata: { session_id: session },
        }),
      }),
    );
    if (!response.ok) throw errorFrom(response.status, await response.json().catch(() => undefined));
    if (!response.body) throw new ApiError(response.status, "data_loss", "The answer had no body.");
    await readEvents(response.body, emit);
    emit({ type: "ended" });
  } catch (failure) {
    if (signal.aborted) emit({ type: "stopped" });
    else if (failure instanceof ApiError)
      emit({ type: "failed", error: { code: failure.code, message: failure.message, fix: failure.fix } });
    else
      emit({
        type: "failed",
        error: {
          code: "unavailable",
          message: "The connection broke while the answer was coming.",
          fix: "Ask again; the trace shows how far it came.",
        },
      });
  }
}

/** Parses a body of server-sent events; `[DONE]` carries no data and is left out, a line that is no JSON becomes a failure. */
export async function readEvents(body: ReadableStream<Uint8Array>, emit: (event: TurnEvent) => void): Promise<void> {
  const parser = createParser({
    onEvent: ({ data }) => {
      if (data === "[DONE]") return;
      let chunk: Chunk;
      try {
        chunk = JSON.parse(data) as Chunk;
      } catch {
        emit({ type: "failed", error: { code: "data_loss", message: "The server sent an event that is no JSON." } });
        return;
      }
      emit({ type: "chunk", data: chunk });
    },
  });
  const reader = body.getReader();
  const decoder = new TextDecoder();
  for (let part = await reader.read(); !part.done; part = await reader.read()) parser.feed(decoder.decode(part.value, { stream: true }));
}
