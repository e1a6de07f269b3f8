// One question and its answer, with what it took and where its trace is.
import { ActionIcon, Button, CopyButton, Tooltip } from "@mantine/core";
import { IconActivityHeartbeat, IconAlertCircle, IconBook2, IconCheck, IconCopy, IconRefresh } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { citedNumbers } from "../../parts/citations";
import { count, duration, plural } from "../../parts/format";
import { Markdown } from "../../parts/Markdown";
import classes from "./Chat.module.css";
import type { Turn } from "./stream";

type Props = { turn: Turn; selected?: number; onSelect: (number?: number) => void; onRetry?: () => void };

export function TurnView({ turn, selected, onSelect, onRetry }: Props) {
  const highest = turn.sources.length;
  const running = turn.state === "waiting" || turn.state === "streaming";
  const cited = citedNumbers(turn.answer, highest).length;
  const cite = useMemo(() => (highest ? { highest, selected, onSelect } : undefined), [highest, selected, onSelect]);
  return (
    <article className={classes.turn}>
      <div className={classes.question}>{turn.question}</div>
      <div className={classes.answer} aria-busy={running}>
        {turn.answer && <Markdown text={turn.answer} cite={cite} />}
        {running && !turn.answer && (
          <div className={classes.progress} role="status">
            <span className={classes.pulse} />
            {highest ? `Reading ${plural(highest, "source")}…` : "Searching the documents…"}
          </div>
        )}
        {turn.state === "stopped" && <p className={classes.stopped}>Stopped.</p>}
        {turn.state === "failed" && turn.error && (
          <div className={classes.failure} role="alert">
            <IconAlertCircle size={17} aria-hidden />
            <div className={classes.failureText}>
              <div>
                {turn.error.message} <code className={classes.code}>{turn.error.code}</code>
              </div>
              {turn.error.fix && <div className={classes.fix}>{turn.error.fix}</div>}
            </div>
            {onRetry && (
              <Button variant="default" size="xs" leftSection={<IconRefresh size={14} />} onClick={onRetry}>
                Ask again
              </Button>
            )}
          </div>
        )}
        {!running && (
          <footer className={classes.foot}>
            {turn.timings && <Measures turn={turn} />}
            <span className={classes.footActions}>
              {highest > 0 && (
                <button type="button" className={classes.footLink} onClick={() => onSelect(undefined)}>
                  <IconBook2 size={14} aria-hidden />
                  {cited ? `${cited} of ${highest} cited` : plural(highest, "source")}
                </button>
              )}
              {turn.traceId && (
                <Link to="/traces/$traceId" params={{ traceId: turn.traceId }} className={classes.footLink}>
                  <IconActivityHeartbeat size={14} aria-hidden />
                  Trace
                </Link>
              )}
              {turn.answer && (
                <CopyButton value={turn.answer} timeout={1200}>
                  {({ copied, copy }) => (
                    <Tooltip label={copied ? "Copied" : "Copy the answer"}>
                      <ActionIcon size={24} onClick={copy} aria-label="Copy the answer">
                        {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
                      </ActionIcon>
                    </Tooltip>
                  )}
                </CopyButton>
              )}
            </span>
          </footer>
        )}
      </div>
    </article>
  );
}

function Measures({ turn }: { turn: Turn }) {
  const { timings, usage } = turn;
  return (
    <span className={classes.measures}>
      {timings?.retrieval_ms !== undefined && <span title="Time to find the sources">search {duration(timings.retrieval_ms)}</span>}
      {timings?.first_token_ms !== undefined && <span title="Time to the first token">first token {duration(timings.first_token_ms)}</span>}
      {timings?.total_ms !== undefined && <span title="Time to the whole answer">total {duration(timings.total_ms)}</span>}
      {usage && (
        <span title={`${count(usage.prompt_tokens)} tokens in the prompt, ${count(usage.completion_tokens)} in the answer`}>
          {count(usage.prompt_tokens)} → {count(usage.completion_tokens)} tokens
        </span>
      )}
    </span>
  );
}
