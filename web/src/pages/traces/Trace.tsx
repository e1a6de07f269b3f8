// One trace: on the left the tree of spans on one time scale, on the right the span that is selected.
import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconArrowLeft, IconChevronDown, IconChevronUp, IconTrashOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { ApiError } from "../../api/client";
import { traceQuery } from "../../api/queries";
import type { Kind, Trace } from "../../api/types";
import { count, duration, plural } from "../../parts/format";
import { Page } from "../../parts/page";
import { EmptyState, ErrorState, LoadingBlock } from "../../parts/states";
import { usePhone } from "../../parts/table";
import { KindIcon, StatusMark, When } from "../../parts/values";
import { neighboursOf } from "./neighbours";
import { SpanDetail } from "./SpanDetail";
import { SpanTree } from "./SpanTree";
import classes from "./Trace.module.css";
import { ancestors, buildTree, idsOfKind, type SpanTree as Tree, visibleRows } from "./tree";

export function TracePage() {
  const { traceId } = useParams({ from: "/shell/traces/$traceId" });
  const trace = useQuery(traceQuery(traceId));
  if (trace.data) return trace.data.spans.length ? <TraceView key={traceId} trace={trace.data} /> : <Missing />;
  if (trace.error instanceof ApiError && trace.error.status === 404) return <Missing />;
  if (trace.error) return <ErrorState error={trace.error} what="this trace" retry={() => void trace.refetch()} />;
  return (
    <Page fill title="Trace">
      <LoadingBlock height="100%" />
    </Page>
  );
}

function Missing() {
  return (
    <EmptyState
      icon={<IconTrashOff size={22} />}
      title="There is no such trace"
      action={
        <Button component={Link} to="/traces" variant="default">
          All traces
        </Button>
      }
    >
      It may belong to another project, or its retention time is over.
    </EmptyState>
  );
}

function TraceView({ trace }: { trace: Trace }) {
  const search = useSearch({ from: "/shell/traces/$traceId" });
  const navigate = useNavigate({ from: "/traces/$traceId" });
  const phone = usePhone();
  const tree = useMemo(() => buildTree(trace.spans), [trace.spans]);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => visibleRows(tree, collapsed), [tree, collapsed]);
  const fallback = useMemo(() => firstOfInterest(tree), [tree]);
  const selectedId = search.span && tree.byId.has(search.span) ? search.span : phone ? undefined : fallback;
  const selected = selectedId ? tree.byId.get(selectedId) : undefined;
  const neighbours = neighboursOf(trace.id);

  useEffect(() => {
    if (!search.span) return;
    const above = ancestors(tree, search.span);
    setCollapsed((old) => (above.some((id) => old.has(id)) ? new Set([...old].filter((id) => !above.includes(id))) : old));
  }, [tree, search.span]);

  const select = (span?: string) => void navigate({ search: (old) => ({ ...old, span }), replace: !phone });
  const move = (step: number) => {
    const at = rows.findIndex((node) => node.span.span_id === selectedId);
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    if (next) select(next.span.span_id);
  };
  const toggle = (id: string, to?: "open" | "closed") =>
    setCollapsed((old) => {
      const next = new Set(old);
      if (to === "open" || (!to && next.has(id))) next.delete(id);
      else next.add(id);
      return next;
    });
  const toggleKind = (kind: Kind) => {
    const ids = idsOfKind(tree, kind);
    const all = ids.every((id) => collapsed.has(id));
    setCollapsed((old) => new Set(all ? [...old].filter((id) => !ids.includes(id)) : [...old, ...ids]));
  };
  const go = (traceId?: string) => traceId && void navigate({ to: "/traces/$traceId", params: { traceId }, search: {} });
  useHotkeys(
    [
      ["j", () => move(1)],
      ["ArrowDown", () => move(1)],
      ["k", () => move(-1)],
      ["ArrowUp", () => move(-1)],
      ["ArrowLeft", () => selectedId && toggle(selectedId, "closed")],
      ["ArrowRight", () => selectedId && toggle(selectedId, "open")],
      ["bracketleft", () => go(neighbours.previous)],
      ["bracketright", () => go(neighbours.next)],
      ["[", () => go(neighbours.previous)],
      ["]", () => go(neighbours.next)],
      ["Escape", () => phone && select(undefined)],
    ],
    ["INPUT", "TEXTAREA", "SELECT"],
  );

  const root = tree.roots[0]!.span;
  const totals = sums(trace);
  return (
    <Page
      fill
      title={
        <span className={classes.title}>
          <StatusMark status={root.status} quiet />
          {root.name}
        </span>
      }
      note={<When time={root.start} />}
      actions={
        neighbours.place && (
          <>
            <span className={classes.place}>{neighbours.place}</span>
            <Tooltip label="Previous trace  [">
              <ActionIcon onClick={() => go(neighbours.previous)} disabled={!neighbours.previous} aria-label="Previous trace">
                <IconChevronUp size={17} />
              </ActionIcon>
            </Tooltip>
            <Tooltip label="Next trace  ]">
              <ActionIcon onClick={() => go(neighbours.next)} disabled={!neighbours.next} aria-label="Next trace">
                <IconChevronDown size={17} />
              </ActionIcon>
            </Tooltip>
          </>
        )
      }
    >
      <dl className={classes.facts}>
        <Fact name="Duration">{duration(root.duration_ms ?? (root.status === "running" ? undefined : tree.end - tree.start))}</Fact>
        <Fact name="First token">{duration(root.first_token_ms ?? totals.firstToken)}</Fact>
        <Fact name="Prompt">
          {count(root.prompt_tokens || totals.prompt)} <small>tokens</small>
        </Fact>
        <Fact name="Answer">
          {count(root.completion_tokens || totals.completion)} <small>tokens</small>
        </Fact>
        {(root.app ?? totals.app) && <Fact name="App">{root.app ?? totals.app}</Fact>}
        {(root.model || totals.model) && <Fact name="Model">{root.model || totals.model}</Fact>}
        <Fact name="Spans">{count(trace.spans.length)}</Fact>
        {totals.errors > 0 && (
          <Fact name="Errors">
            <span className={classes.error}>{count(totals.errors)}</span>
          </Fact>
        )}
      </dl>
      <div className={classes.split} data-detail={selected ? true : undefined}>
        <section className={classes.left} aria-label="Spans">
          <div className={classes.kinds}>
            {tree.kinds.map(([kind, n]) => {
              const closable = idsOfKind(tree, kind).length > 0;
              return (
                <button
                  key={kind}
                  type="button"
                  className={classes.kind}
                  onClick={() => toggleKind(kind)}
                  disabled={!closable}
                  title={closable ? `Open or close every ${kind} span` : plural(n, `${kind} span`)}
                >
                  <KindIcon kind={kind} size={14} />
                  {kind}
                  <span className="muted num">{count(n)}</span>
                </button>
              );
            })}
          </div>
          {!trace.is_complete && (
            <p className={classes.cut}>
              This trace has more spans than can be shown: here are the first {count(trace.spans.length)} by start.
            </p>
          )}
          <SpanTree tree={tree} rows={rows} collapsed={collapsed} selected={selectedId} onSelect={select} onToggle={toggle} />
        </section>
        {selected && (
          <section className={classes.right} aria-label="Selected span">
            {phone && (
              <Button
                variant="subtle"
                color="gray"
                leftSection={<IconArrowLeft size={15} />}
                onClick={() => select(undefined)}
                className={classes.back}
              >
                All spans
              </Button>
            )}
            <SpanDetail
              key={selected.span.span_id}
              traceId={trace.id}
              short={trace.values === "preview"}
              node={selected}
              tab={search.tab}
              onTab={(tab) => void navigate({ search: (old) => ({ ...old, tab }), replace: true })}
              start={tree.start}
            />
          </section>
        )}
      </div>
    </Page>
  );
}

function Fact({ name, children }: { name: string; children: React.ReactNode }) {
  return (
    <div className={classes.fact}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** What a reader wants to see first: the deepest failure, else the root with question and answer. */
function firstOfInterest(tree: Tree): string | undefined {
  const nodes = [...tree.byId.values()];
  const failed = nodes.filter((node) => node.span.status === "error").sort((a, b) => b.depth - a.depth)[0];

  return (failed ?? tree.roots[0])?.span.span_id;
}

function sums(trace: Trace) {
  let prompt = 0;
  let completion = 0;
  let errors = 0;
  for (const span of trace.spans) {
    if (span.status === "error") errors++;
    if (span.kind !== "llm") continue;
    prompt += span.prompt_tokens ?? 0;
    completion += span.completion_tokens ?? 0;
  }
  const call = trace.spans.findLast((span) => span.kind === "llm");
  return { prompt, completion, errors, model: call?.model, app: call?.app, firstToken: call?.first_token_ms };
}
