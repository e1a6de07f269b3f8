// Features: the snapshot that answers, the last build, and the documents in it.
import { Button, Code, Progress, Select } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconAlertCircle, IconDatabaseImport, IconFileOff } from "@tabler/icons-react";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { ApiError, client, unwrap } from "../../api/client";
import { documentsQuery, featuresQuery, sessionQuery } from "../../api/queries";
import type { Build, DocumentRow, Features } from "../../api/types";
import { compact, count, duration, plural } from "../../parts/format";
import { Page, Panel, Stats } from "../../parts/page";
import { EmptyState, Loaded, LoadingBlock, LoadingRows } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { IdChip, Pill, When } from "../../parts/values";
import { useBuildEvents } from "./events";
import classes from "./Features.module.css";

export function FeaturesPage() {
  const features = useQuery(featuresQuery);
  const current = features.data?.current;
  return (
    <Page
      title="Features"
      note={
        current && (
          <>
            snapshot <IdChip id={current.id} /> made <When time={current.created} />
          </>
        )
      }
      actions={<BuildButton running={features.data?.last_build?.state === "running"} />}
    >
      <Loaded query={features} what="the features" loading={<LoadingBlock height={76} />}>
        {(data) => <View data={data} />}
      </Loaded>
      {!features.isPending && <Documents />}
    </Page>
  );
}

function BuildButton({ running }: { running: boolean }) {
  const queries = useQueryClient();
  const session = useQuery(sessionQuery);
  const build = useMutation({
    mutationFn: () => unwrap(client.POST("/api/v1/features/build")),
    onSuccess: (started) => {
      queries.setQueryData(featuresQuery.queryKey, (old) => (old ? { ...old, last_build: started } : old));
    },
    onError: (failure) =>
      notifications.show({
        color: "red",
        title: "The build did not start",
        message: failure instanceof ApiError && failure.fix ? `${failure.message} ${failure.fix}` : failure.message,
      }),
  });
  if (session.data?.role === "viewer") return null;
  return (
    <Button
      leftSection={<IconDatabaseImport size={16} stroke={1.75} />}
      onClick={() => build.mutate()}
      loading={build.isPending}
      disabled={running}
    >
      {running ? "Building…" : "Build now"}
    </Button>
  );
}

function View({ data }: { data: Features }) {
  const { current, last_build: build } = data;
  return (
    <>
      {build?.state === "running" && <Running build={build} />}
      {build?.state === "failed" && <Failed build={build} />}
      {current ? (
        <Stats
          stats={[
            { label: "Documents", value: count(current.documents) },
            {
              label: "Chunks",
              value: count(current.chunks),
              note: current.documents ? `${(current.chunks / current.documents).toFixed(0)} each` : undefined,
            },
            {
              label: "Tokens",
              value: compact(current.tokens),
              title: count(current.tokens),
              note: current.chunks ? `${(current.tokens / current.chunks).toFixed(0)} each` : undefined,
            },
            {
              label: "Authors",
              value: count(data.authors.length),
              note: data.authors.length === 1 ? data.authors[0] : undefined,
              title: data.authors.join(", "),
            },
            {
              label: "Embedding model",
              value: <span className={classes.model}>{current.embedder}</span>,
              note: `${current.dimension} numbers`,
              title: current.embedder,
            },
            { label: "Dense search", value: <span className={classes.model}>{data.has_graph ? "by graph" : "exact"}</span> },
          ]}
        />
      ) : (
        build?.state !== "running" && (
          <EmptyState icon={<IconDatabaseImport size={22} />} title="Nothing is indexed yet">
            A build reads the sources of volan.yaml, cuts them into chunks and embeds them. Apps answer from its result.
          </EmptyState>
        )
      )}
      {build?.report && <Report build={build} />}
    </>
  );
}

const stages: Record<string, string> = {
  collect: "Reading the sources",
  cut: "Cleaning and cutting",
  embed: "Embedding",
  index: "Writing the indexes",
  publish: "Switching to the new snapshot",
  done: "Done",
};

function Running({ build }: { build: Build }) {
  const live = useBuildEvents(build);
  const { progress } = live;
  const part = progress?.total ? (100 * progress.done) / progress.total : 0;
  return (
    <Panel title={progress ? (stages[progress.stage] ?? progress.stage) : "Starting"} note={progress?.note}>
      <div role="status" aria-live="off">
        <Progress value={part} animated={!progress?.total} aria-label="Progress of the build" transitionDuration={120} />
        <div className={classes.progress}>
          <span>{progress ? `${count(progress.done)} of ${count(progress.total)}` : "…"}</span>
          <span>
            {progress && progress.per_second > 0 ? `${progress.per_second.toFixed(progress.per_second < 10 ? 1 : 0)} per second` : ""}
          </span>
          <span>
            {progress && progress.remaining_seconds > 0 ? `${duration(progress.remaining_seconds * 1000)} left in this stage` : ""}
          </span>
          <span className={classes.since}>
            started <When time={build.started} />
          </span>
        </div>
      </div>
    </Panel>
  );
}

function Failed({ build }: { build: Build }) {
  return (
    <div className={classes.failed} role="alert">
      <IconAlertCircle size={17} aria-hidden />
      <div>
        <strong>The last build failed</strong> <When time={build.ended ?? build.started} />. The snapshot before it stays in use.
        <div>{build.error}</div>
      </div>
    </div>
  );
}

function Report({ build }: { build: Build }) {
  const report = build.report!;
  const parts: [string, number][] = [
    ["Reading", report.collect_seconds],
    ["Cutting", report.cut_seconds],
    ["Embedding", report.embed_seconds],
    ["Indexing", report.index_seconds],
    ["Publishing", report.publish_seconds],
  ];
  const total = parts.reduce((sum, [, seconds]) => sum + seconds, 0);
  const failures = report.sources.flatMap((source) => source.failures);
  return (
    <Panel
      title="Last build"
      note={
        <>
          <When time={build.ended ?? build.started} />, {report.is_new_snapshot ? "made a new snapshot" : "nothing had changed"}
        </>
      }
      actions={<IdChip id={build.id} />}
    >
      <div className={classes.report}>
        <div>
          <div className={classes.bar} aria-hidden="true">
            {parts.map(([name, seconds], index) => (
              <span
                key={name}
                style={{ flexGrow: total ? seconds / total : 1 }}
                data-part={index}
                title={`${name}: ${duration(seconds * 1000)}`}
              />
            ))}
          </div>
          <dl className={classes.parts}>
            {parts.map(([name, seconds], index) => (
              <div key={name}>
                <dt>
                  <i data-part={index} />
                  {name}
                </dt>
                <dd>{duration(seconds * 1000)}</dd>
              </div>
            ))}
            <div>
              <dt>Together</dt>
              <dd>{duration(total * 1000)}</dd>
            </div>
          </dl>
        </div>
        <dl className={classes.facts}>
          <div>
            <dt>Documents</dt>
            <dd>
              {count(report.documents)}, {count(report.new_documents)} cut now
            </dd>
          </div>
          <div>
            <dt>Chunks</dt>
            <dd>
              {count(report.embedded)} embedded, {count(report.reused)} reused
            </dd>
          </div>
          <div>
            <dt>Text</dt>
            <dd>
              {compact(report.characters_in)} characters read, {compact(report.characters_out)} kept
            </dd>
          </div>
          <div>
            <dt>Rate</dt>
            <dd>
              {report.embedded_tokens_per_second > 0
                ? `${count(Math.round(report.embedded_tokens_per_second))} tokens/s embedded`
                : "nothing to embed"}
            </dd>
          </div>
        </dl>
      </div>
      {failures.length > 0 && (
        <div className={classes.failures}>
          <strong>{plural(failures.length, "file")} could not be read</strong>
          {failures.slice(0, 5).map((failure) => (
            <Code key={failure.locator} block className={classes.failure}>
              {failure.locator}: {failure.error}
            </Code>
          ))}
        </div>
      )}
    </Panel>
  );
}

const stateTones = { present: "ok", gone: "neutral", failed: "error" } as const;
const columns: Column<DocumentRow>[] = [
  {
    id: "title",
    header: "Title",
    width: "minmax(180px, 2.4fr)",
    cell: (row) =>
      row.id ? (
        <Link to="/features/$documentId" params={{ documentId: row.id }} className={classes.title}>
          {row.title || row.locator}
        </Link>
      ) : (
        <span className={classes.title}>{row.title || row.locator}</span>
      ),
  },
  { id: "author", header: "Author", width: "minmax(90px, 1fr)", cell: (row) => row.author },
  { id: "category", header: "Category", width: "80px", cell: (row) => row.category },
  {
    id: "locator",
    header: "Place",
    width: "minmax(120px, 1.6fr)",
    cell: (row) => (
      <span className="mono muted" title={`${row.source}: ${row.locator}`}>
        {row.locator}
      </span>
    ),
  },
  { id: "language", header: "Language", width: "64px", cell: (row) => row.language || "–" },
  { id: "changed", header: "Changed", width: "76px", cell: (row) => <When time={row.changed} /> },
  {
    id: "state",
    header: "State",
    width: "72px",
    cell: (row) => (
      <span title={row.error || undefined}>
        <Pill tone={stateTones[row.state as keyof typeof stateTones] ?? "neutral"}>{row.state}</Pill>
      </span>
    ),
  },
];

function Documents() {
  const search = useSearch({ from: "/shell/features" });
  const navigate = useNavigate({ from: "/features" });
  const features = useQuery(featuresQuery);
  const list = useInfiniteQuery(documentsQuery(search));
  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: (old) => Object.fromEntries(Object.entries({ ...old, ...next }).filter(([, value]) => value)) });
  const open = (row: DocumentRow) => row.id && void navigate({ to: "/features/$documentId", params: { documentId: row.id }, search: {} });
  const filtered = Boolean(search.author || search.category || search.state);
  return (
    <Panel
      title="Documents"
      note={list.data ? `${count(rows.length)}${hasNextPage ? "+" : ""}` : ""}
      flush
      actions={
        <div className={classes.filters}>
          {(features.data?.authors.length ?? 0) > 1 && (
            <Select
              aria-label="Author"
              placeholder="Every author"
              data={features.data?.authors}
              value={search.author ?? null}
              onChange={(value) => change({ author: value ?? undefined })}
              clearable
              searchable
              className={classes.filter}
            />
          )}
          {(features.data?.categories.length ?? 0) > 1 && (
            <Select
              aria-label="Category"
              placeholder="Every category"
              data={features.data?.categories}
              value={search.category ?? null}
              onChange={(value) => change({ category: value ?? undefined })}
              clearable
              className={classes.filter}
            />
          )}
          <Select
            aria-label="State"
            placeholder="Every state"
            data={["present", "gone", "failed"]}
            value={search.state ?? null}
            onChange={(value) => change({ state: value ?? undefined })}
            clearable
            className={classes.filter}
          />
        </div>
      }
    >
      <Loaded query={list} what="the documents" loading={<LoadingRows rows={8} />}>
        {() =>
          rows.length ? (
            <div className={rows.length > 60 ? classes.tall : undefined}>
              <DataTable
                fixed={rows.length <= 60}
                label="Documents"
                columns={columns}
                data={rows}
                rowId={(row) => row.id || row.locator}
                onOpen={open}
                onEnd={more}
                cardHeight={74}
                card={(row) => <DocumentCard row={row} />}
              />
            </div>
          ) : (
            <EmptyState
              icon={<IconFileOff size={22} />}
              title={filtered ? "No document matches" : "No documents yet"}
              action={
                filtered && (
                  <Button variant="default" onClick={() => void navigate({ search: {} })}>
                    Show all
                  </Button>
                )
              }
            >
              {filtered
                ? "Documents are listed only if they meet every filter above."
                : "A build reads them from the sources of volan.yaml."}
            </EmptyState>
          )
        }
      </Loaded>
    </Panel>
  );
}

function DocumentCard({ row }: { row: DocumentRow }) {
  return (
    <div className={classes.card}>
      <div className={classes.cardTop}>
        {row.id ? (
          <Link to="/features/$documentId" params={{ documentId: row.id }} className={classes.title}>
            {row.title || row.locator}
          </Link>
        ) : (
          <span className={classes.title}>{row.title || row.locator}</span>
        )}
        <Pill tone={stateTones[row.state as keyof typeof stateTones] ?? "neutral"}>{row.state}</Pill>
      </div>
      <div className="muted ellipsis">
        {row.author} · {row.category}
      </div>
    </div>
  );
}
