// JSON that can be read: a tree that opens and closes, long text with its line breaks.
import { type ReactNode, useState } from "react";
import { plural } from "./format";
import classes from "./json.module.css";

export function JsonView({ value }: { value: unknown }) {
  return (
    <div className={classes.json}>
      <Value value={value} depth={0} />
    </div>
  );
}

function Value({ name, value, depth }: { name?: string; value: unknown; depth: number }): ReactNode {
  if (typeof value !== "object" || value === null) {
    return (
      <div className={classes.line}>
        {name !== undefined && <Name name={name} />}
        <Scalar value={value} />
      </div>
    );
  }
  return <Branch name={name} value={value} depth={depth} />;
}

function Branch({ name, value, depth }: { name?: string; value: object; depth: number }) {
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, setOpen] = useState(depth < 2 && entries.length <= 60);
  const [shown, setShown] = useState(100);
  if (!entries.length)
    return (
      <div className={classes.line}>
        {name !== undefined && <Name name={name} />}
        <span className={classes.mark}>{list ? "[]" : "{}"}</span>
      </div>
    );
  return (
    <div>
      {depth > 0 && (
        <button type="button" className={classes.toggle} onClick={() => setOpen(!open)} aria-expanded={open}>
          <span className={classes.caret} data-open={open || undefined}>
            ›
          </span>
          {name !== undefined && <Name name={name} />}
          <span className={classes.mark}>{list ? plural(entries.length, "item") : plural(entries.length, "field")}</span>
        </button>
      )}
      {(open || depth === 0) && (
        <div className={depth > 0 ? classes.nested : undefined}>
          {entries.slice(0, shown).map(([key, item]) => (
            <Value key={key} name={key} value={item} depth={depth + 1} />
          ))}
          {entries.length > shown && (
            <button type="button" className={classes.more} onClick={() => setShown(shown + 1000)}>
              {plural(entries.length - shown, "more item")}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

function Name({ name }: { name: string }) {
  return <span className={classes.name}>{name}</span>;
}

function Scalar({ value }: { value: unknown }) {
  if (typeof value === "string") return <span className={classes.string}>{value === "" ? '""' : value}</span>;
  return <span className={classes.other}>{String(value)}</span>;
}
