// Settings: API keys and appearance.
import {
  ActionIcon,
  Button,
  Code,
  CopyButton,
  Modal,
  SegmentedControl,
  Select,
  TextInput,
  Tooltip,
  useMantineColorScheme,
} from "@mantine/core";
import { IconCheck, IconCopy, IconKey, IconPlus, IconTrash } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { ApiError, client, unwrap } from "../../api/client";
import { keysQuery, overviewQuery, sessionQuery } from "../../api/queries";
import type { ApiKey, Role } from "../../api/types";
import { Confirm } from "../../parts/confirm";
import { Page, Panel } from "../../parts/page";
import { EmptyState, Loaded, LoadingRows } from "../../parts/states";
import { type Column, DataTable } from "../../parts/table";
import { IdChip, Pill, When } from "../../parts/values";
import classes from "./Settings.module.css";

export function SettingsPage() {
  const session = useQuery(sessionQuery);
  const overview = useQuery(overviewQuery);
  const keys = useQuery(keysQuery);
  return (
    <Page title="Settings">
      <Keys />
      {!keys.isPending && (
        <>
          <Panel title="Appearance">
            <Appearance />
          </Panel>
          <Panel title="About">
            <dl className={classes.facts}>
              <dt>Project</dt>
              <dd>
                {session.data?.project_name} {session.data && <IdChip id={session.data.project} full />}
              </dd>
              <dt>Signed in with</dt>
              <dd>
                {session.data?.actor_name} <span className="muted">({session.data?.role})</span>
              </dd>
              <dt>Version</dt>
              <dd>volan {overview.data?.version ?? "…"}</dd>
              <dt>Telemetry</dt>
              <dd>None. These pages load nothing from any other host.</dd>
            </dl>
          </Panel>
        </>
      )}
    </Page>
  );
}

function Appearance() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <div className={classes.line}>
      <div>
        <div className={classes.lineTitle}>Theme</div>
        <div className="muted">Kept in this browser.</div>
      </div>
      <SegmentedControl
        aria-label="Theme"
        value={colorScheme}
        onChange={(value) => setColorScheme(value as "light" | "dark" | "auto")}
        data={[
          { value: "auto", label: "System" },
          { value: "light", label: "Light" },
          { value: "dark", label: "Dark" },
        ]}
      />
    </div>
  );
}

const roles: Record<Role, string> = {
  viewer: "Viewer: reads",
  member: "Member: reads, asks, writes",
  admin: "Admin: everything, keys included",
};
const tones = { viewer: "neutral", member: "info", admin: "accent" } as const;

function Keys() {
  const keys = useQuery(keysQuery);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<ApiKey>();
  const valid = useMemo(() => keys.data?.filter((key) => !key.revoked) ?? [], [keys.data]);
  const columns = useMemo(
    (): Column<ApiKey>[] => [
      { id: "name", header: "Name", width: "minmax(120px, 2fr)", cell: (key) => <span className={classes.name}>{key.name}</span> },
      { id: "role", header: "Role", width: "80px", cell: (key) => <Pill tone={tones[key.role]}>{key.role}</Pill> },
      { id: "prefix", header: "Key", width: "minmax(90px, 1fr)", cell: (key) => <span className="mono muted">{key.prefix}…</span> },
      { id: "created", header: "Created", width: "90px", cell: (key) => <When time={key.created} /> },
      {
        id: "used",
        header: "Last used",
        width: "90px",
        cell: (key) => (key.last_used ? <When time={key.last_used} /> : <span className="muted">never</span>),
      },
      {
        id: "expires",
        header: "Expires",
        width: "90px",
        cell: (key) => (key.expires ? <When time={key.expires} /> : <span className="muted">never</span>),
      },
      { id: "revoke", header: "", width: "28px", cell: (key) => <RevokeButton name={key.name} onClick={() => setRevoking(key)} /> },
    ],
    [],
  );
  const denied = keys.error instanceof ApiError && keys.error.code === "permission_denied";
  return (
    <Panel
      title="API keys"
      note="for clients of this project"
      flush
      actions={
        !denied && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
            New key
          </Button>
        )
      }
    >
      <Loaded query={keys} what="the keys" loading={<LoadingRows rows={3} />}>
        {() =>
          valid.length ? (
            <DataTable
              fixed
              label="API keys"
              columns={columns}
              data={valid}
              rowId={(key) => key.id}
              cardHeight={86}
              card={(key) => <KeyCard apiKey={key} onRevoke={() => setRevoking(key)} />}
            />
          ) : (
            <EmptyState icon={<IconKey size={22} />} title="No keys" action={<Button onClick={() => setMaking(true)}>Make a key</Button>}>
              A key lets a client ask this project over HTTP.
            </EmptyState>
          )
        }
      </Loaded>
      <NewKey opened={making} onClose={() => setMaking(false)} />
      <Revoke apiKey={revoking} onClose={() => setRevoking(undefined)} />
    </Panel>
  );
}

function RevokeButton({ name, onClick }: { name: string; onClick: () => void }) {
  return (
    <Tooltip label="Revoke">
      <ActionIcon size={26} onClick={onClick} aria-label={`Revoke ${name}`}>
        <IconTrash size={15} />
      </ActionIcon>
    </Tooltip>
  );
}

function KeyCard({ apiKey, onRevoke }: { apiKey: ApiKey; onRevoke: () => void }) {
  return (
    <div className={classes.card}>
      <div className={classes.cardTop}>
        <span className={classes.name}>{apiKey.name}</span>
        <Pill tone={tones[apiKey.role]}>{apiKey.role}</Pill>
        <RevokeButton name={apiKey.name} onClick={onRevoke} />
      </div>
      <div className="mono muted">{apiKey.prefix}…</div>
      <div className={classes.cardFoot}>
        {apiKey.last_used ? (
          <>
            used <When time={apiKey.last_used} />
          </>
        ) : (
          "never used"
        )}
        {apiKey.expires && (
          <>
            {" "}
            · expires <When time={apiKey.expires} />
          </>
        )}
      </div>
    </div>
  );
}

const lifetimes = [
  { value: "0", label: "Never" },
  { value: "30", label: "In 30 days" },
  { value: "90", label: "In 90 days" },
  { value: "365", label: "In a year" },
];

function NewKey({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("member");
  const [days, setDays] = useState("90");
  const make = useMutation({
    mutationFn: () =>
      unwrap(
        client.POST("/api/v1/keys", {
          body: {
            name: name.trim(),
            role,
            expires: days === "0" ? undefined : new Date(Date.now() + Number(days) * 86_400_000).toISOString(),
          },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: keysQuery.queryKey }),
  });
  const close = () => {
    onClose();
    make.reset();
    setName("");
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) make.mutate();
  };
  if (make.data) {
    return (
      <Modal opened={opened} onClose={close} title={`The key “${make.data.info.name}”`} size={520} closeOnClickOutside={false}>
        <p>Copy it now: it is shown this once, and only its hash is kept.</p>
        <div className={classes.secret}>
          <Code className={classes.secretText}>{make.data.key}</Code>
          <CopyButton value={make.data.key}>
            {({ copied, copy }) => (
              <Button
                variant={copied ? "light" : "filled"}
                leftSection={copied ? <IconCheck size={15} /> : <IconCopy size={15} />}
                onClick={copy}
              >
                {copied ? "Copied" : "Copy"}
              </Button>
            )}
          </CopyButton>
        </div>
        <div className={classes.actions}>
          <Button variant="default" onClick={close}>
            I have it
          </Button>
        </div>
      </Modal>
    );
  }
  return (
    <Modal opened={opened} onClose={close} title="New key" size={440}>
      <form onSubmit={submit} className={classes.form}>
        <TextInput
          label="Name"
          placeholder="What will use it"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={100}
          data-autofocus
          error={make.error ? make.error.message : undefined}
        />
        <Select
          label="Role"
          data={Object.entries(roles).map(([value, label]) => ({ value, label }))}
          value={role}
          onChange={(value) => setRole((value ?? "member") as Role)}
          allowDeselect={false}
        />
        <Select label="Expires" data={lifetimes} value={days} onChange={(value) => setDays(value ?? "90")} allowDeselect={false} />
        <div className={classes.actions}>
          <Button variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" loading={make.isPending} disabled={!name.trim()}>
            Make the key
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Revoke({ apiKey, onClose }: { apiKey?: ApiKey; onClose: () => void }) {
  const queries = useQueryClient();
  const session = useQuery(sessionQuery);
  const revoke = useMutation({
    mutationFn: (id: string) => unwrap(client.DELETE("/api/v1/keys/{id}", { params: { path: { id } } })),
    onSuccess: async () => {
      onClose();
      await queries.invalidateQueries({ queryKey: keysQuery.queryKey });
    },
  });
  return (
    <Confirm
      opened={apiKey !== undefined}
      title={`Revoke “${apiKey?.name ?? ""}”?`}
      action="Revoke the key"
      busy={revoke.isPending}
      error={revoke.error}
      onConfirm={() => apiKey && revoke.mutate(apiKey.id)}
      onClose={() => {
        revoke.reset();
        onClose();
      }}
    >
      Every client that uses {apiKey?.prefix}… is refused from now on. This cannot be undone.
      {apiKey && apiKey.id === session.data?.actor && <strong> It is the key you are signed in with: you will be signed out.</strong>}
    </Confirm>
  );
}
