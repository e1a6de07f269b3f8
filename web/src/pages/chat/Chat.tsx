// Chat: the conversation, and beside it the sources of the answer that is selected.
import { Button, Drawer, Select } from "@mantine/core";
import { IconMessages, IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { appsQuery } from "../../api/queries";
import type { App } from "../../api/types";
import { EmptyState, Loaded, LoadingBlock } from "../../parts/states";
import { usePhone } from "../../parts/table";
import { Pill } from "../../parts/values";
import classes from "./Chat.module.css";
import { Composer } from "./Composer";
import { newId, useConversation } from "./conversation";
import { Sources } from "./Sources";
import { TurnView } from "./TurnView";
import { Welcome } from "./Welcome";

export function ChatPage() {
  const apps = useQuery(appsQuery);
  const { c } = useSearch({ from: "/shell/chat" });
  const navigate = useNavigate({ from: "/chat" });
  useEffect(() => {
    if (!c) void navigate({ search: (old) => ({ ...old, c: newId() }), replace: true });
  }, [c, navigate]);
  return (
    <Loaded
      query={apps}
      what="the apps"
      loading={
        <div className={classes.loading}>
          <LoadingBlock height={160} />
        </div>
      }
    >
      {(list) => (list.length === 0 ? <NoApps /> : c ? <ChatView key={c} id={c} apps={list} /> : null)}
    </Loaded>
  );
}

function NoApps() {
  return (
    <EmptyState icon={<IconMessages size={22} />} title="No app to talk to">
      An app puts a model, its documents and its prompt under one name. Add one under <code className="mono">apps</code> in volan.yaml and
      restart.
    </EmptyState>
  );
}

function ChatView({ id, apps }: { id: string; apps: App[] }) {
  const search = useSearch({ from: "/shell/chat" });
  const navigate = useNavigate({ from: "/chat" });
  const phone = usePhone();
  const app = apps.find((each) => each.name === search.app) ?? apps[0]!;
  const chat = useConversation(id, app.name);
  const { turns } = chat;
  const shown = turns.find((turn) => turn.id === search.turn) ?? turns.findLast((turn) => turn.sources.length > 0);
  const selected = search.source ? Number(search.source) : undefined;
  const [drawer, setDrawer] = useState(false);
  const scroller = useRef<HTMLDivElement>(null);
  const follow = useRef(true);
  const last = turns.at(-1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: follows the text as it grows
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box && follow.current) box.scrollTop = box.scrollHeight;
  }, [last?.answer, last?.state, turns.length]);

  const select = useMemo(
    () => (turn: string, source?: number) => {
      setDrawer(true);
      void navigate({ search: (old) => ({ ...old, turn, source: source === undefined ? undefined : String(source) }), replace: true });
    },
    [navigate],
  );
  const send = (question: string) => {
    follow.current = true;
    chat.send(question);
    if (search.turn || search.source || search.ask)
      void navigate({ search: (old) => ({ ...old, turn: undefined, source: undefined, ask: undefined }), replace: true });
  };
  const fresh = () => void navigate({ search: { c: newId(), app: search.app } });
  const sources = shown && <Sources turn={shown} selected={selected} onSelect={(number) => select(shown.id, number)} />;
  const aside = !phone && turns.length > 0;

  return (
    <div className={classes.chat} data-aside={aside || undefined}>
      <div className={classes.column}>
        <header className={classes.head}>
          <h1 className={classes.title}>{app.title}</h1>
          {apps.length > 1 && (
            <Select
              aria-label="App"
              className={classes.apps}
              data={apps.map((each) => ({ value: each.name, label: each.title }))}
              value={app.name}
              allowDeselect={false}
              onChange={(name) => void navigate({ search: { c: newId(), app: name ?? undefined } })}
            />
          )}
          {app.endpoint_state !== "ready" && (
            <Pill tone={app.endpoint_state === "starting" ? "info" : "warn"}>
              {app.endpoint} {app.endpoint_state.replace("_", " ")}
            </Pill>
          )}
          <Button className={classes.fresh} variant="default" leftSection={<IconPlus size={15} />} onClick={fresh} disabled={!turns.length}>
            New chat
          </Button>
        </header>
        <div
          ref={scroller}
          className={classes.scroller}
          tabIndex={0}
          role="log"
          aria-label="Conversation"
          onScroll={(event) => {
            const box = event.currentTarget;
            follow.current = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
          }}
        >
          <div className={classes.turns}>
            {turns.length === 0 ? (
              <Welcome app={app} onAsk={send} />
            ) : (
              turns.map((turn) => (
                <TurnView
                  key={turn.id}
                  turn={turn}
                  selected={turn.id === shown?.id ? selected : undefined}
                  onSelect={(number) => select(turn.id, number)}
                  onRetry={turn === last ? chat.retry : undefined}
                />
              ))
            )}
          </div>
        </div>
        <Composer key={search.ask ?? ""} initial={search.ask ?? ""} busy={chat.busy} onSend={send} onStop={chat.stop} name={app.title} />
      </div>
      {aside && (
        <aside className={classes.aside} aria-label="Sources">
          {sources ?? <Sources />}
        </aside>
      )}
      {phone && (
        <Drawer
          opened={drawer && shown !== undefined}
          onClose={() => setDrawer(false)}
          position="bottom"
          size="75%"
          title="Sources"
          classNames={{ body: classes.sheet }}
        >
          {sources}
        </Drawer>
      )}
    </div>
  );
}
