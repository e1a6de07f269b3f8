// What a part shows instead of its content: loading, empty, failed, not allowed. Each says what to do next.
import { Button, Code, CopyButton, Skeleton } from "@mantine/core";
import { IconAlertCircle, IconLock, IconRefresh, IconWifiOff } from "@tabler/icons-react";
import { type ReactNode, useEffect, useState } from "react";
import { ApiError } from "../api/client";
import { onRecovered } from "../api/connection";
import classes from "./states.module.css";

/** True once `delay` ms have passed: nothing flickers for answers that come at once. */
export function useLate(delay = 150): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), delay);
    return () => clearTimeout(timer);
  }, [delay]);
  return late;
}

/** Grey lines in the final size of a list. */
export function LoadingRows({ rows = 8, height = 32 }: { rows?: number; height?: number }) {
  const late = useLate();
  return (
    <div aria-busy="true" role="status" aria-label="Loading" className={classes.loading} style={{ minHeight: rows * height }}>
      {late &&
        Array.from({ length: rows }, (_, index) => (
          <div key={index} className={classes.loadingRow} style={{ height }}>
            <Skeleton height={10} width={`${[72, 90, 64, 81, 58][index % 5]}%`} radius="sm" />
          </div>
        ))}
    </div>
  );
}

/** A grey block in the final size of a part. */
export function LoadingBlock({ height }: { height: number | string }) {
  const late = useLate();
  return (
    <div aria-busy="true" role="status" aria-label="Loading" style={{ height }}>
      {late && <Skeleton height="100%" radius="lg" />}
    </div>
  );
}

type EmptyProps = { icon: ReactNode; title: string; children: ReactNode; action?: ReactNode };

/** What this is, why it is empty, and the one action that fills it. */
export function EmptyState({ icon, title, children, action }: EmptyProps) {
  return (
    <div className={classes.state}>
      <div className={classes.icon}>{icon}</div>
      <h2 className={classes.title}>{title}</h2>
      <div className={classes.text}>{children}</div>
      {action && <div className={classes.action}>{action}</div>}
    </div>
  );
}

/** What failed, the server's code and remedy, and a retry. Without permission or server it says so instead. */
export function ErrorState({ error, what, retry }: { error: Error; what: string; retry?: () => void }) {
  const failure = error instanceof ApiError ? error : undefined;
  useEffect(() => (retry && failure?.status === 0 ? onRecovered(retry) : undefined), [retry, failure]);
  if (failure?.code === "permission_denied") {
    return (
      <EmptyState icon={<IconLock size={22} />} title={`You may not see ${what}`}>
        {failure.message} An admin of this project can grant it under Settings, API keys.
      </EmptyState>
    );
  }
  const offline = failure?.status === 0;
  return (
    <div className={classes.state} role="alert">
      <div className={classes.icon} data-tone={offline ? undefined : "error"}>
        {offline ? <IconWifiOff size={22} /> : <IconAlertCircle size={22} />}
      </div>
      <h2 className={classes.title}>{offline ? "The server does not answer" : `Could not load ${what}`}</h2>
      <div className={classes.text}>
        {error.message}
        {failure?.fix && <div>{failure.fix}</div>}
      </div>
      {failure && (
        <div className={classes.codes}>
          <Code>{failure.code}</Code>
          {failure.path && <Code>{failure.path}</Code>}
          {failure.requestId && (
            <CopyButton value={failure.requestId}>
              {({ copied, copy }) => (
                <button type="button" className={classes.request} onClick={copy}>
                  {copied ? "Copied" : `Request ${failure.requestId}`}
                </button>
              )}
            </CopyButton>
          )}
        </div>
      )}
      {retry && (
        <div className={classes.action}>
          <Button variant="default" leftSection={<IconRefresh size={15} />} onClick={retry}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}

type QueryLike<T> = { data: T | undefined; error: Error | null; isPending: boolean; refetch: () => unknown };

/** Shows what a query has: its data, its failure, or `loading`. Old data stays while a renewal fails. */
export function Loaded<T>({
  query,
  what,
  loading,
  children,
}: {
  query: QueryLike<T>;
  what: string;
  loading: ReactNode;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ErrorState error={query.error} what={what} retry={() => void query.refetch()} />;
  return loading;
}
