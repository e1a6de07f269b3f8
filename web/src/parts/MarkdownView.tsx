// Markdown of models and documents: sanitised, without raw HTML, without images from elsewhere; citations become buttons.
import { type ComponentProps, memo, useMemo } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import rehypeSanitize from "rehype-sanitize";
import remarkGfm from "remark-gfm";
import { splitCitations } from "./citations";
import classes from "./Markdown.module.css";

export type Cite = { highest: number; selected?: number; onSelect: (number: number) => void };
type MdNode = { type: string; value?: string; children?: MdNode[]; url?: string };

/** Turns "[1]" in text into links to "#cite-1" before they reach the page; code keeps its brackets. */
function remarkCitations(highest: number) {
  return () => (tree: MdNode) => visit(tree);
  function visit(node: MdNode): void {
    if (!node.children || node.type === "link") return;
    node.children = node.children.flatMap((child) => {
      if (child.type !== "text" || !child.value) {
        visit(child);
        return [child];
      }
      const pieces = splitCitations(child.value, highest);
      return pieces.map(
        (piece, index): MdNode =>
          piece.type === "text"
            ? { type: "text", value: glue(piece.text, index > 0, index < pieces.length - 1) }
            : { type: "link", url: `#cite-${piece.number}`, children: [{ type: "text", value: String(piece.number) }] },
      );
    });
  }
}

/** A citation stays on the line of the word before it and of the full stop after it. */
function glue(text: string, after: boolean, before: boolean): string {
  const end = before ? text.replace(/ $/, "\u202f") : text;
  return after && /^[.,;:!?)]/.test(end) ? `\u2060${end}` : end;
}

export default memo(function MarkdownView({ text, cite }: { text: string; cite?: Cite }) {
  const highest = cite?.highest ?? 0;
  const remark = useMemo(
    (): ComponentProps<typeof ReactMarkdown>["remarkPlugins"] => (highest ? [remarkGfm, remarkCitations(highest)] : [remarkGfm]),
    [highest],
  );
  const components = useMemo(
    (): Components => ({
      a: ({ href, children }) => {
        const number = /^#(?:user-content-)?cite-(\d+)$/.exec(href ?? "")?.[1];
        if (number && cite) {
          return (
            <button
              type="button"
              className={classes.cite}
              data-selected={cite.selected === Number(number) || undefined}
              onClick={() => cite.onSelect(Number(number))}
              aria-label={`Source ${number}`}
            >
              {number}
            </button>
          );
        }
        return (
          <a href={href} target="_blank" rel="noreferrer noopener nofollow">
            {children}
          </a>
        );
      },
      img: ({ alt }) => <span className="muted">[image{alt ? `: ${alt}` : ""}]</span>,
      table: ({ children }) => (
        <div className={classes.table}>
          <table>{children}</table>
        </div>
      ),
    }),
    [cite],
  );
  return (
    <div className={classes.markdown}>
      <ReactMarkdown remarkPlugins={remark} rehypePlugins={[rehypeSanitize]} components={components} skipHtml>
        {text}
      </ReactMarkdown>
    </div>
  );
});
