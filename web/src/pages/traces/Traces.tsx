// The trace list: filter chips, a text form, a time range, and live rows that wait until the reader asks for them.
import { ActionIcon, Button, Checkbox, Menu, Popover, Select, TextInput, Tooltip } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import {
  IconActivityHeartbeat,
  IconAlertTriangle,
  IconArrowUp,
  IconColumns3,
  IconFilter,
  IconRefresh,
  IconSearch,
  IconX,
} from "@tabler/icons-react";
import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useTraceFeed } from "../../api/feed";
import { tracesQuery } from "../../api/queries";
import type { TraceRow } from "../../api/types";
import { count, duration } from "../../parts/format";
import { Page } from "../../parts/page";
import { EmptyState, ErrorState, LoadingRows } from "../../parts/states";
import { DataTable } from "../../parts/table";
import { columns, TraceCard } from "./columns";
import { fields, matches, parseDuration, parseQuery, type Range, ranges, statuses, type TraceSearch, toRequest } from "./filter";
import { rememberList } from "./neighbours";
import classes from "./Traces.module.css";

export function TracesPage() {
  const search = useSearch({ from: "/shell/traces" });
  const navigate = useNavigate({ from: "/traces" });
  const queries = useQueryClient();
  const [asked, setAsked] = useState(() => Date.now());
  const change = useCallback(
    (next: Partial<TraceSearch>, replace = false) => {
      setAsked(Date.now());
      void navigate({
        search: (old) => Object.fromEntries(Object.entries({ ...old, ...next }).filter(([, value]) => value !== undefined)),
        replace,
      });
    },
    [navigate],
  );
  const filter = useMemo(() => toRequest(search, asked), [search, asked]);
  const list = useInfiniteQuery(tracesQuery(filter));
  const loaded = useMemo(() => list.data?.pages.flatMap((page) => page.traces) ?? [], [list.data]);

  const [changed, setChanged] = useState<ReadonlyMap<string, TraceRow>>(new Map());
  const [waiting, setWaiting] = useState<ReadonlyMap<string, TraceRow>>(new Map());
  const known = useMemo(() => new Set(loaded.map((row) => row.id)), [loaded]);
  useTraceFeed((row) => {
    if (known.has(row.id)) setChanged((old) => new Map(old).set(row.id, row));
    else if (matches(row, filter)) setWaiting((old) => new Map(old).set(row.id, row));
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter has other rows waiting
  useEffect(() => setWaiting(new Map()), [filter]);
  const rows = useMemo(() => loaded.map((row) => changed.get(row.id) ?? row), [loaded, changed]);
  useEffect(
    () =>
      rememberList(
        rows.map((row) => row.id),
        search,
      ),
    [rows, search],
  );

  const refresh = () => {
    setWaiting(new Map());
    setChanged(new Map());
    setAsked(Date.now());
    void queries.invalidateQueries({ queryKey: ["traces", "list"] });
  };
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const hidden = useMemo(() => new Set(search.cols ? search.cols.split(",") : ["first"]), [search.cols]);
  const chips = fields.filter((field) => search[field.key] !== undefined);
  const filtered = chips.length > 0 || search.text !== undefined;
  const open = (row: TraceRow) => void navigate({ to: "/traces/$traceId", params: { traceId: row.id }, search: {} });

  return (
    <Page
      fill
      title="Traces"
      note={
        <span className="num">
          {list.data && `${count(rows.length)}${hasNextPage ? "+" : ""} ${rows.length === 1 ? "trace" : "traces"}`}
        </span>
      }
      actions={
        <>
          <Tooltip label="Load again">
            <ActionIcon onClick={refresh} aria-label="Load again" loading={list.isRefetching && !isFetchingNextPage}>
              <IconRefresh size={16} />
            </ActionIcon>
          </Tooltip>
          <ColumnMenu hidden={hidden} onChange={(next) => change({ cols: [...next].join(",") || "none" }, true)} />
        </>
      }
    >
      <div className={classes.tools}>
        <SearchBox text={search.text ?? ""} onSearch={(next) => change(next)} />
        {chips.map((field) => (
          <span key={field.key} className={classes.chip}>
            <span className={classes.chipField}>
              {field.label} {field.operator}
            </span>
            <span className={classes.chipValue}>
              {field.key === "duration_ms_min" ? duration(search.duration_ms_min) : search[field.key]}
            </span>
            <button
              type="button"
              className={classes.chipClose}
              onClick={() => change({ [field.key]: undefined })}
              aria-label={`Remove the filter ${field.label}`}
            >
              <IconX size={12} />
            </button>
          </span>
        ))}
        {(search.from || search.to) && (
          <span className={classes.chip}>
            <span className={classes.chipField}>From</span>
            <span className={classes.chipValue}>{clockRange(search.from, search.to)}</span>
            <button
              type="button"
              className={classes.chipClose}
              onClick={() => change({ from: undefined, to: undefined })}
              aria-label="Remove the time filter"
            >
              <IconX size={12} />
            </button>
          </span>
        )}
        <AddFilter search={search} onAdd={change} />
        <Select
          className={classes.range}
          aria-label="Time range"
          data={Object.entries(ranges).map(([value, { label }]) => ({ value, label }))}
          value={search.range ?? "24h"}
          onChange={(value) => change({ range: (value ?? "24h") as Range, from: undefined, to: undefined })}
          allowDeselect={false}
          comboboxProps={{ transitionProps: { duration: 80 } }}
        />
      </div>
      <div className={classes.list}>
        {waiting.size > 0 && (
          <button type="button" className={classes.waiting} onClick={refresh}>
            <IconArrowUp size={14} aria-hidden />
            {count(waiting.size)} new
          </button>
        )}
        {list.isPending ? (
          <LoadingRows rows={14} />
        ) : list.error && !list.data ? (
          <ErrorState error={list.error} what="the traces" retry={() => void list.refetch()} />
        ) : rows.length === 0 ? (
          <Empty filtered={filtered} onClear={() => void navigate({ search: { range: "all" } })} range={search.range ?? "24h"} />
        ) : (
          <DataTable
            label="Traces"
            columns={columns}
            data={rows}
            rowId={(row) => row.id}
            hidden={hidden}
            card={(row) => <TraceCard row={row} />}
            onOpen={open}
            onEnd={more}
            tone={(row) => (row.status === "error" ? "error" : undefined)}
            foot={
              isFetchingNextPage
                ? "Loading more…"
                : hasNextPage
                  ? undefined
                  : `${count(rows.length)} in ${ranges[search.range ?? "24h"].label.toLowerCase()}`
            }
          />
        )}
      </div>
    </Page>
  );
}

function clockRange(from?: string, to?: string): string {
  const text = (time: string) =>
    new Intl.DateTimeFormat("en-GB", { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit" }).format(new Date(time));
  return `${from ? text(from) : "…"} to ${to ? text(to) : "now"}`;
}

function SearchBox({ text, onSearch }: { text: string; onSearch: (next: Partial<TraceSearch>) => void }) {
  const [draft, setDraft] = useState(text);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setDraft(text), [text]);
  useHotkeys([["/", () => box.current?.focus()]]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = parseQuery(draft);
    onSearch({ ...found, text: found.text });
    setDraft(found.text ?? "");
  };
  return (
    <form onSubmit={submit} className={classes.search} role="search">
      <TextInput
        ref={box}
        aria-label="Search traces"
        placeholder="Search inputs and outputs, or status:error duration>2s"
        value={draft}
        onChange={(event) => setDraft(event.currentTarget.value)}
        onKeyDown={(event) => event.key === "Escape" && box.current?.blur()}
        leftSection={<IconSearch size={15} stroke={1.75} />}
        rightSection={
          draft ? (
            <ActionIcon
              size={22}
              aria-label="Clear the search"
              onClick={() => {
                setDraft("");
                onSearch({ text: undefined });
              }}
            >
              <IconX size={13} />
            </ActionIcon>
          ) : null
        }
      />
    </form>
  );
}

function AddFilter({ search, onAdd }: { search: TraceSearch; onAdd: (next: Partial<TraceSearch>) => void }) {
  const [field, setField] = useState<(typeof fields)[number]>();
  const [value, setValue] = useState("");
  const [opened, setOpened] = useState(false);
  const free = fields.filter((each) => search[each.key] === undefined);
  const close = () => {
    setOpened(false);
    setField(undefined);
    setValue("");
  };
  const minimum = field?.key === "duration_ms_min" ? parseDuration(value) : undefined;
  const valid = field?.key === "duration_ms_min" ? minimum !== undefined && minimum > 0 : value.trim() !== "";
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!field || !valid) return;
    onAdd({ [field.key]: field.key === "duration_ms_min" ? minimum : value.trim() });
    close();
  };
  return (
    <Popover
      opened={opened}
      onChange={(next) => (next ? setOpened(true) : close())}
      position="bottom-start"
      width={240}
      shadow="md"
      trapFocus
    >
      <Popover.Target>
        <Button
          variant="default"
          leftSection={<IconFilter size={14} stroke={1.75} />}
          onClick={() => (opened ? close() : setOpened(true))}
          disabled={!free.length}
        >
          Filter
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={field ? "sm" : "xs"}>
        {!field &&
          free.map((each) => (
            <button type="button" key={each.key} className={classes.option} onClick={() => setField(each)}>
              {each.label} <span className="muted">{each.operator}</span>
            </button>
          ))}
        {field?.key === "status" &&
          statuses.map((status) => (
            <button
              type="button"
              key={status}
              className={classes.option}
              onClick={() => {
                onAdd({ status });
                close();
              }}
            >
              {status}
            </button>
          ))}
        {field && field.key !== "status" && (
          <form onSubmit={submit} className={classes.form}>
            <TextInput
              label={`${field.label} ${field.operator}`}
              placeholder={field.hint}
              value={value}
              onChange={(event) => setValue(event.currentTarget.value)}
              data-autofocus
            />
            <Button type="submit" disabled={!valid}>
              Add
            </Button>
          </form>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

function ColumnMenu({ hidden, onChange }: { hidden: ReadonlySet<string>; onChange: (next: Set<string>) => void }) {
  const toggle = (id: string) => {
    const next = new Set([...hidden].filter((each) => each !== "none"));
    if (!next.delete(id)) next.add(id);
    onChange(next);
  };
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <ActionIcon aria-label="Columns" className={classes.columns}>
          <IconColumns3 size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {columns
          .filter((column) => column.id !== "name")
          .map((column) => (
            <Menu.Item
              key={column.id}
              onClick={() => toggle(column.id)}
              leftSection={<Checkbox.Indicator size="xs" checked={!hidden.has(column.id)} />}
            >
              {column.header || "Status"}
            </Menu.Item>
          ))}
      </Menu.Dropdown>
    </Menu>
  );
}

function Empty({ filtered, onClear, range }: { filtered: boolean; onClear: () => void; range: Range }) {
  if (filtered || range !== "all") {
    return (
      <EmptyState
        icon={<IconAlertTriangle size={22} />}
        title="No trace matches"
        action={
          <Button variant="default" onClick={onClear}>
            Clear filters, show all time
          </Button>
        }
      >
        {filtered
          ? "Traces are there only if they meet every condition above."
          : `Nothing was asked in the ${ranges[range].label.toLowerCase()}.`}
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={<IconActivityHeartbeat size={22} />}
      title="No traces yet"
      action={
        <Button component={Link} to="/chat">
          Ask the twin something
        </Button>
      }
    >
      Every question to an app becomes a trace: each stage with its time, tokens, input and output.
    </EmptyState>
  );
}
