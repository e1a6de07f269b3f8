// A stand-in for the volan server, for work on the pages alone: `npm run mock`, then open http://127.0.0.1:8490/sign-in#token=mock.
// Serves the built pages with the same Content-Security-Policy, and invented data that shows every state. Not part of the product.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, resolve } from "node:path";
import { apps, document, documents, endpoints, features, keys, overview, sourcesFor, stats, trace, traces } from "./data.mjs";

const out = resolve(process.env.VOLAN_WEB_OUT ?? new URL("../../build/web", import.meta.url).pathname);
const types = {
  ".js": "text/javascript",
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".json": "application/json",
};
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";
const viewer = {
  project: "default",
  project_name: "llm-twin",
  role: "admin",
  actor: "key_1",
  actor_name: "first start",
  is_session: true,
  csrf_header: "X-Volan-CSRF",
};
const live = new Set();
const wait = (ms) => new Promise((done) => setTimeout(done, ms));

function json(response, value, status = 200) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(value === undefined ? "" : JSON.stringify(value));
}
const fail = (response, status, code, message, fix) => json(response, { error: { code, message, fix, request_id: "req_mock" } }, status);

async function chat(request, response) {
  let text = "";
  for await (const part of request) text += part;
  const { messages } = JSON.parse(text);
  const question = messages.at(-1).content;
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (chunk) => response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  send({ choices: [{ delta: { role: "assistant", content: "" } }], volan: { trace_id: traces[0].id } });
  await wait(200);
  const { sources, answer } = sourcesFor(question);
  send({ choices: [], volan: { sources } });
  await wait(250);
  for (const piece of answer.match(/\S+\s*/g)) {
    if (response.destroyed) return;
    send({ choices: [{ delta: { content: piece } }] });
    await wait(12);
  }
  if (question.includes("fail")) send({ error: { message: "The model server ended in the middle of the answer.", code: "upstream" } });
  else {
    send({ choices: [{ delta: {}, finish_reason: "stop" }] });
    send({
      choices: [],
      volan: {
        trace_id: traces[0].id,
        timings: { retrieval_ms: 18.4, first_token_ms: 412, total_ms: 3841 },
        usage: { prompt_tokens: 1184, completion_tokens: 212 },
      },
    });
  }
  response.end("data: [DONE]\n\n");
}

function api(request, response, url) {
  const path = url.pathname.replace("/api/v1", "");
  const query = Object.fromEntries(url.searchParams);
  const signedIn = request.headers.authorization || /volan_session=/.test(request.headers.cookie ?? "");
  if (path === "/session" && request.method === "POST") {
    void (async () => {
      let body = "";
      for await (const part of request) body += part;
      if (body.includes("wrong"))
        return fail(response, 401, "unauthenticated", "This key is not known.", "Use a key that is valid and not revoked.");
      response.setHeader("set-cookie", "volan_session=mock; Path=/; HttpOnly; SameSite=Lax");
      json(response, viewer, 201);
    })();
    return;
  }
  if (!signedIn) return fail(response, 401, "unauthenticated", "Not signed in.");
  if (path === "/session") return request.method === "DELETE" ? json(response, undefined, 204) : json(response, viewer);
  if (path === "/overview") return json(response, overview);
  if (path === "/apps") return json(response, { apps });
  if (path === "/traces/stats") return json(response, stats);
  if (path === "/traces/live") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": hello\n\n");
    live.add(response);
    request.on("close", () => live.delete(response));
    return;
  }
  if (path === "/traces") {
    let rows = traces.filter(
      (row) =>
        (!query.status || row.status === query.status) &&
        (!query.text || row.input_preview.toLowerCase().includes(query.text.toLowerCase())),
    );
    const from = Number(query.after ?? 0);
    const limit = Number(query.limit ?? 50);
    const next = from + limit < rows.length ? String(from + limit) : undefined;
    rows = rows.slice(from, from + limit);
    return json(response, { traces: rows, next });
  }
  if (path.startsWith("/traces/")) {
    const found = trace(decodeURIComponent(path.slice(8)));
    return found ? json(response, found) : fail(response, 404, "not_found", "No such trace.");
  }
  if (path === "/endpoints")
    return json(response, { endpoints: url.searchParams.has("all") || !request.headers.authorization ? endpoints : [] });
  if (path.endsWith("/logs"))
    return json(response, {
      lines: Array.from(
        { length: 60 },
        (_, n) => `srv  update_slots: id 0 | task ${n * 7} | prompt processing progress, n_tokens = ${n * 64}, batch.n_tokens = 512`,
      ),
    });
  if (path.endsWith("/restart")) return json(response, undefined, 202);
  if (path === "/features") return json(response, features);
  if (path === "/features/build")
    return json(response, { id: "build_1", state: "running", started: new Date().toISOString(), error: "" }, 202);
  if (path === "/features/builds/build_1/events") {
    response.writeHead(200, { "content-type": "text/event-stream" });
    void (async () => {
      for (let done = 0; done <= 1200; done += 60) {
        response.write(
          `event: progress\ndata: ${JSON.stringify({ id: "build_1", state: "running", progress: { stage: "embed", done, total: 1200, per_second: 500, remaining_seconds: (1200 - done) / 500, note: "all-MiniLM-L6-v2" } })}\n\n`,
        );
        await wait(120);
      }
      response.end("event: end\ndata: {}\n\n");
    })();
    return;
  }
  if (path === "/documents") return json(response, { items: documents });
  if (path.startsWith("/documents/")) return json(response, document(decodeURIComponent(path.slice(11))));
  if (path === "/keys")
    return request.method === "POST"
      ? json(response, { info: { ...keys[0], id: "key_new" }, key: "vk_mockmockmockmockmockmockmockmock" }, 201)
      : json(response, { keys });
  if (path.startsWith("/keys/")) return json(response, undefined, 204);
  return fail(response, 404, "not_found", "No such route.");
}

createServer((request, response) => {
  const url = new URL(request.url, "http://mock");
  if (url.pathname === "/v1/chat/completions") return void chat(request, response);
  if (url.pathname.startsWith("/health")) return json(response, {});
  if (url.pathname.startsWith("/api/")) return api(request, response, url);
  let path = join(out, url.pathname);
  if (!extname(path) || !path.startsWith(out)) path = join(out, "index.html");
  try {
    const body = readFileSync(path);
    response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream", "content-security-policy": policy });
    response.end(body);
  } catch {
    fail(response, 404, "not_found", "No such file.");
  }
}).listen(Number(process.env.PORT ?? 8490), "127.0.0.1", () => console.log("http://127.0.0.1:8490/sign-in#token=mock"));

setInterval(
  () => {
    const row = { ...traces[0], id: Math.random().toString(16).slice(2).padEnd(32, "0"), start: new Date().toISOString() };
    for (const response of live) response.write(`event: trace\ndata: ${JSON.stringify(row)}\n\n`);
  },
  Number(process.env.LIVE_MS ?? 4000),
);
