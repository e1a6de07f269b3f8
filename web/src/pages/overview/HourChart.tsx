// Traces per hour as bars, failed ones on top; a click shows the hour's traces; the same numbers as a table and as CSV.
import { ActionIcon, Tooltip } from "@mantine/core";
import { IconChartBar, IconDownload, IconTable } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { TraceStats } from "../../api/types";
import { clock, count, plural } from "../../parts/format";
import classes from "./HourChart.module.css";

type Hour = TraceStats["hours"][number];
const hour = 3_600_000;

/** One entry per hour of the range, also where nothing happened. */
export function fillHours(hours: Hour[], from: string, to: string): Hour[] {
  const known = new Map(hours.map((each) => [Math.floor(Date.parse(each.start) / hour), each]));
  const first = Math.floor(Date.parse(from) / hour);
  const last = Math.floor((Date.parse(to) - 1) / hour);
  return Array.from(
    { length: Math.max(0, Math.min(last - first + 1, 24 * 366)) },
    (_, index) => known.get(first + index) ?? { start: new Date((first + index) * hour).toISOString(), traces: 0, errors: 0 },
  );
}

/** A round number of at least `value` for the top of an axis. */
export function roundUp(value: number): number {
  if (value <= 4) return 4;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 8, 10].map((factor) => factor * power).find((top) => top >= value)!;
}

export function HourChart({ hours, from, to }: { hours: Hour[]; from: string; to: string }) {
  const navigate = useNavigate();
  const [table, setTable] = useState(false);
  const [over, setOver] = useState<number>();
  const filled = useMemo(() => fillHours(hours, from, to), [hours, from, to]);
  const top = roundUp(Math.max(...filled.map((each) => each.traces), 1));
  const open = (each: Hour) =>
    void navigate({ to: "/traces", search: { from: each.start, to: new Date(Date.parse(each.start) + hour).toISOString() } });
  const save = () => {
    const text = ["hour,traces,errors", ...filled.map((each) => `${each.start},${each.traces},${each.errors}`)].join("\n");
    const link = document.createElement("a");
    link.href = `data:text/csv;charset=utf-8,${encodeURIComponent(text)}`;
    link.download = "traces-per-hour.csv";
    link.click();
  };
  const shown = over === undefined ? undefined : filled[over];
  return (
    <div className={classes.box}>
      <div className={classes.tools}>
        <span className={classes.reading} aria-live="off">
          {shown ? (
            `${clock(shown.start)}–${clock(Date.parse(shown.start) + hour)}: ${plural(shown.traces, "trace")}, ${count(shown.errors)} failed`
          ) : (
            <>
              <i className={classes.swatch} />
              finished
              <i className={classes.swatch} data-error />
              failed
            </>
          )}
        </span>
        <Tooltip label={table ? "Show the chart" : "Show as a table"}>
          <ActionIcon size={26} onClick={() => setTable(!table)} aria-label={table ? "Show the chart" : "Show as a table"}>
            {table ? <IconChartBar size={15} /> : <IconTable size={15} />}
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Download as CSV">
          <ActionIcon size={26} onClick={save} aria-label="Download as CSV">
            <IconDownload size={15} />
          </ActionIcon>
        </Tooltip>
      </div>
      {table ? (
        <div className={classes.tableBox} tabIndex={0} role="region" aria-label="Traces per hour">
          <table className={classes.table}>
            <thead>
              <tr>
                <th>Hour</th>
                <th>Traces</th>
                <th>Failed</th>
              </tr>
            </thead>
            <tbody>
              {filled.map((each) => (
                <tr key={each.start}>
                  <td>{clock(each.start)}</td>
                  <td>{count(each.traces)}</td>
                  <td>{count(each.errors)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div className={classes.chart} onMouseLeave={() => setOver(undefined)}>
          <div className={classes.axis} aria-hidden="true">
            <span>{count(top)}</span>
            <span>{count(top / 2)}</span>
            <span>0</span>
          </div>
          <div className={classes.plot}>
            {filled.map((each, index) => (
              <button
                key={each.start}
                type="button"
                className={classes.slot}
                onMouseEnter={() => setOver(index)}
                onFocus={() => setOver(index)}
                onBlur={() => setOver(undefined)}
                onClick={() => open(each)}
                aria-label={`${clock(each.start)}: ${plural(each.traces, "trace")}, ${each.errors} failed`}
              >
                {each.errors > 0 && <span className={classes.failed} style={{ height: `${(100 * each.errors) / top}%` }} />}
                {each.traces > 0 && (
                  <span className={classes.bar} style={{ height: `${(100 * Math.max(0, each.traces - each.errors)) / top}%` }} />
                )}
              </button>
            ))}
          </div>
          <div className={classes.labels} aria-hidden="true">
            {filled.map((each, index) => (
              <span key={each.start}>{index % 4 === 0 ? clock(each.start) : ""}</span>
            ))}
          </div>
        </div>
      )}
    </div>
  );
}
