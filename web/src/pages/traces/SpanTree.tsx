// The virtual tree of spans: name on the left, a bar on one shared time scale on the right.

import { IconAlertCircleFilled, IconChevronRight } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef } from "react";
import { count, duration } from "../../parts/format";
import { KindIcon, kindColor } from "../../parts/values";
import { rows as heights } from "../../theme";
import classes from "./SpanTree.module.css";
import { type Node, type SpanTree as Tree, ticks } from "./tree";

type Props = {
  tree: Tree;
  rows: Node[];
  collapsed: ReadonlySet<string>;
  selected?: string;
  onSelect: (id: string) => void;
  onToggle: (id: string) => void;
};

export function SpanTree({ tree, rows, collapsed, selected, onSelect, onToggle }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => heights.span,
    overscan: 16,
  });
  const total = Math.max(tree.end - tree.start, 0.001);
  const index = rows.findIndex((node) => node.span.span_id === selected);
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls only when another span is selected, not when a branch opens
  useEffect(() => {
    if (index >= 0) virtual.scrollToIndex(index);
  }, [selected]);

  return (
    <div className={classes.tree}>
      <div className={classes.axis} aria-hidden="true">
        <span className={classes.axisName}>Span</span>
        <div className={classes.scale}>
          {ticks(total).map((tick) => (
            <span
              key={tick}
              className={classes.tick}
              style={{ left: `${(100 * tick) / total}%` }}
              data-last={tick / total > 0.9 || undefined}
            >
              {tick === 0 ? "0" : duration(tick)}
            </span>
          ))}
        </div>
        <span className={classes.time}>Took</span>
      </div>
      <div
        ref={scroller}
        className={classes.scroller}
        role="tree"
        aria-label="Spans"
        tabIndex={0}
        aria-activedescendant={selected ? `span-${selected}` : undefined}
      >
        <div style={{ height: virtual.getTotalSize(), position: "relative" }} role="presentation">
          {virtual.getVirtualItems().map((item) => {
            const node = rows[item.index]!;
            const { span } = node;
            const left = (100 * (node.start - tree.start)) / total;
            const width = (100 * (node.end - node.start)) / total;
            const closed = collapsed.has(span.span_id);
            return (
              <div
                key={span.span_id}
                id={`span-${span.span_id}`}
                role="treeitem"
                aria-selected={span.span_id === selected}
                aria-level={node.depth + 1}
                aria-expanded={node.children.length ? !closed : undefined}
                className={classes.row}
                data-selected={span.span_id === selected || undefined}
                style={{ height: heights.span, transform: `translateY(${item.start}px)` }}
                onClick={() => onSelect(span.span_id)}
              >
                <div className={classes.name} style={{ paddingLeft: 8 + Math.min(node.depth, 24) * 16 }}>
                  {node.children.length ? (
                    <span
                      className={classes.caret}
                      data-open={!closed || undefined}
                      role="presentation"
                      onClick={(event) => {
                        event.stopPropagation();
                        onToggle(span.span_id);
                      }}
                    >
                      <IconChevronRight size={14} aria-hidden />
                    </span>
                  ) : (
                    <span className={classes.caret} />
                  )}
                  <KindIcon kind={span.kind} />
                  <span className={classes.text} data-error={span.status === "error" || undefined}>
                    {span.name}
                  </span>
                  {closed && <span className={classes.hidden}>+{count(node.descendants)}</span>}
                  {(span.status === "error" || (closed && node.failed)) && (
                    <IconAlertCircleFilled size={14} className={classes.alert} aria-label="failed" />
                  )}
                </div>
                <div className={classes.lane}>
                  <div
                    className={classes.bar}
                    data-status={span.status}
                    style={{ left: `${left}%`, width: `max(3px, ${width}%)`, background: kindColor(span.kind) }}
                  >
                    {span.first_token_ms !== undefined && node.end > node.start && (
                      <span
                        className={classes.first}
                        style={{ left: `${Math.min(100, (100 * span.first_token_ms) / (node.end - node.start))}%` }}
                      />
                    )}
                  </div>
                </div>
                <span className={classes.time}>
                  {span.status === "running" ? "running" : duration(span.duration_ms ?? node.end - node.start)}
                </span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
