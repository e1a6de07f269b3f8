// Sign-in: by the one-time link that the server prints at start (`/sign-in#token=…`) or by a key.
import { Button, Code, PasswordInput } from "@mantine/core";
import { IconAlertCircle, IconKey } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useState } from "react";
import { ApiError, client, unwrap } from "../../api/client";
import { sessionQuery } from "../../api/queries";
import { Logo } from "../../shell/Logo";
import classes from "./SignIn.module.css";

/** Takes the token out of the address at once, so that it stays in no history. */
function takeToken(): string | undefined {
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token") ?? undefined;
  if (token) window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
  return token;
}

export function SignIn() {
  const { next } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [key, setKey] = useState("");
  const enter = useMutation({
    mutationFn: (body: { key?: string; token?: string }) => unwrap(client.POST("/api/v1/session", { body })),
    onSuccess: async (session) => {
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, session);
      await navigate({ href: next?.startsWith("/") && !next.startsWith("//") ? next : "/", replace: true });
    },
  });
  const { mutate } = enter;
  useEffect(() => {
    const token = takeToken();
    if (token) mutate({ token });
  }, [mutate]);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (key.trim()) mutate({ key: key.trim() });
  };
  const failure = enter.error;
  const usedToken = enter.variables?.token !== undefined;
  return (
    <main className={classes.page}>
      <div className={classes.box}>
        <div className={classes.brand}>
          <Logo size={30} />
          <span className={classes.word}>volan</span>
        </div>
        <h1 className={classes.title}>Sign in</h1>
        <p className={classes.text}>
          Open the one-time link that <Code>volan up</Code> printed, or paste a key of this server.
        </p>
        <form onSubmit={submit} className={classes.form}>
          <PasswordInput
            label="Key"
            placeholder="vk_…"
            value={key}
            onChange={(event) => setKey(event.currentTarget.value)}
            leftSection={<IconKey size={15} stroke={1.75} />}
            autoComplete="current-password"
            data-autofocus
            autoFocus
            classNames={{ innerInput: "mono" }}
            visibilityToggleButtonProps={{ "aria-label": "Show the key", tabIndex: 0 }}
          />
          <Button type="submit" loading={enter.isPending} disabled={!key.trim() && !enter.isPending} fullWidth>
            Sign in
          </Button>
        </form>
        <div className={classes.message} aria-live="polite">
          {failure && (
            <div className={classes.error} role="alert">
              <IconAlertCircle size={16} aria-hidden />
              <div>
                <div>
                  {usedToken && failure instanceof ApiError && failure.status === 401
                    ? "This link was used already or is too old. Ask for a new one, or use a key."
                    : failure.message}
                </div>
                {failure instanceof ApiError && failure.fix && <div className={classes.fix}>{failure.fix}</div>}
              </div>
            </div>
          )}
        </div>
        <p className={classes.hint}>
          The first start writes an admin key to <Code>admin.key</Code> in the data folder.
        </p>
      </div>
    </main>
  );
}
