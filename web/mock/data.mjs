// Invented data for the mock server: enough of everything to judge a page by.
const now = Date.now();
const at = (ms) => new Date(now - ms).toISOString();
const hex = (n, length = 32) => (n * 2654435761 + 97).toString(16).padStart(8, "0").repeat(4).slice(0, length);

export const apps = [
  {
    name: "twin",
    title: "C++ Twin",
    description: "Answers from the C++ Annotations with numbered sources, in the author's own words.",
    endpoint: "chat",
    endpoint_state: "ready",
    author: "Frank B. Brokken",
    suggestions: [
      "What does a destructor do, and when is it called?",
      "How do virtual functions work?",
      "When should I use a reference instead of a pointer?",
      "What is the difference between new and malloc?",
    ],
  },
];

const topics = [
  [
    "What does a destructor do, and when is it called?",
    "A destructor releases the resources that an object owns. It is called automatically when the object goes out of scope",
  ],
  [
    "How do virtual functions work?",
    "Virtual functions use late binding: which function is called is determined by the object's dynamic type",
  ],
  ["Explain std::move in one paragraph", "Using std::move an lvalue is offered as an rvalue reference, so that its contents can be moved"],
  ["Difference between new and malloc", "The operator new calls constructors, malloc merely returns raw memory"],
  [
    "How can I overload operator<< for my own class?",
    "Define a free function that receives a std::ostream reference and a constant reference to your class",
  ],
  ["What are the rules for implicit conversion with explicit constructors?", "The keyword explicit suppresses implicit conversion"],
];
export const traces = Array.from({ length: 240 }, (_, n) => {
  const [input, output] = topics[n % topics.length];
  const status = n === 1 ? "running" : n % 17 === 5 ? "error" : n % 29 === 11 ? "cancelled" : "ok";
  const duration = 2200 + ((n * 7919) % 5200);
  return {
    id: hex(n + 1),
    span_id: "a0",
    name: n % 9 === 4 ? "embeddings" : "chat",
    kind: "chain",
    status,
    start: at(20_000 + n * n * 900 + n * 41_000),
    ...(status === "running"
      ? {}
      : { end: at(20_000 + n * n * 900 + n * 41_000 - duration), duration_ms: duration, first_token_ms: 280 + ((n * 331) % 700) }),
    app: "twin",
    model: "smollm2-135m-instruct",
    session_id: `s${n % 6}`,
    prompt_tokens: 900 + ((n * 53) % 500),
    completion_tokens: status === "running" ? 0 : 80 + ((n * 31) % 190),
    ...(status === "error" ? { error: "upstream: the model server closed the connection after 3 tokens" } : {}),
    input_preview: input,
    output_preview: status === "error" || status === "running" ? "" : output,
  };
});

const text =
  "A destructor is a special member function that is called when an object ceases to exist. Local non-static objects are destroyed when the execution flow leaves the block in which they were defined: their destructors are called just before their memory is released.\nThe destructor releases memory and other resources that the object owns. A destructor never has arguments, and it has no return type. Its name is the name of the class, prefixed by a tilde.\nDynamically allocated objects live until they are deleted; the operator delete calls the destructor and then returns the memory to the pool.";
const chunk = (number, heading, body = text) => ({
  number,
  chunk_id: `chk_${number}f3a`,
  document_id: `doc_${number}`,
  title: "Classes Having Pointers To Data Members",
  heading,
  author: "Frank B. Brokken",
  url: "",
  text: body,
  score: 0.0325 / number,
  rank_dense: number,
  rank_lexical: number === 2 ? 7 : number + 1,
});
export function sourcesFor() {
  return {
    sources: [
      chunk(1, "9.2: The destructor"),
      chunk(
        2,
        "9.1.1: Allocating arrays",
        "Arrays of objects are deleted with delete[]. For each of the elements the destructor is called, in reverse order of construction. If plain delete is used then only the first element's destructor runs.\n\nint main()\n{\n    string *words = new string[10];\n    delete[] words;\n}",
      ),
      chunk(
        3,
        "7.4: Constructors",
        "Constructors initialise the data members of objects. A class may define several constructors, which are then overloaded. A default constructor has no parameters.",
      ),
      chunk(4, "9.2.1: Object pointers revisited"),
      chunk(5, "23.1: Placement new"),
    ],
    answer:
      "A **destructor** is a special member function that is called when an object ceases to exist [1]. It releases memory and other resources that the object owns [1].\n\n- Local objects are destroyed when execution leaves their block [1].\n- Arrays made with `new[]` need `delete[]`, so that every element's destructor is called [2].\n\n```cpp\nclass Person\n{\n    std::string *d_name;\n    public:\n        ~Person() { delete d_name; }\n};\n```\n\nThe counterpart that initialises the members is the constructor [3].",
  };
}

export function trace(id) {
  const row = traces.find((each) => each.id === id) ?? (id === "big" ? traces[0] : undefined);
  if (!row) return undefined;
  const start = Date.parse(row.start);
  const spans = [];
  const add = (span_id, parent_id, name, kind, offset, duration_ms, more = {}) =>
    spans.push({
      span_id,
      parent_id,
      name,
      kind,
      status: "ok",
      start: new Date(start + offset).toISOString(),
      end: new Date(start + offset + duration_ms).toISOString(),
      duration_ms,
      attributes: {},
      ...more,
    });
  const { sources, answer } = sourcesFor();
  const failed = row.status === "error";
  const messages = [
    {
      role: "system",
      content:
        "You write as Frank B. Brokken. Answer only from the numbered sources and cite them as [1], [2]. If the sources do not say it, say so.",
    },
    {
      role: "user",
      content: `Sources:\n${sources.map((each) => `[${each.number}] ${each.heading}\n${each.text}`).join("\n\n")}\n\nQuestion: ${row.input_preview}`,
    },
  ];
  add("a0", undefined, row.name, "chain", 0, 3841, {
    app: row.app,
    model: row.model,
    prompt_tokens: row.prompt_tokens,
    completion_tokens: row.completion_tokens,
    first_token_ms: 412,
    status: failed ? "error" : row.status,
    input: { messages: [{ role: "user", content: row.input_preview }] },
    output: failed ? undefined : { role: "assistant", content: answer },
    error: row.error,
    attributes: {
      "volan.app": "twin",
      "volan.snapshot": "snp_71cc09",
      "http.route": "/v1/chat/completions",
      "gen_ai.conversation.id": row.session_id,
    },
  });
  add("b0", "a0", "retrieve", "chain", 2, 18.4, { input: row.input_preview });
  add("c0", "b0", "embed query", "embedding", 2.4, 9.6, {
    model: "all-minilm-l6-v2",
    prompt_tokens: 12,
    input: row.input_preview,
    attributes: { "gen_ai.request.model": "all-minilm-l6-v2", dimensions: 384 },
  });
  add("c1", "b0", "dense search", "retriever", 12.2, 3.1, {
    input: { query: row.input_preview },
    output: sources,
    attributes: { k: 20, index: "faiss", candidates: 1184 },
  });
  add("c2", "b0", "bm25 search", "retriever", 12.4, 2.2, {
    input: { query: row.input_preview },
    output: sources.slice(0, 3),
    attributes: { k: 20, index: "fts5" },
  });
  add("c3", "b0", "fuse ranks", "reranker", 15.6, 0.08, { output: sources.map(({ chunk_id, score }) => ({ chunk_id, score })) });
  add("b1", "a0", "build prompt", "step", 21, 0.42, { output: { prompt: messages[1].content } });
  add("b2", "a0", "chat smollm2", "llm", 22, 3816, {
    model: row.model,
    prompt_tokens: row.prompt_tokens,
    completion_tokens: row.completion_tokens,
    first_token_ms: 390,
    status: failed ? "error" : "ok",
    error: row.error,
    input: { messages, temperature: 0.2, max_tokens: 512 },
    output: failed ? undefined : { role: "assistant", content: answer },
    attributes: { "gen_ai.request.temperature": 0.2, "gen_ai.response.finish_reasons": ["stop"], "server.address": "127.0.0.1" },
  });
  add("b3", "a0", "check citations", "guardrail", 3839, 1.3, { output: { verdict: "allow", citations: [1, 2, 3] } });
  if (id === "big")
    for (let n = 0; n < 100_000; n++)
      add(
        `x${n}`,
        n < 10 ? "b0" : `x${Math.floor(n / 10)}`,
        `step ${n}`,
        ["tool", "llm", "step", "embedding"][n % 4],
        (n * 37) % 3800,
        1 + (n % 40),
      );
  return { id, values: "full", is_complete: true, spans };
}

const hours = Array.from({ length: 24 }, (_, n) => ({
  start: new Date(Math.floor((now - (23 - n) * 3_600_000) / 3_600_000) * 3_600_000).toISOString(),
  traces: Math.round(18 + 16 * Math.sin(n / 3.4) + ((n * 7) % 9)),
  errors: n % 7 === 3 ? 2 : 0,
}));
export const stats = {
  from: at(86_400_000),
  to: at(0),
  traces: 428,
  errors: 9,
  p50_ms: 3420,
  p95_ms: 6480,
  models: [
    { model: "smollm2-135m-instruct", calls: 428, errors: 3, prompt_tokens: 482_113, completion_tokens: 61_204 },
    { model: "all-minilm-l6-v2", calls: 428, errors: 3, prompt_tokens: 5204, completion_tokens: 0 },
  ],
  hours,
};

export const overview = {
  version: "0.1.0",
  started: at(7_620_000),
  uptime_seconds: 7620,
  project: { id: "prj_mock", name: "llm-twin" },
  resident_memory_bytes: 61_865_984,
  hops: [
    {
      id: "collect",
      title: "Collect",
      state: "ok",
      headline: "29 documents",
      detail: "1 source, read in place",
      last_event: at(7_200_000),
      link: "/features",
    },
    {
      id: "features",
      title: "Features",
      state: "ok",
      headline: "1,184 chunks",
      detail: "Snapshot snp_71cc09, nothing to do",
      last_event: at(7_100_000),
      link: "/features",
    },
    {
      id: "serve",
      title: "Serve",
      state: "attention",
      headline: "2 of 3 endpoints ready",
      detail: "rerank backs off after 3 failures",
      last_event: at(64_000),
      link: "/servers",
    },
    {
      id: "observe",
      title: "Observe",
      state: "busy",
      headline: "428 traces in 24 h",
      detail: "9 failed (2.1%)",
      last_event: at(9_000),
      link: "/traces",
    },
  ],
  totals: {
    documents: 29,
    chunks: 1184,
    traces_24h: 428,
    errors_24h: 9,
    prompt_tokens_24h: 487_317,
    completion_tokens_24h: 61_204,
    latency_p50_ms: 3420,
    latency_p95_ms: 6480,
  },
  attention: [
    {
      title: "The endpoint rerank does not answer",
      detail: "Connection refused at http://127.0.0.1:9001/v1, 3 times in a row.",
      fix: "Start the server at that address, or take rerank out of volan.yaml.",
      link: "/servers",
    },
  ],
};

export const endpoints = [
  {
    name: "chat",
    kind: "chat",
    managed: true,
    base_url: "http://127.0.0.1:41873/v1",
    model: "SmolLM2-135M-Instruct.Q4_1",
    state: "ready",
    pid: 4121,
    resident_memory_bytes: 268_435_456,
    started: at(7_600_000),
    restarts: 0,
    last_check: at(2000),
  },
  {
    name: "embed",
    kind: "embedding",
    managed: true,
    base_url: "http://127.0.0.1:41874/v1",
    model: "all-MiniLM-L6-v2",
    state: "starting",
    progress: "loading the model (62%)",
    pid: 4122,
    resident_memory_bytes: 122_683_392,
    started: at(4000),
    restarts: 1,
    last_check: at(1000),
  },
  {
    name: "rerank",
    kind: "rerank",
    managed: false,
    base_url: "http://127.0.0.1:9001/v1",
    model: "bge-reranker-base",
    state: "backing_off",
    restarts: 3,
    last_error: "Connection refused",
    last_check: at(12_000),
  },
];
const names = [
  "Introduction",
  "A First Impression Of C++",
  "Name Spaces",
  "The 'string' Data Type",
  "The IO-stream Library",
  "Classes",
  "Static Data And Functions",
  "Classes Having Pointers To Data Members",
  "Exceptions",
  "More Operator Overloading",
  "Abstract Containers",
  "Inheritance",
  "Polymorphism",
  "Friends",
  "The Standard Template Library",
  "Generic Algorithms",
  "Function Templates",
  "Class Templates",
  "Concrete Examples",
];
export const documents = names.map((title, n) => ({
  id: `doc_${n + 1}`,
  title,
  author: "Frank B. Brokken",
  category: "article",
  source: "annotations",
  url: "",
  locator: `cplusplus${String(n + 1).padStart(2, "0")}.html`,
  language: "en",
  state: n === 6 ? "failed" : "present",
  error: n === 6 ? "the page is not valid UTF-8 at byte 4120" : "",
  first_seen: at(9e7),
  last_seen: at(7e6),
  changed: at(8e7 - n * 1e6),
}));
export const document = (id) => ({
  document: documents.find((each) => each.id === id) ?? documents[7],
  chunks: Array.from({ length: 24 }, (_, n) => ({
    id: n === 3 ? "chk_1f3a" : `chk_${id}_${n}`,
    document_id: id,
    position: n,
    section: n,
    heading: ["Classes › 9.2: The destructor", "Classes › 9.1.1: Allocating arrays", "Classes › 7.4: Constructors"][n % 3],
    leaf: "",
    anchor: "",
    text: n % 3 === 1 ? sourcesFor().sources[1].text : text,
    text_hash: "",
    characters: 700,
    tokens: 128 + ((n * 31) % 180),
  })),
});
const report = {
  snapshot_id: "snp_71cc09e24b",
  is_new_snapshot: true,
  sources: [
    {
      source: "annotations",
      found: 29,
      created: 29,
      changed: 0,
      unchanged: 0,
      gone: 0,
      failed: 1,
      bytes: 3_812_004,
      dropped_characters: 91_200,
      seconds: 0.82,
      failures: [{ locator: "cplusplus07.html", error: "not valid UTF-8" }],
    },
  ],
  documents: 29,
  new_documents: 29,
  sections: 812,
  chunks: 1184,
  characters_in: 2_311_402,
  characters_out: 2_204_117,
  tokens: 391_220,
  embedded: 1184,
  embedded_tokens: 391_220,
  reused: 0,
  embedder: "all-MiniLM-L6-v2",
  collect_seconds: 0.82,
  cut_seconds: 2.31,
  embed_seconds: 124.2,
  index_seconds: 0.9,
  publish_seconds: 0.05,
  embedded_tokens_per_second: 3150,
};
export const features = {
  current: {
    id: "snp_71cc09e24b",
    settings_hash: "9c",
    created: at(7_100_000),
    used: at(7_000_000),
    is_current: true,
    documents: 29,
    chunks: 1184,
    tokens: 391_220,
    embedder: "all-MiniLM-L6-v2",
    dimension: 384,
  },
  authors: ["Frank B. Brokken"],
  categories: ["article", "repository"],
  has_graph: false,
  last_build: { id: "build_0", state: "done", started: at(7_230_000), ended: at(7_100_000), error: "", report },
};
export const keys = [
  { id: "key_1", name: "first start", role: "admin", prefix: "vk_9f3c", created: at(9e7), last_used: at(4000) },
  {
    id: "key_2",
    name: "notebook of the research group",
    role: "member",
    prefix: "vk_11ab",
    created: at(6e7),
    last_used: at(8e6),
    expires: at(-3e9),
  },
  { id: "key_3", name: "dashboard", role: "viewer", prefix: "vk_c07d", created: at(5e7) },
];
