// Servers: the endpoints that answer, with their state, memory and logs.
import { ActionIcon, Drawer, Tooltip } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertCircle, IconRefresh, IconServer2, IconTerminal2 } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useLayoutEffect, useRef, useState } from "react";
import { client, unwrap } from "../../api/client";
import { endpointsQuery, logsQuery, sessionQuery } from "../../api/queries";
import type { Endpoint } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { bytes, count } from "../../parts/format";
import { Page } from "../../parts/page";
import { EmptyState, ErrorState, Loaded, LoadingBlock, LoadingRows } from "../../parts/states";
import { Pill, When } from "../../parts/values";
import classes from "./Servers.module.css";

export function ServersPage() {
  const endpoints = useQuery(endpointsQuery);
  const { logs } = useSearch({ from: "/shell/servers" });
  const navigate = useNavigate({ from: "/servers" });
  const [restarting, setRestarting] = useState<string>();
  const show = (name?: string) => void navigate({ search: name ? { logs: name } : {} });
  const memory = endpoints.data?.reduce((sum, each) => sum + (each.resident_memory_bytes ?? 0), 0);
  return (
    <Page
      title="Servers"
      note={
        endpoints.data &&
        `${endpoints.data.filter((each) => each.state === "ready").length} of ${endpoints.data.length} ready${memory ? ` · ${bytes(memory)} in memory` : ""}`
      }
    >
      <Loaded
        query={endpoints}
        what="the endpoints"
        loading={
          <div className={classes.grid}>
            <LoadingBlock height={210} />
            <LoadingBlock height={210} />
          </div>
        }
      >
        {(list) =>
          list.length ? (
            <div className={classes.grid}>
              {list.map((each) => (
                <EndpointCard key={each.name} endpoint={each} onLogs={() => show(each.name)} onRestart={() => setRestarting(each.name)} />
              ))}
            </div>
          ) : (
            <EmptyState icon={<IconServer2 size={22} />} title="No endpoints">
              An endpoint is a place that answers: a model server that volan runs, or an OpenAI-compatible URL. Add one under{" "}
              <code className="mono">endpoints</code> in volan.yaml.
            </EmptyState>
          )
        }
      </Loaded>
      <Drawer
        opened={logs !== undefined}
        onClose={() => show()}
        position="right"
        size="min(760px, 100%)"
        title={logs ? `Log of ${logs}` : ""}
        classNames={{ body: classes.drawer }}
      >
        {logs && <Logs name={logs} />}
      </Drawer>
      <Restart name={restarting} onClose={() => setRestarting(undefined)} />
    </Page>
  );
}

const states: Record<Endpoint["state"], { tone: "ok" | "info" | "warn" | "error" | "neutral"; label: string }> = {
  ready: { tone: "ok", label: "Ready" },
  starting: { tone: "info", label: "Starting" },
  stopped: { tone: "neutral", label: "Stopped" },
  unhealthy: { tone: "warn", label: "Unhealthy" },
  backing_off: { tone: "warn", label: "Waits to start again" },
  failed: { tone: "error", label: "Failed" },
};
const kinds: Record<Endpoint["kind"], string> = { chat: "Chat", embedding: "Embedding", rerank: "Reranking" };

function EndpointCard({ endpoint, onLogs, onRestart }: { endpoint: Endpoint; onLogs: () => void; onRestart: () => void }) {
  const session = useQuery(sessionQuery);
  const { tone, label } = states[endpoint.state] ?? states.stopped;
  const admin = session.data?.role === "admin";
  return (
    <article className={classes.card}>
      <header className={classes.head}>
        <h2 className={classes.name}>{endpoint.name}</h2>
        <Pill tone={tone}>{label}</Pill>
        {endpoint.managed && (
          <span className={classes.buttons}>
            <Tooltip label={admin ? "Log" : "Only an admin may read logs"}>
              <ActionIcon onClick={onLogs} disabled={!admin} aria-label={`Log of ${endpoint.name}`}>
                <IconTerminal2 size={16} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label={admin ? "Restart" : "Only an admin may restart a server"}>
              <ActionIcon onClick={onRestart} disabled={!admin} aria-label={`Restart ${endpoint.name}`}>
                <IconRefresh size={16} />
              </ActionIcon>
            </Tooltip>
          </span>
        )}
      </header>
      <div className={classes.progress}>
        {endpoint.state === "ready"
          ? endpoint.managed
            ? "Runs on this machine, managed by volan"
            : "Runs elsewhere"
          : (endpoint.progress ?? "")}
      </div>
      <dl className={classes.facts}>
        <dt>Kind</dt>
        <dd>{kinds[endpoint.kind] ?? endpoint.kind}</dd>
        <dt>Model</dt>
        <dd className="ellipsis" title={endpoint.identity ?? endpoint.model}>
          {endpoint.model}
        </dd>
        <dt>Address</dt>
        <dd className="mono ellipsis" title={endpoint.base_url}>
          {endpoint.base_url || "–"}
        </dd>
        {endpoint.managed && (
          <>
            <dt>Memory</dt>
            <dd>{bytes(endpoint.resident_memory_bytes)}</dd>
          </>
        )}
        {endpoint.managed && (
          <>
            <dt>Process</dt>
            <dd className="num">
              {endpoint.pid ?? "–"}
              {endpoint.started && (
                <span className="muted">
                  {" "}
                  started <When time={endpoint.started} />
                </span>
              )}
            </dd>
          </>
        )}
        {endpoint.managed && (
          <>
            <dt>Restarts</dt>
            <dd className="num">{count(endpoint.restarts)}</dd>
          </>
        )}
        {endpoint.context_tokens !== undefined && (
          <>
            <dt>Context</dt>
            <dd className="num">{count(endpoint.context_tokens)} tokens</dd>
          </>
        )}
        {endpoint.last_check && (
          <>
            <dt>Checked</dt>
            <dd>
              <When time={endpoint.last_check} />
            </dd>
          </>
        )}
      </dl>
      {endpoint.last_error && endpoint.state !== "ready" && (
        <div className={classes.error}>
          <IconAlertCircle size={15} aria-hidden />
          <span>{endpoint.last_error}</span>
        </div>
      )}
    </article>
  );
}

function Logs({ name }: { name: string }) {
  const logs = useQuery(logsQuery(name));
  const box = useRef<HTMLPreElement>(null);
  const follow = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the log as it grows
  useLayoutEffect(() => {
    if (box.current && follow.current) box.current.scrollTop = box.current.scrollHeight;
  }, [logs.data]);
  if (logs.data?.length) {
    return (
      <pre
        ref={box}
        className={classes.log}
        tabIndex={0}
        onScroll={(event) => {
          const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
          follow.current = scrollHeight - scrollTop - clientHeight < 30;
        }}
      >
        {logs.data.join("\n")}
      </pre>
    );
  }
  if (logs.data)
    return (
      <EmptyState icon={<IconTerminal2 size={22} />} title="Nothing printed yet">
        The log holds the last lines that the model server printed since it was started.
      </EmptyState>
    );
  return logs.error ? (
    <ErrorState error={logs.error} what="the log" retry={() => void logs.refetch()} />
  ) : (
    <LoadingRows rows={12} height={20} />
  );
}

function Restart({ name, onClose }: { name?: string; onClose: () => void }) {
  const queries = useQueryClient();
  const restart = useMutation({
    mutationFn: (endpoint: string) => unwrap(client.POST("/api/v1/endpoints/{name}/restart", { params: { path: { name: endpoint } } })),
    onSuccess: async (_, endpoint) => {
      onClose();
      notifications.show({ message: `${endpoint} is starting again` });
      await queries.invalidateQueries({ queryKey: endpointsQuery.queryKey });
    },
  });
  return (
    <Confirm
      opened={name !== undefined}
      title={`Restart ${name ?? ""}?`}
      action="Restart"
      busy={restart.isPending}
      error={restart.error}
      onConfirm={() => name && restart.mutate(name)}
      onClose={() => {
        restart.reset();
        onClose();
      }}
    >
      Requests that it is answering right now fail. New ones wait until it is ready again.
    </Confirm>
  );
}
