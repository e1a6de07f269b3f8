// Overview: the loop with the state of each hop, what needs attention, the last day in numbers, and the newest traces.
import { IconAlertTriangle, IconArrowRight, IconCircleCheck } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useTraceFeed } from "../../api/feed";
import { overviewQuery, statsQuery, tracesQuery } from "../../api/queries";
import type { AttentionItem, Hop, Overview } from "../../api/types";
import { bytes, compact, count, duration, share } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/page";
import { EmptyState, Loaded, LoadingBlock, LoadingRows } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { Pill, When } from "../../parts/values";
import { columns, TraceCard } from "../traces/columns";
import { HourChart } from "./HourChart";
import classes from "./Overview.module.css";
import { HopIcon, Ring } from "./Ring";

export function OverviewPage() {
  const overview = useQuery(overviewQuery);
  return (
    <Page
      title="Overview"
      note={
        overview.data && (
          <span className="num">
            volan {overview.data.version} · up {duration(overview.data.uptime_seconds * 1000)} ·{" "}
            {bytes(overview.data.resident_memory_bytes)} in memory
          </span>
        )
      }
    >
      <Loaded
        query={overview}
        what="the overview"
        loading={
          <>
            <LoadingBlock height={312} />
            <LoadingBlock height={76} />
          </>
        }
      >
        {(data) => <View data={data} />}
      </Loaded>
      {!overview.isPending && <Recent />}
    </Page>
  );
}

function View({ data }: { data: Overview }) {
  const { totals } = data;
  const stats = useQuery(statsQuery(24));
  const tokens = totals.prompt_tokens_24h + totals.completion_tokens_24h;
  return (
    <>
      <Loop data={data} />
      {data.attention.length > 0 && <Attention items={data.attention} />}
      <Stats
        stats={[
          { label: "Documents", value: compact(totals.documents), title: count(totals.documents) },
          { label: "Chunks", value: compact(totals.chunks), title: count(totals.chunks) },
          { label: "Traces, 24 h", value: <Link to="/traces">{compact(totals.traces_24h)}</Link>, title: count(totals.traces_24h) },
          {
            label: "Failed, 24 h",
            value: (
              <Link to="/traces" search={{ status: "error" }}>
                {count(totals.errors_24h)}
              </Link>
            ),
            note: totals.traces_24h ? share(totals.errors_24h, totals.traces_24h) : undefined,
            tone: totals.errors_24h ? "error" : undefined,
          },
          {
            label: "Tokens, 24 h",
            value: compact(tokens),
            note: `${compact(totals.completion_tokens_24h)} out`,
            title: `${count(totals.prompt_tokens_24h)} in, ${count(totals.completion_tokens_24h)} out`,
          },
          {
            label: "Duration, 24 h",
            value: duration(totals.latency_p50_ms),
            note: totals.latency_p95_ms === undefined ? "median" : `p95 ${duration(totals.latency_p95_ms)}`,
            title: "Median of the finished traces, and the time that 95% of them stay below",
          },
        ]}
      />
      <Panel title="How many answers per hour?" note={stats.data ? `last 24 h, n = ${count(stats.data.traces)}` : ""}>
        <Loaded query={stats} what="the hours" loading={<LoadingBlock height={148} />}>
          {(loaded) => <HourChart hours={loaded.hours} from={loaded.from} to={loaded.to} />}
        </Loaded>
      </Panel>
    </>
  );
}

function Loop({ data }: { data: Overview }) {
  const navigate = useNavigate();
  const [hovered, setHovered] = useState<string>();
  const bad = data.hops.filter((hop) => hop.state === "error" || hop.state === "attention").length;
  const open = (hop: Hop) => hop.link && void navigate({ href: hop.link });
  return (
    <section className={classes.loop} aria-label="The loop">
      <div className={classes.ringBox}>
        <Ring
          hops={data.hops}
          hovered={hovered}
          onHover={setHovered}
          onOpen={open}
          centre={bad ? `${bad} of ${data.hops.length}` : "Turning"}
          caption={bad ? "need attention" : `${data.hops.length} hops fine`}
        />
      </div>
      <ol className={classes.hops}>
        {data.hops.map((hop) => (
          <li
            key={hop.id}
            className={classes.hop}
            data-hovered={hovered === hop.id || undefined}
            onMouseEnter={() => setHovered(hop.id)}
            onMouseLeave={() => setHovered(undefined)}
          >
            <span className={classes.hopIcon} data-state={hop.state}>
              <HopIcon id={hop.id} />
            </span>
            <div className={classes.hopMain}>
              <div className={classes.hopTop}>
                {hop.link ? (
                  <Link to={hop.link as "/"} className={classes.hopTitle}>
                    {hop.title}
                  </Link>
                ) : (
                  <span className={classes.hopTitle}>{hop.title}</span>
                )}
                <StatePill state={hop.state} />
              </div>
              <div className={classes.hopDetail}>{hop.detail}</div>
            </div>
            <div className={classes.hopSide}>
              <span className={classes.headline}>{hop.headline}</span>
              <span className="muted">{hop.last_event ? <When time={hop.last_event} /> : "never ran"}</span>
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

type StateText = { tone: "ok" | "info" | "warn" | "error" | "neutral"; label: string };
const states: Record<string, StateText | undefined> = {
  ok: { tone: "ok", label: "Fine" },
  idle: { tone: "neutral", label: "Idle" },
  busy: { tone: "info", label: "Busy" },
  attention: { tone: "warn", label: "Attention" },
  error: { tone: "error", label: "Failing" },
  absent: { tone: "neutral", label: "Not set up" },
};

function StatePill({ state }: { state: Hop["state"] }) {
  const { tone, label } = states[state] ?? { tone: "neutral", label: state };
  return <Pill tone={tone}>{label}</Pill>;
}

function Attention({ items }: { items: AttentionItem[] }) {
  return (
    <Panel title="Needs attention" note={count(items.length)} flush>
      <ul>
        {items.map((item) => (
          <li key={item.title} className={classes.item}>
            <IconAlertTriangle size={17} className={classes.warn} aria-hidden />
            <div className={classes.itemText}>
              <div className={classes.itemTitle}>{item.title}</div>
              <div className="muted">{item.detail}</div>
              <div>{item.fix}</div>
            </div>
            {item.link && (
              <Link to={item.link as "/"} className={classes.itemLink}>
                Look <IconArrowRight size={14} aria-hidden />
              </Link>
            )}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

const hidden = new Set(["first", "model", "app"]);

function Recent() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const list = useInfiniteQuery(tracesQuery({}, 8));
  useTraceFeed(() => void queries.invalidateQueries({ queryKey: ["traces", "list", {}, 8] }));
  return (
    <Panel title="Newest traces" flush actions={<Link to="/traces">All traces</Link>}>
      <Loaded query={list} what="the newest traces" loading={<LoadingRows rows={8} />}>
        {(data) => {
          const rows = data.pages[0]?.traces ?? [];
          if (!rows.length)
            return (
              <EmptyState
                icon={<IconCircleCheck size={22} />}
                title="No traces yet"
                action={<Link to="/chat">Ask the twin something</Link>}
              >
                Every question becomes a trace and shows up here at once.
              </EmptyState>
            );
          return (
            <DataTable
              fixed
              label="Newest traces"
              columns={columns}
              hidden={hidden}
              data={rows}
              rowId={(row) => row.id}
              cardHeight={92}
              card={(row) => <TraceCard row={row} />}
              onOpen={(row) => void navigate({ to: "/traces/$traceId", params: { traceId: row.id } })}
            />
          );
        }}
      </Loaded>
    </Panel>
  );
}
