// The one way to the server: typed requests, the CSRF header, and errors as one type with the server's code and remedy.
import createClient from "openapi-fetch";
import { setOnline } from "./connection";
import type { paths } from "./schema";

/** A refused or failed request. `status` is 0 when no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly fix?: string,
    readonly path?: string,
    readonly requestId?: string,
  ) {
    super(message);
  }
}

const csrf = { "x-volan-csrf": "1" };

export const client = createClient<paths>({ baseUrl: "/", headers: csrf, fetch: (request) => send(request) });

/** Sends a request; an answer that never came becomes an ApiError, so that callers know one kind of failure. */
export async function send(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    setOnline(true);
    return response;
  } catch (failure) {
    if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
    setOnline(false);
    throw new ApiError(
      0,
      "offline",
      "The server does not answer.",
      "Check that volan is running and that this machine reaches it; the page tries again by itself.",
    );
  }
}

/** Reads an error answer of the native form or of the OpenAI form. */
export function errorFrom(status: number, body: unknown): ApiError {
  const error = (
    body as
      | { error?: Partial<{ code: string; message: string; fix: string; path: string; request_id: string }> & { param?: string } }
      | undefined
  )?.error;
  if (!error || typeof error.message !== "string")
    return new ApiError(status, `http_${status}`, `The server answered with status ${status}.`);
  return new ApiError(status, error.code ?? `http_${status}`, error.message, error.fix, error.path ?? error.param, error.request_id);
}

/** The data of an openapi-fetch result, or its error as an exception for TanStack Query. */
export async function unwrap<T>(pending: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await pending;
  if (!response.ok) throw errorFrom(response.status, error);
  return data as T;
}

export const jsonHeaders = { "content-type": "application/json", ...csrf };
