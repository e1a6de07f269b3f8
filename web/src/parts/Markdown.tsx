// Markdown, loaded on demand: until its code is there the text stands as it is.
import { lazy, Suspense } from "react";
import classes from "./Markdown.module.css";
import type { Cite } from "./MarkdownView";

const MarkdownView = lazy(() => import("./MarkdownView"));

export function Markdown({ text, cite }: { text: string; cite?: Cite }) {
  return (
    <Suspense fallback={<div className={classes.plain}>{text}</div>}>
      <MarkdownView text={text} cite={cite} />
    </Suspense>
  );
}
