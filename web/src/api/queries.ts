// What pages ask the server, one definition each, so that two parts that show the same thing share one request.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/session", { signal })),
  staleTime: 60_000,
  retry: false,
});

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/overview", { signal })),
  refetchInterval: 10_000,
});

export const appsQuery = queryOptions({
  queryKey: ["apps"],
  queryFn: async ({ signal }) => (await unwrap(client.GET("/api/v1/apps", { signal }))).apps,
  refetchInterval: 15_000,
});

export const statsQuery = (hours: number) =>
  queryOptions({
    queryKey: ["traces", "stats", hours],
    queryFn: ({ signal }) => unwrap(client.GET("/api/v1/traces/stats", { params: { query: { hours } }, signal })),
    refetchInterval: 30_000,
  });

export type TraceFilter = {
  text?: string;
  status?: string;
  app?: string;
  model?: string;
  name?: string;
  session_id?: string;
  duration_ms_min?: number;
  from?: string;
  to?: string;
};

export const tracesQuery = (filter: TraceFilter, limit = 100) =>
  infiniteQueryOptions({
    queryKey: ["traces", "list", filter, limit],
    queryFn: ({ signal, pageParam }) =>
      unwrap(client.GET("/api/v1/traces", { params: { query: { ...filter, limit, after: pageParam || undefined } }, signal })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });

export const traceQuery = (traceId: string) =>
  queryOptions({
    queryKey: ["traces", "one", traceId],
    queryFn: ({ signal }) => unwrap(client.GET("/api/v1/traces/{id}", { params: { path: { id: traceId } }, signal })),
    refetchInterval: (query) => (query.state.data?.spans.some((span) => span.status === "running") ? 2000 : false),
  });

/** One span with its whole input and output, for traces too large to come whole. */
export const spanQuery = (traceId: string, spanId: string, wanted: boolean) =>
  queryOptions({
    queryKey: ["traces", "one", traceId, spanId],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/v1/traces/{id}/spans/{span_id}", { params: { path: { id: traceId, span_id: spanId } }, signal })),
    enabled: wanted,
  });

export const endpointsQuery = queryOptions({
  queryKey: ["endpoints"],
  queryFn: async ({ signal }) => (await unwrap(client.GET("/api/v1/endpoints", { signal }))).endpoints,
  refetchInterval: 3000,
});

export const logsQuery = (name: string) =>
  queryOptions({
    queryKey: ["endpoints", name, "logs"],
    queryFn: async ({ signal }) =>
      (await unwrap(client.GET("/api/v1/endpoints/{name}/logs", { params: { path: { name } }, signal }))).lines,
    refetchInterval: 3000,
  });

export const featuresQuery = queryOptions({
  queryKey: ["features"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/v1/features", { signal })),
  refetchInterval: (query) => (query.state.data?.last_build?.state === "running" ? 2000 : 15_000),
});

export type DocumentFilter = { author?: string; category?: string; state?: string };

export const documentsQuery = (filter: DocumentFilter) =>
  infiniteQueryOptions({
    queryKey: ["documents", "list", filter],
    queryFn: ({ signal, pageParam }) =>
      unwrap(client.GET("/api/v1/documents", { params: { query: { ...filter, limit: 100, after: pageParam || undefined } }, signal })),
    initialPageParam: "",
    getNextPageParam: (page) => page.next,
  });

export const documentQuery = (documentId: string) =>
  queryOptions({
    queryKey: ["documents", "one", documentId],
    queryFn: ({ signal }) => unwrap(client.GET("/api/v1/documents/{id}", { params: { path: { id: documentId } }, signal })),
  });

export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: async ({ signal }) => (await unwrap(client.GET("/api/v1/keys", { signal }))).keys,
});
