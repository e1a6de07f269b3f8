// Goal: whatever the server sends, a turn ends in exactly one state with what was received. Method: recorded events, cut at every byte.
import { describe, expect, it } from "vitest";
import type { Source } from "../../api/types";
import { messagesOf, newTurn, readEvents, reduceTurn, type Turn, type TurnEvent } from "./stream";

const source: Source = {
  number: 1,
  chunk_id: "c",
  document_id: "d",
  title: "Classes",
  heading: "Constructors",
  author: "F. Brokken",
  url: "",
  text: "é…",
  score: 1,
};
const stream = [
  { volan: { trace_id: "t1" }, choices: [{ delta: { role: "assistant" } }] },
  { choices: [], volan: { sources: [source] } },
  { choices: [{ delta: { content: "A constructor é" } }] },
  { choices: [{ delta: { content: " initialises [1]." }, finish_reason: null }] },
  { choices: [{ delta: {}, finish_reason: "stop" }] },
  { choices: [], volan: { trace_id: "t1", timings: { total_ms: 12 }, usage: { prompt_tokens: 9, completion_tokens: 4 } } },
];
const bytes = new TextEncoder().encode(`${stream.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n`);

function bodyOf(...parts: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

async function fold(body: ReadableStream<Uint8Array>): Promise<Turn> {
  let turn = newTurn("1", "q");
  await readEvents(body, (event: TurnEvent) => {
    turn = reduceTurn(turn, event);
  });
  return reduceTurn(turn, { type: "ended" });
}

describe("a chat stream", () => {
  it("folds to the same turn wherever the network cuts it", async () => {
    for (let cut = 1; cut < bytes.length; cut++) {
      const turn = await fold(bodyOf(bytes.slice(0, cut), bytes.slice(cut)));
      expect(turn).toMatchObject({
        state: "done",
        answer: "A constructor é initialises [1].",
        sources: [source],
        traceId: "t1",
        timings: { total_ms: 12 },
        usage: { completion_tokens: 4 },
      });
    }
  });

  it("fails when it ends before the last chunk", async () => {
    const turn = await fold(bodyOf(bytes.slice(0, bytes.length / 2)));
    expect(turn).toMatchObject({ state: "failed", error: { code: "data_loss" } });
  });

  it("keeps the text that came before an error in the stream", () => {
    let turn = reduceTurn(newTurn("1", "q"), { type: "chunk", data: { choices: [{ delta: { content: "half" } }] } });
    turn = reduceTurn(turn, { type: "chunk", data: { error: { message: "model server left", code: "upstream" } } });
    expect(turn).toMatchObject({ state: "failed", answer: "half", error: { code: "upstream", message: "model server left" } });
  });

  it("reports an event that is no JSON", async () => {
    expect(await fold(bodyOf(new TextEncoder().encode("data: {oops\n\n")))).toMatchObject({
      state: "failed",
      error: { code: "data_loss" },
    });
  });

  it("does not change after it ended", () => {
    const stopped = reduceTurn(newTurn("1", "q"), { type: "stopped" });
    expect(reduceTurn(stopped, { type: "chunk", data: { choices: [{ delta: { content: "late" } }] } })).toBe(stopped);
  });
});

describe("the messages of a request", () => {
  it("leave out failed turns", () => {
    const done: Turn = { ...newTurn("1", "first"), answer: "yes", state: "done" };
    const failed: Turn = { ...newTurn("2", "second"), answer: "ha", state: "failed" };
    expect(messagesOf([done, failed], "third")).toEqual([
      { role: "user", content: "first" },
      { role: "assistant", content: "yes" },
      { role: "user", content: "third" },
    ]);
  });
});
