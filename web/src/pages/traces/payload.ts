// What a span's input or output is: a conversation, sources, plain text, or some other JSON. Reads the shapes that volan and the usual clients write.

export type Message = { role: string; text: string; calls: { name: string; arguments: unknown }[] };
export type Hit = { id?: string; title: string; heading?: string; text: string; score?: number; rankDense?: number; rankLexical?: number };
export type Payload =
  | { type: "none" }
  | { type: "messages"; messages: Message[]; rest?: Record<string, unknown> }
  | { type: "hits"; hits: Hit[]; rest?: Record<string, unknown> }
  | { type: "text"; text: string }
  | { type: "json"; value: unknown };

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

export function interpret(value: unknown): Payload {
  if (value === undefined || value === null || value === "") return { type: "none" };
  if (typeof value === "string") {
    const parsed = parsedJson(value);
    return parsed === undefined ? { type: "text", text: value } : interpret(parsed);
  }
  if (Array.isArray(value)) return interpretList(value) ?? { type: "json", value };
  if (!isFields(value)) return { type: "json", value };
  if (typeof value.role === "string") return { type: "messages", messages: [messageOf(value)] };
  for (const key of ["messages", "choices"]) {
    const list = value[key];
    if (!Array.isArray(list)) continue;
    const found = interpretList(
      key === "choices" ? list.map((choice) => (isFields(choice) ? (choice.message ?? choice.delta) : choice)) : list,
    );
    if (found?.type === "messages") return { ...found, rest: without(value, key) };
  }
  for (const key of ["sources", "hits", "results", "documents", "chunks"]) {
    const list = value[key];
    const found = Array.isArray(list) ? interpretList(list) : undefined;
    if (found?.type === "hits") return { ...found, rest: without(value, key) };
  }
  const keys = Object.keys(value);
  for (const key of ["text", "content", "query", "answer", "prompt", "question", "completion"]) {
    if (keys.length === 1 && typeof value[key] === "string") return { type: "text", text: value[key] };
  }
  return { type: "json", value };
}

function interpretList(list: unknown[]): Payload | undefined {
  if (!list.length || !list.every(isFields)) return undefined;
  if (list.every((item) => typeof item.role === "string")) return { type: "messages", messages: list.map(messageOf) };
  if (list.every((item) => typeof item.text === "string" || typeof item.content === "string"))
    return { type: "hits", hits: list.map(hitOf) };
  return undefined;
}

function messageOf(fields: Fields): Message {
  const calls = Array.isArray(fields.tool_calls) ? fields.tool_calls.filter(isFields) : [];
  return {
    role: String(fields.role),
    text: contentText(fields.content),
    calls: calls.map((call) => {
      const inner = isFields(call.function) ? call.function : call;
      const given = inner.arguments;
      return { name: String(inner.name ?? "tool"), arguments: typeof given === "string" ? (parsedJson(given) ?? given) : given };
    }),
  };
}

/** The text of a message's content: a string, or OpenAI's list of parts, where what is no text is named in brackets. */
function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return content === undefined || content === null ? "" : JSON.stringify(content, null, 2);
  return content
    .map((part) => (isFields(part) ? (typeof part.text === "string" ? part.text : `[${String(part.type ?? "part")}]`) : String(part)))
    .join("\n");
}

function hitOf(fields: Fields): Hit {
  const text = (key: string) => (typeof fields[key] === "string" && fields[key] ? fields[key] : undefined);
  const number = (key: string) => (typeof fields[key] === "number" ? fields[key] : undefined);
  return {
    id: text("chunk_id") ?? text("id"),
    title: text("title") ?? text("heading") ?? text("chunk_id") ?? text("id") ?? "Untitled",
    heading: text("title") ? text("heading") : undefined,
    text: text("text") ?? text("content") ?? "",
    score: number("score"),
    rankDense: number("rank_dense"),
    rankLexical: number("rank_lexical"),
  };
}

function parsedJson(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function without(fields: Fields, key: string): Fields | undefined {
  const rest = Object.fromEntries(Object.entries(fields).filter(([name]) => name !== key));
  return Object.keys(rest).length ? rest : undefined;
}
