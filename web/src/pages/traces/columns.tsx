// The columns of the trace list, and its card on a phone.
import { Link } from "@tanstack/react-router";
import type { TraceRow } from "../../api/types";
import { duration } from "../../parts/format";
import type { Column } from "../../parts/table";
import { StatusMark, Tokens, When } from "../../parts/values";
import classes from "./Traces.module.css";

export const columns: Column<TraceRow>[] = [
  { id: "status", header: "", width: "18px", cell: (row) => <StatusMark status={row.status} quiet /> },
  {
    id: "time",
    header: "Started",
    width: "76px",
    cell: (row) => (
      <span className={classes.dim}>
        <When time={row.start} />
      </span>
    ),
  },
  {
    id: "name",
    header: "Name",
    width: "minmax(56px, 0.5fr)",
    cell: (row) => (
      <Link to="/traces/$traceId" params={{ traceId: row.id }} className={classes.name}>
        {row.name}
      </Link>
    ),
  },
  {
    id: "input",
    header: "Input",
    width: "minmax(160px, 2fr)",
    cell: (row) => <span title={row.input_preview}>{row.input_preview || <span className="muted">–</span>}</span>,
  },
  {
    id: "output",
    header: "Output",
    width: "minmax(160px, 2.4fr)",
    cell: (row) =>
      row.error ? (
        <span className={classes.error} title={row.error}>
          {row.error}
        </span>
      ) : (
        <span className={classes.dim} title={row.output_preview}>
          {row.output_preview || (row.status === "running" ? "…" : "–")}
        </span>
      ),
  },
  { id: "app", header: "App", width: "minmax(32px, 52px)", cell: (row) => <span className={classes.dim}>{row.app || "–"}</span> },
  {
    id: "model",
    header: "Model",
    width: "minmax(56px, 0.7fr)",
    cell: (row) => (
      <span className={classes.dim} title={row.model}>
        {row.model || "–"}
      </span>
    ),
  },
  { id: "first", header: "First token", width: "80px", align: "right", cell: (row) => duration(row.first_token_ms) },
  {
    id: "tokens",
    header: "Tokens",
    width: "96px",
    align: "right",
    cell: (row) => <Tokens prompt={row.prompt_tokens} completion={row.completion_tokens} />,
  },
  {
    id: "duration",
    header: "Duration",
    width: "72px",
    align: "right",
    cell: (row) => <span className={classes.duration}>{duration(row.duration_ms)}</span>,
  },
];

export function TraceCard({ row }: { row: TraceRow }) {
  return (
    <div className={classes.cardGrid}>
      <div className={classes.cardTop}>
        <StatusMark status={row.status} quiet />
        <Link to="/traces/$traceId" params={{ traceId: row.id }} className={classes.cardTitle}>
          {row.input_preview || row.name}
        </Link>
        <span className={classes.duration}>{duration(row.duration_ms)}</span>
      </div>
      <div className={row.error ? classes.cardError : classes.cardText}>{row.error ?? row.output_preview}</div>
      <div className={classes.cardFoot}>
        <When time={row.start} />
        <span>{row.app}</span>
        <Tokens prompt={row.prompt_tokens} completion={row.completion_tokens} />
      </div>
    </div>
  );
}
