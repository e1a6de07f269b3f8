// Shows an interpreted input or output: messages as a conversation, hits as a ranked list, text as text, anything else as a tree.
import { useState } from "react";
import { plural } from "../../parts/format";
import { JsonView } from "../../parts/json";
import { Markdown } from "../../parts/Markdown";
import classes from "./PayloadView.module.css";
import type { Hit, Message, Payload } from "./payload";

export function PayloadView({ payload }: { payload: Payload }) {
  switch (payload.type) {
    case "none":
      return <p className="muted">Nothing.</p>;
    case "text":
      return (
        <div className={classes.text}>
          <LongText text={payload.text} />
        </div>
      );
    case "json":
      return (
        <div className={classes.box}>
          <JsonView value={payload.value} />
        </div>
      );
    case "messages":
      return (
        <div className={classes.stack}>
          {payload.messages.map((message, index) => (
            <MessageView key={index} message={message} />
          ))}
          {payload.rest && <Rest value={payload.rest} />}
        </div>
      );
    case "hits":
      return (
        <div className={classes.stack}>
          {payload.hits.map((hit, index) => (
            <HitView key={index} hit={hit} place={index + 1} />
          ))}
          {payload.rest && <Rest value={payload.rest} />}
        </div>
      );
  }
}

function MessageView({ message }: { message: Message }) {
  return (
    <article className={classes.message} data-role={message.role}>
      <div className={classes.role}>{message.role}</div>
      {message.text && (message.role === "assistant" ? <Markdown text={message.text} /> : <LongText text={message.text} />)}
      {message.calls.map((call, index) => (
        <div key={index} className={classes.call}>
          <span className="mono">{call.name}</span>
          <JsonView value={call.arguments} />
        </div>
      ))}
    </article>
  );
}

function HitView({ hit, place }: { hit: Hit; place: number }) {
  return (
    <article className={classes.hit}>
      <div className={classes.hitHead}>
        <span className={classes.place}>{place}</span>
        <span className={classes.hitTitle}>
          {hit.title}
          {hit.heading && <span className="muted"> › {hit.heading}</span>}
        </span>
        <span className={classes.scores}>
          {hit.rankDense !== undefined && <span title="Rank in the vector search">dense #{hit.rankDense}</span>}
          {hit.rankLexical !== undefined && <span title="Rank in the word search">words #{hit.rankLexical}</span>}
          {hit.score !== undefined && <span title="Score">{hit.score.toPrecision(3)}</span>}
        </span>
      </div>
      <LongText text={hit.text} limit={360} />
    </article>
  );
}

/** Text with its line breaks; what is long starts shortened. */
function LongText({ text, limit = 2400 }: { text: string; limit?: number }) {
  const [whole, setWhole] = useState(false);
  const long = text.length > limit + 120;
  return (
    <div className={classes.plain}>
      {long && !whole ? `${text.slice(0, limit)}…` : text}
      {long && (
        <button type="button" className={classes.more} onClick={() => setWhole(!whole)}>
          {whole ? "Show less" : `Show all ${plural(text.length, "character")}`}
        </button>
      )}
    </div>
  );
}

function Rest({ value }: { value: Record<string, unknown> }) {
  return (
    <div className={classes.box}>
      <JsonView value={value} />
    </div>
  );
}
