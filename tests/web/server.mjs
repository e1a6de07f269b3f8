// The server of the page tests: one that runs already, or one started here with an empty data folder.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

const root = resolve(new URL("../..", import.meta.url).pathname);

/** Returns {url, key, stop}. */
export async function startServer() {
  const { VOLAN_URL: url, VOLAN_API_KEY: key } = process.env;
  if (url) return { url: new URL(url).origin, key, stop: () => undefined };
  const data = mkdtempSync(join(tmpdir(), "volan-web-"));
  const project = process.env.VOLAN_PROJECT ?? join(root, "examples/llm_twin");
  const child = spawn(process.env.VOLAN_BIN ?? join(root, "build/volan"), ["up", "--project", project, "--data", data, "--listen", "127.0.0.1:0", "--print-url"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((done) => child.once("exit", done));
  const first = new Promise((found, failed) => {
    createInterface({ input: child.stdout }).once("line", found);
    child.once("error", failed);
    child.once("exit", (code) => failed(new Error(`volan ended with status ${code} before it was ready`)));
  });
  const line = await first;
  return {
    url: new URL(line.trim()).origin,
    key: readFileSync(join(data, "admin.key"), "utf8").trim(),
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}

/** Waits until the model servers answer and documents are indexed, starting a build if none was. */
export async function ready({ url, key }) {
  const ask = async (path, init) => {
    const response = await fetch(url + path, { ...init, headers: { authorization: `Bearer ${key}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const until = Date.now() + Number(process.env.VOLAN_READY_SECONDS ?? 420) * 1000;
  for (;;) {
    const { endpoints } = await (await ask("/api/v1/endpoints")).json();
    const late = endpoints.filter((each) => each.managed && each.state !== "ready");
    if (!late.length) break;
    if (late.some((each) => each.state === "failed") || Date.now() > until) throw new Error(`endpoints are not ready: ${JSON.stringify(late)}`);
    await new Promise((done) => setTimeout(done, 250));
  }
  let { current, last_build: build } = await (await ask("/api/v1/features")).json();
  if (current) return;
  if (build?.state !== "running") build = await (await ask("/api/v1/features/build", { method: "POST" })).json();
  await (await ask(`/api/v1/features/builds/${build.id}/events`)).text();
  ({ current, last_build: build } = await (await ask("/api/v1/features")).json());
  if (!current) throw new Error(`the build made no snapshot: ${JSON.stringify(build)}`);
}
