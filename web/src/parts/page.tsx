// The frame of a page's content: a heading row, then either one padded column or a part that fills the height.
import type { ReactNode } from "react";
import classes from "./page.module.css";

type Props = { title: ReactNode; note?: ReactNode; actions?: ReactNode; children: ReactNode; fill?: boolean };

/** A note that is still to come keeps its place: pass `undefined` until it is known. */
export function Page(props: Props) {
  const { title, note, actions, children, fill = false } = props;
  return (
    <div className={fill ? classes.fill : classes.page}>
      <header className={classes.head}>
        <div className={classes.titles}>
          <h1 className={classes.title}>{title}</h1>
          {"note" in props && <div className={classes.note}>{note}</div>}
        </div>
        {actions && <div className={classes.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A titled box. */
export function Panel({
  title,
  note,
  actions,
  children,
  flush = false,
}: {
  title?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  flush?: boolean;
}) {
  return (
    <section className={classes.panel}>
      {title && (
        <div className={classes.panelHead}>
          <h2 className={classes.panelTitle}>{title}</h2>
          {note && <span className={classes.panelNote}>{note}</span>}
          {actions && <div className={classes.actions}>{actions}</div>}
        </div>
      )}
      <div className={flush ? undefined : classes.panelBody}>{children}</div>
    </section>
  );
}

export type Stat = { label: string; value: ReactNode; note?: ReactNode; title?: string; tone?: "error" | "warn" };

/** A row of numbers, each with its name. */
export function Stats({ stats }: { stats: Stat[] }) {
  return (
    <dl className={classes.stats}>
      {stats.map((stat) => (
        <div key={stat.label} className={classes.stat} title={stat.title}>
          <dt className={classes.statLabel}>{stat.label}</dt>
          <dd className={classes.statValue} data-tone={stat.tone}>
            {stat.value}
            {stat.note && <span className={classes.statNote}>{stat.note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
