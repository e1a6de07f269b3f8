// The small pieces that show one value: time, duration, tokens, id, status, span kind.
import { CopyButton, Tooltip, UnstyledButton } from "@mantine/core";
import {
  IconAlertTriangle,
  IconArrowsSort,
  IconBan,
  IconCheck,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconCopy,
  IconDatabaseSearch,
  IconLink,
  IconLoader2,
  IconMessage2Bolt,
  IconPlugConnectedX,
  IconPoint,
  IconShieldCheck,
  IconTool,
  IconVector,
} from "@tabler/icons-react";
import type { ComponentType, ReactNode } from "react";
import type { Kind, Status } from "../api/types";
import { absolute, ago, count, shortId } from "./format";
import { useNow } from "./now";
import classes from "./values.module.css";

type Icon = ComponentType<{ size?: number; stroke?: number; className?: string; "aria-hidden"?: boolean }>;

/** A time relative to now; the absolute time in the reader's zone stands in the title. */
export function When({ time }: { time?: string }) {
  const now = useNow();
  if (!time) return <span className="muted">–</span>;
  return (
    <time dateTime={time} title={absolute(time)} className="num">
      {ago(time, now)}
    </time>
  );
}

/** Prompt and completion tokens as "812 → 164". */
export function Tokens({ prompt, completion }: { prompt?: number; completion?: number }) {
  if (!prompt && !completion) return <span className="muted">–</span>;
  return (
    <span className="num" title={`${count(prompt ?? 0)} tokens in the prompt, ${count(completion ?? 0)} in the answer`}>
      {count(prompt ?? 0)}
      <span className={classes.arrow}>→</span>
      {count(completion ?? 0)}
    </span>
  );
}

/** An id that a click copies whole. */
export function IdChip({ id, full = false }: { id: string; full?: boolean }) {
  return (
    <CopyButton value={id} timeout={1200}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : `Copy ${id}`}>
          <UnstyledButton className={classes.id} onClick={copy} aria-label={`${full ? id : shortId(id)}, copy the id`}>
            <span className={classes.idText}>{full ? id : shortId(id)}</span>
            {copied ? <IconCheck size={12} aria-hidden /> : <IconCopy size={12} aria-hidden />}
          </UnstyledButton>
        </Tooltip>
      )}
    </CopyButton>
  );
}

const statusParts: Record<Status, { icon: Icon; tone: string; label: string }> = {
  ok: { icon: IconCircleCheck, tone: "ok", label: "OK" },
  error: { icon: IconCircleX, tone: "error", label: "Error" },
  running: { icon: IconLoader2, tone: "info", label: "Running" },
  cancelled: { icon: IconBan, tone: "warn", label: "Cancelled" },
  interrupted: { icon: IconPlugConnectedX, tone: "warn", label: "Interrupted" },
};

/** The state of a span or trace. `quiet` shows the icon alone, with the word for screen readers. */
export function StatusMark({ status, quiet = false }: { status: Status; quiet?: boolean }) {
  const { icon: Icon, tone, label } = statusParts[status] ?? { icon: IconCircleDashed, tone: "info", label: status };
  return (
    <span className={classes.status} data-tone={tone} data-status={status} title={label}>
      <Icon size={15} stroke={2} aria-hidden />
      <span className={quiet ? "visually-hidden" : undefined}>{label}</span>
    </span>
  );
}

/** A word on a soft ground, in one of the four meanings or neutral. */
export function Pill({
  tone = "neutral",
  children,
}: {
  tone?: "ok" | "warn" | "error" | "info" | "neutral" | "accent";
  children: ReactNode;
}) {
  return (
    <span className={classes.pill} data-tone={tone}>
      {children}
    </span>
  );
}

const kindIcons: Record<Kind, Icon> = {
  llm: IconMessage2Bolt,
  retriever: IconDatabaseSearch,
  embedding: IconVector,
  reranker: IconArrowsSort,
  guardrail: IconShieldCheck,
  tool: IconTool,
  chain: IconLink,
  step: IconPoint,
};

/** The sign of a span kind in the kind's colour. */
export function KindIcon({ kind, size = 15 }: { kind: Kind; size?: number }) {
  const Icon = kindIcons[kind] ?? IconPoint;
  return (
    <span className={classes.kind} style={{ color: kindColor(kind) }} title={kind}>
      <Icon size={size} stroke={1.9} aria-hidden />
      <span className="visually-hidden">{kind}</span>
    </span>
  );
}

export function kindColor(kind: Kind): string {
  return `var(--v-kind-${kind}, var(--v-kind-step))`;
}

/** A short warning text with its sign. */
export function Warning({ children }: { children: ReactNode }) {
  return (
    <span className={classes.status} data-tone="warn">
      <IconAlertTriangle size={15} aria-hidden />
      <span>{children}</span>
    </span>
  );
}
