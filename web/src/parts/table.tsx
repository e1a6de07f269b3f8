// One virtual table for every list: 32 px rows on wide screens, cards on phones, keyboard, more rows at the end.

import { useHotkeys, useMediaQuery } from "@mantine/hooks";
import { columnVisibilityFeature, createColumnHelper, type RowData, tableFeatures, useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { breakpoints, rows as heights } from "../theme";
import classes from "./table.module.css";

const features = tableFeatures({ columnVisibilityFeature });

/** One column: `width` is a CSS grid track. */
export type Column<Row> = { id: string; header: string; width: string; align?: "right"; cell: (row: Row) => ReactNode };

type Props<Row> = {
  label: string;
  columns: Column<Row>[];
  data: Row[];
  rowId: (row: Row) => string;
  hidden?: ReadonlySet<string>;
  card?: (row: Row) => ReactNode;
  cardHeight?: number;
  onOpen?: (row: Row) => void;
  onEnd?: () => void;
  active?: string;
  foot?: ReactNode;
  tone?: (row: Row) => "error" | "fresh" | undefined;
  /** Fixed lists grow with their rows; the others fill the height and scroll. */
  fixed?: boolean;
};

export function usePhone(): boolean {
  return useMediaQuery(`(max-width: ${breakpoints.phone}px)`, window.innerWidth <= breakpoints.phone, { getInitialValueInEffect: false });
}

export function DataTable<Row extends RowData>(props: Props<Row>) {
  const { label, columns, data, rowId, hidden, card, onOpen, onEnd, foot, tone, fixed } = props;
  const phone = usePhone() && card !== undefined;
  const height = phone ? (props.cardHeight ?? heights.card) : heights.table;
  const scroller = useRef<HTMLDivElement>(null);
  const [cursor, setCursor] = useState<string | undefined>(props.active);

  const definitions = useMemo(() => {
    const helper = createColumnHelper<typeof features, Row>();
    return helper.columns(
      columns.map((column) => helper.display({ id: column.id, header: column.header, cell: ({ row }) => column.cell(row.original) })),
    );
  }, [columns]);
  const visibility = useMemo(() => Object.fromEntries(columns.map((column) => [column.id, !hidden?.has(column.id)])), [columns, hidden]);
  const table = useTable({ features, columns: definitions, data, getRowId: rowId, state: { columnVisibility: visibility } });
  const rows = table.getRowModel().rows;
  const byId = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns]);
  const tracks = columns
    .filter((column) => !hidden?.has(column.id))
    .map((column) => column.width)
    .join(" ");

  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 12,
    enabled: !fixed,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the sizes of all rows change with `height`
  useEffect(() => virtual.measure(), [height]);
  const items = virtual.getVirtualItems();
  const lastIndex = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (onEnd && rows.length && lastIndex >= rows.length - 20) onEnd();
  }, [onEnd, lastIndex, rows.length]);

  const move = (step: number) => {
    const at = rows.findIndex((row) => row.id === cursor);
    const next = rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.max(0, Math.min(rows.length - 1, at + step))];
    if (!next) return;
    setCursor(next.id);
    if (!fixed) virtual.scrollToIndex(next.index);
  };
  const open = () => {
    const row = rows.find((each) => each.id === cursor);
    if (row && onOpen) onOpen(row.original);
  };
  useHotkeys(
    [
      ["j", () => move(1)],
      ["ArrowDown", () => move(1)],
      ["k", () => move(-1)],
      ["ArrowUp", () => move(-1)],
      ["Enter", open, { preventDefault: false }],
    ],
    ["INPUT", "TEXTAREA", "SELECT", "BUTTON", "A"],
  );

  const line = (index: number, top?: number) => {
    const row = rows[index]!;
    return (
      <div
        key={row.id}
        role="row"
        className={phone ? classes.card : classes.row}
        style={{
          height,
          gridTemplateColumns: phone ? undefined : tracks,
          transform: top === undefined ? undefined : `translateY(${top}px)`,
        }}
        data-placed={top === undefined ? undefined : true}
        data-cursor={row.id === cursor || undefined}
        data-tone={tone?.(row.original)}
        data-clickable={onOpen ? true : undefined}
        onClick={(event) => {
          if (!onOpen || (event.target as HTMLElement).closest("a,button") || window.getSelection()?.toString()) return;
          setCursor(row.id);
          onOpen(row.original);
        }}
      >
        {phone ? (
          <div role="cell" className={classes.cardCell}>
            {card(row.original)}
          </div>
        ) : (
          row.getVisibleCells().map((cell) => (
            <div key={cell.id} role="cell" className={classes.cell} data-align={byId.get(cell.column.id)?.align}>
              <table.FlexRender cell={cell} />
            </div>
          ))
        )}
      </div>
    );
  };

  return (
    <div
      ref={scroller}
      className={fixed ? classes.fixed : classes.scroller}
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      tabIndex={0}
    >
      {!phone && (
        <div role="rowgroup" className={classes.headGroup}>
          <div role="row" className={classes.head} style={{ gridTemplateColumns: tracks }}>
            {table.getHeaderGroups()[0]?.headers.map((header) => (
              <div key={header.id} role="columnheader" className={classes.cell} data-align={byId.get(header.column.id)?.align}>
                <table.FlexRender header={header} />
              </div>
            ))}
          </div>
        </div>
      )}
      <div role="rowgroup" className={classes.body} style={fixed ? undefined : { height: virtual.getTotalSize() }}>
        {fixed ? rows.map((_, index) => line(index)) : items.map((item) => line(item.index, item.start))}
      </div>
      {foot && <div className={classes.foot}>{foot}</div>}
    </div>
  );
}
