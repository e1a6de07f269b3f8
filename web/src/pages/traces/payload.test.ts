// Goal: an input or output is shown as what it is. Method: the shapes that volan and the usual clients write, and shapes that fit none.
import { describe, expect, it } from "vitest";
import { interpret } from "./payload";

describe("a payload", () => {
  it("with messages is a conversation, and the rest is kept", () => {
    expect(
      interpret({ messages: [{ role: "user", content: [{ type: "text", text: "hi" }, { type: "image_url" }] }], temperature: 0.2 }),
    ).toEqual({
      type: "messages",
      messages: [{ role: "user", text: "hi\n[image_url]", calls: [] }],
      rest: { temperature: 0.2 },
    });
  });
  it("of a completion is a conversation too", () => {
    expect(
      interpret({
        choices: [{ message: { role: "assistant", content: null, tool_calls: [{ function: { name: "f", arguments: '{"a":1}' } }] } }],
      }),
    ).toMatchObject({
      type: "messages",
      messages: [{ role: "assistant", text: "", calls: [{ name: "f", arguments: { a: 1 } }] }],
    });
  });
  it("with sources is a list of hits", () => {
    expect(interpret({ sources: [{ chunk_id: "c1", title: "T", heading: "H", text: "x", score: 0.5, rank_dense: 2 }] })).toMatchObject({
      type: "hits",
      hits: [{ id: "c1", title: "T", heading: "H", score: 0.5, rankDense: 2 }],
    });
  });
  it("that is text, or only text, is text", () => {
    expect([interpret("plain"), interpret({ query: "why" }), interpret('{"query":"why"}')]).toEqual([
      { type: "text", text: "plain" },
      { type: "text", text: "why" },
      { type: "text", text: "why" },
    ]);
  });
  it("that is anything else is JSON", () => {
    expect([
      interpret([1, 2]).type,
      interpret({ a: 1 }).type,
      interpret(false).type,
      interpret("{broken").type,
      interpret([]).type,
    ]).toEqual(["json", "json", "json", "text", "json"]);
  });
  it("that is missing is none", () =>
    expect([interpret(undefined), interpret(null), interpret("")]).toEqual([{ type: "none" }, { type: "none" }, { type: "none" }]));
});
