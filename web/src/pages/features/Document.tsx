// One document: what it is, and its chunks as they are searched.
import { IconAlertCircle, IconExternalLink, IconFileOff } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { ApiError } from "../../api/client";
import { documentQuery } from "../../api/queries";
import type { Chunk, DocumentDetail } from "../../api/types";
import { count, plural } from "../../parts/format";
import { Page } from "../../parts/page";
import { EmptyState, ErrorState, LoadingBlock } from "../../parts/states";
import { IdChip, When } from "../../parts/values";
import classes from "./Document.module.css";

export function DocumentPage() {
  const { documentId } = useParams({ from: "/shell/features/$documentId" });
  const document = useQuery(documentQuery(documentId));
  if (document.data) return <View data={document.data} />;
  if (document.error instanceof ApiError && document.error.status === 404) {
    return (
      <EmptyState icon={<IconFileOff size={22} />} title="There is no such document" action={<Link to="/features">All documents</Link>}>
        It may have changed since: a document's id is the hash of its content.
      </EmptyState>
    );
  }
  if (document.error) return <ErrorState error={document.error} what="this document" retry={() => void document.refetch()} />;
  return (
    <Page title="Document">
      <LoadingBlock height={400} />
    </Page>
  );
}

function View({ data }: { data: DocumentDetail }) {
  const { chunk } = useSearch({ from: "/shell/features/$documentId" });
  const { document, chunks } = data;
  const tokens = chunks.reduce((sum, each) => sum + each.tokens, 0);
  return (
    <Page
      title={document.title || document.locator}
      note={[document.author, document.category, document.language].filter(Boolean).join(" · ")}
      actions={
        /^https?:\/\//.test(document.url) && (
          <a href={document.url} target="_blank" rel="noreferrer noopener" className={classes.original}>
            Original <IconExternalLink size={14} aria-hidden />
          </a>
        )
      }
    >
      <dl className={classes.facts}>
        <div>
          <dt>Source</dt>
          <dd>{document.source}</dd>
        </div>
        <div className={classes.place}>
          <dt>Place</dt>
          <dd className="mono">{document.locator}</dd>
        </div>
        <div>
          <dt>Chunks</dt>
          <dd className="num">
            {count(chunks.length)}, {count(tokens)} tokens
          </dd>
        </div>
        <div>
          <dt>Changed</dt>
          <dd>
            <When time={document.changed} />
          </dd>
        </div>
      </dl>
      {document.error && (
        <div className={classes.error} role="alert">
          <IconAlertCircle size={16} aria-hidden />
          The last reading failed: {document.error}. An older version stays in use.
        </div>
      )}
      {chunks.length === 0 ? (
        <EmptyState icon={<IconFileOff size={22} />} title="Not in the current snapshot">
          The document has no chunks that searches use. The next build takes it in if it is still in its source.
        </EmptyState>
      ) : (
        <ol className={classes.chunks} aria-label={plural(chunks.length, "chunk")}>
          {chunks.map((each) => (
            <ChunkView key={each.id} chunk={each} wanted={each.id === chunk} />
          ))}
        </ol>
      )}
    </Page>
  );
}

function ChunkView({ chunk, wanted }: { chunk: Chunk; wanted: boolean }) {
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (wanted) item.current?.scrollIntoView({ block: "center" });
  }, [wanted]);
  return (
    <li ref={item} className={classes.chunk} data-wanted={wanted || undefined}>
      <div className={classes.head}>
        <span className={classes.position}>{chunk.position + 1}</span>
        <h2 className={classes.heading}>{chunk.heading || chunk.leaf || "Beginning"}</h2>
        <span className={classes.tokens}>{count(chunk.tokens)} tokens</span>
        <Link to="." search={{ chunk: chunk.id }} replace className={classes.link} aria-label={`Link to chunk ${chunk.position + 1}`}>
          #
        </Link>
        <IdChip id={chunk.id} />
      </div>
      <p className={classes.text}>{chunk.text}</p>
    </li>
  );
}
