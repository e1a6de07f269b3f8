// The selected span: what went in and came out, shown as what it is; its attributes; the raw JSON.
import { CopyButton, Tabs, Tooltip, UnstyledButton } from "@mantine/core";
import { IconAlertCircle, IconCheck, IconCopy } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode, useMemo } from "react";
import { spanQuery } from "../../api/queries";
import { count, duration } from "../../parts/format";
import { JsonView } from "../../parts/json";
import { IdChip, KindIcon, Pill, StatusMark, When } from "../../parts/values";
import { PayloadView } from "./PayloadView";
import { interpret } from "./payload";
import classes from "./SpanDetail.module.css";
import type { Node } from "./tree";

type Props = { traceId: string; node: Node; short: boolean; tab?: string; onTab: (tab: string | undefined) => void; start: number };

/** With `short` the tree holds previews only: the whole span is asked for here. */
export function SpanDetail({ traceId, node, short, tab, onTab, start }: Props) {
  const whole = useQuery(spanQuery(traceId, node.span.span_id, short));
  const span = whole.data ?? node.span;
  const input = useMemo(() => interpret(span.input), [span.input]);
  const output = useMemo(() => interpret(span.output), [span.output]);
  const attributes = Object.entries(span.attributes ?? {});
  return (
    <div className={classes.detail}>
      <div className={classes.head}>
        <div className={classes.name}>
          <KindIcon kind={span.kind} size={18} />
          <h2 className={classes.title}>{span.name}</h2>
          <Pill>{span.kind}</Pill>
          <StatusMark status={span.status} />
          <IdChip id={span.span_id} />
        </div>
        <div className={classes.numbers}>
          <Measure name="took">{duration(span.duration_ms)}</Measure>
          <Measure name="after start">{duration(Math.max(0, node.start - start))}</Measure>
          {span.first_token_ms !== undefined && <Measure name="to first token">{duration(span.first_token_ms)}</Measure>}
          {span.prompt_tokens !== undefined && span.prompt_tokens > 0 && (
            <Measure name="prompt tokens">{count(span.prompt_tokens)}</Measure>
          )}
          {span.completion_tokens !== undefined && span.completion_tokens > 0 && (
            <Measure name="answer tokens">{count(span.completion_tokens)}</Measure>
          )}
          {rate(node) && <Measure name="tokens/s">{rate(node)}</Measure>}
          {span.model && <Measure name="model">{span.model}</Measure>}
        </div>
        {span.error && (
          <div className={classes.error} role="alert">
            <IconAlertCircle size={16} aria-hidden />
            <span>{span.error}</span>
          </div>
        )}
      </div>
      <Tabs
        value={tab ?? "content"}
        onChange={(next) => onTab(next === "content" ? undefined : (next ?? undefined))}
        className={classes.tabs}
        keepMounted={false}
      >
        <Tabs.List className={classes.tabList}>
          <Tabs.Tab value="content">
            {input.type === "messages" || output.type === "messages" ? "Conversation" : "Input and output"}
          </Tabs.Tab>
          <Tabs.Tab value="attributes">
            Attributes <span className="muted num">{attributes.length || ""}</span>
          </Tabs.Tab>
          <Tabs.Tab value="json">JSON</Tabs.Tab>
        </Tabs.List>
        <div className={classes.body} tabIndex={0} role="region" aria-label="Content of the span">
          <Tabs.Panel value="content">
            {input.type === "none" && output.type === "none" ? (
              <p className="muted">This span recorded no input and no output.</p>
            ) : (
              <>
                <Section title="Input" value={span.input}>
                  <PayloadView payload={input} />
                </Section>
                <Section title="Output" value={span.output}>
                  {output.type === "none" && span.status === "running" ? (
                    <p className="muted">Still running…</p>
                  ) : (
                    <PayloadView payload={output} />
                  )}
                </Section>
              </>
            )}
          </Tabs.Panel>
          <Tabs.Panel value="attributes">
            <dl className={classes.attributes}>
              <Line name="started">
                <When time={span.start} /> <span className="muted mono">{span.start}</span>
              </Line>
              {span.end && (
                <Line name="ended">
                  <span className="mono">{span.end}</span>
                </Line>
              )}
              {span.app && <Line name="app">{span.app}</Line>}
              {attributes.map(([name, value]) => (
                <Line key={name} name={name}>
                  {typeof value === "object" ? <JsonView value={value} /> : <span className="mono">{String(value)}</span>}
                </Line>
              ))}
            </dl>
          </Tabs.Panel>
          <Tabs.Panel value="json">
            <JsonView value={span} />
          </Tabs.Panel>
        </div>
      </Tabs>
    </div>
  );
}

/** Completion tokens per second after the first token. */
function rate({ span }: Node): string | undefined {
  if (!span.completion_tokens || span.duration_ms === undefined || span.kind !== "llm") return undefined;
  const ms = span.duration_ms - (span.first_token_ms ?? 0);
  return ms > 0 ? (span.completion_tokens / (ms / 1000)).toFixed(0) : undefined;
}

function Measure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <span className={classes.number}>
      <b>{children}</b> {name}
    </span>
  );
}

function Section({ title, value, children }: { title: string; value: unknown; children: ReactNode }) {
  if (value === undefined) return null;
  return (
    <section className={classes.section}>
      <div className={classes.sectionHead}>
        <h3>{title}</h3>
        <CopyButton value={typeof value === "string" ? value : JSON.stringify(value, null, 2)} timeout={1200}>
          {({ copied, copy }) => (
            <Tooltip label={copied ? "Copied" : `Copy the ${title.toLowerCase()}`}>
              <UnstyledButton className={classes.copy} onClick={copy} aria-label={`Copy the ${title.toLowerCase()}`}>
                {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
              </UnstyledButton>
            </Tooltip>
          )}
        </CopyButton>
      </div>
      {children}
    </section>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Fragment>
      <dt className="mono">{name}</dt>
      <dd>{children}</dd>
    </Fragment>
  );
}
