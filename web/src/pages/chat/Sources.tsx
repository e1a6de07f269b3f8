// The sources of one answer, with the passage marked that carries what the answer says.
import { IconBook2, IconExternalLink } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import type { Source } from "../../api/types";
import { citedNumbers, claimsFor, markPassages } from "../../parts/citations";
import { LoadingRows } from "../../parts/states";
import classes from "./Sources.module.css";
import type { Turn } from "./stream";

type Props = { turn?: Turn; selected?: number; onSelect?: (number: number) => void };

export function Sources({ turn, selected, onSelect }: Props) {
  const cited = useMemo(() => (turn ? citedNumbers(turn.answer, turn.sources.length) : []), [turn]);
  if (!turn)
    return (
      <div className={classes.wait}>
        <div className={classes.title}>Sources</div>
        <LoadingRows rows={5} height={64} />
      </div>
    );
  return (
    <div className={classes.panel}>
      <div className={classes.head}>
        <h2 className={classes.title}>Sources</h2>
        <span className={classes.about}>{turn.question}</span>
      </div>
      {turn.sources.length === 0 && (
        <p className={classes.none}>
          <IconBook2 size={16} aria-hidden /> This answer used no source.
        </p>
      )}
      <ol className={classes.list}>
        {turn.sources.map((source) => (
          <SourceView
            key={source.chunk_id}
            source={source}
            answer={turn.answer}
            cited={cited.includes(source.number)}
            selected={selected === source.number}
            onSelect={() => onSelect?.(source.number)}
          />
        ))}
      </ol>
    </div>
  );
}

function SourceView({
  source,
  answer,
  cited,
  selected,
  onSelect,
}: {
  source: Source;
  answer: string;
  cited: boolean;
  selected: boolean;
  onSelect: () => void;
}) {
  const item = useRef<HTMLLIElement>(null);
  const mark = useRef<HTMLElement>(null);
  const runs = useMemo(
    () => (cited || selected ? markPassages(source.text, claimsFor(answer, source.number)) : [{ text: source.text, marked: false }]),
    [source, answer, cited, selected],
  );
  const lead = useMemo(() => (selected ? runs : excerpt(runs)), [runs, selected]);
  useEffect(() => {
    if (selected) (mark.current ?? item.current)?.scrollIntoView({ block: "nearest" });
    if (selected) item.current?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  const external = /^https?:\/\//.test(source.url);
  return (
    <li ref={item} className={classes.source} data-selected={selected || undefined} data-cited={cited || undefined}>
      <button type="button" className={classes.pick} onClick={onSelect} aria-pressed={selected}>
        <span className={classes.number}>
          <span className="visually-hidden">Source </span>
          {source.number}
        </span>{" "}
        <span className={classes.names}>
          <span className={classes.name}>{source.heading || source.title}</span>
          <span className={classes.where}>{[source.heading ? source.title : "", source.author].filter(Boolean).join(" · ")}</span>
        </span>
      </button>
      <p className={classes.text}>
        {lead.map((run, index) => {
          const at = `${index}-${run.text.length}`;
          return run.marked ? (
            <mark key={at} ref={mark}>
              {run.text}
            </mark>
          ) : (
            <span key={at}>{run.text}</span>
          );
        })}
      </p>
      <div className={classes.foot}>
        <span className="num" title="Fused score">
          {source.score.toPrecision(3)}
        </span>
        {source.rank_dense !== undefined && <span title="Rank in the vector search">dense #{source.rank_dense}</span>}
        {source.rank_lexical !== undefined && <span title="Rank in the word search">words #{source.rank_lexical}</span>}
        <span className={classes.links}>
          <Link to="/features/$documentId" params={{ documentId: source.document_id }} search={{ chunk: source.chunk_id }}>
            Document
          </Link>
          {external && (
            <a href={source.url} target="_blank" rel="noreferrer noopener">
              Original <IconExternalLink size={12} aria-hidden />
            </a>
          )}
        </span>
      </div>
    </li>
  );
}

type Run = { text: string; marked: boolean };

/** The part of a source worth showing while it is not selected: some characters before the first mark, or the beginning. */
function excerpt(runs: Run[], before = 80, size = 320): Run[] {
  const at = runs.findIndex((run) => run.marked);
  const out: Run[] = [];
  let left = size;
  runs.slice(Math.max(0, at - 1)).forEach((run, index) => {
    if (left <= 0) return;
    let text = run.text;
    if (at > 0 && index === 0 && text.length > before) text = `…${text.slice(-before)}`;
    if (text.length > left) text = `${text.slice(0, left).trimEnd()}…`;
    left -= text.length;
    out.push({ text, marked: run.marked });
  });
  return out;
}
