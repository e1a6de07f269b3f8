// The frame around every page: navigation, top bar, keyboard, the banner for a server that is away.
import { ActionIcon, Drawer, Kbd, Menu, Tooltip, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { spotlight } from "@mantine/spotlight";
import {
  IconCommand,
  IconLogout,
  IconMenu2,
  IconMoon,
  IconSearch,
  IconSettings,
  IconSun,
  IconUserCircle,
  IconWifiOff,
} from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { Suspense, useEffect, useState } from "react";
import { client, unwrap } from "../api/client";
import { useOnline } from "../api/connection";
import { useFeedState, useLiveFeed } from "../api/feed";
import { overviewQuery, sessionQuery } from "../api/queries";
import { IdChip } from "../parts/values";
import { Help } from "./Help";
import { useGoKeys } from "./keys";
import { Logo } from "./Logo";
import { groups, pages } from "./nav";
import { Palette } from "./Palette";
import classes from "./Shell.module.css";

export function Shell() {
  const [menu, setMenu] = useState(false);
  const [help, setHelp] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useLiveFeed();
  useGoKeys();
  useHotkeys([
    ["shift+?", () => setHelp(true)],
    ["?", () => setHelp(true)],
  ]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the drawer closes when the page changes
  useEffect(() => setMenu(false), [path]);

  return (
    <div className={classes.frame}>
      <a href="#content" className={classes.skip}>
        Skip to the content
      </a>
      <aside className={classes.side}>
        <Navigation />
      </aside>
      <Drawer.Root opened={menu} onClose={() => setMenu(false)} size={264}>
        <Drawer.Overlay />
        <Drawer.Content aria-label="Navigation">
          <Drawer.Body p={0}>
            <Navigation />
          </Drawer.Body>
        </Drawer.Content>
      </Drawer.Root>
      <TopBar onMenu={() => setMenu(true)} />
      <div className={classes.content}>
        <OfflineBanner />
        <main id="content" className={classes.main} tabIndex={-1}>
          <Suspense>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Palette />
      <Help opened={help} onClose={() => setHelp(false)} />
    </div>
  );
}

function Navigation() {
  const session = useQuery(sessionQuery);
  const overview = useQuery(overviewQuery);
  const waiting = overview.data?.attention.length ?? 0;
  return (
    <nav className={classes.nav} aria-label="Pages">
      <Link to="/" className={classes.brand}>
        <Logo size={22} />
        <span className={classes.word}>volan</span>
      </Link>
      <div className={classes.project}>
        <span className={classes.projectLabel}>Project</span>
        <span className={classes.projectName}>{session.data?.project_name ?? "…"}</span>
      </div>
      {groups.map((group) => (
        <div key={group || "end"} className={group ? classes.group : classes.end}>
          {group && <div className={classes.groupName}>{group}</div>}
          {pages
            .filter((page) => page.group === group)
            .map((page) => (
              <Link
                key={page.to}
                to={page.to}
                className={classes.item}
                activeOptions={{ exact: page.to === "/", includeSearch: false }}
                activeProps={{ "data-active": true, "aria-current": "page" }}
              >
                <page.icon size={17} stroke={1.75} aria-hidden />
                <span>{page.title}</span>
                {page.to === "/" && waiting > 0 && (
                  <span className={classes.badge} title={`${waiting} need attention`}>
                    {waiting}
                    <span className="visually-hidden"> need attention</span>
                  </span>
                )}
              </Link>
            ))}
        </div>
      ))}
    </nav>
  );
}

function TopBar({ onMenu }: { onMenu: () => void }) {
  return (
    <header className={classes.bar}>
      <ActionIcon className={classes.burger} onClick={onMenu} aria-label="Open the navigation">
        <IconMenu2 size={18} />
      </ActionIcon>
      <Crumbs />
      <UnstyledButton className={classes.search} onClick={spotlight.open}>
        <IconSearch size={15} aria-hidden />
        <span className={classes.searchText}>Search or jump to…</span>
        <span className={classes.keys} aria-hidden="true">
          <Kbd size="xs">Ctrl</Kbd>
          <Kbd size="xs">K</Kbd>
        </span>
      </UnstyledButton>
      <Live />
      <SchemeToggle />
      <Account />
    </header>
  );
}

function Crumbs() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const parts = path.split("/").filter(Boolean);
  const page = pages.find((each) => each.to === `/${parts[0] ?? ""}`);
  const id = parts.length > 1 ? decodeURIComponent(parts.at(-1)!) : undefined;
  return (
    <div className={classes.crumbs}>
      {id && page ? (
        <Link to={page.to} className={classes.crumb}>
          {page.title}
        </Link>
      ) : (
        <span className={classes.here}>{page?.title}</span>
      )}
      {id && <span className={classes.slash}>/</span>}
      {id && <IdChip id={id} />}
    </div>
  );
}

function Live() {
  const state = useFeedState();
  const label = state === "live" ? "Live: new traces arrive as they happen" : "Connecting to the live feed";
  return (
    <Tooltip label={label}>
      <span className={classes.live} data-state={state} role="status" aria-label={label}>
        <span className={classes.dot} />
        <span className={classes.liveText}>Live</span>
      </span>
    </Tooltip>
  );
}

function SchemeToggle() {
  const { setColorScheme } = useMantineColorScheme();
  const dark = useComputedColorScheme("light", { getInitialValueInEffect: false }) === "dark";
  useEffect(() => {
    document.documentElement.style.background = "";
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
  }, [dark]);
  const label = dark ? "Use the light theme" : "Use the dark theme";
  return (
    <Tooltip label={label}>
      <ActionIcon onClick={() => setColorScheme(dark ? "light" : "dark")} aria-label={label}>
        {dark ? <IconSun size={17} stroke={1.75} /> : <IconMoon size={17} stroke={1.75} />}
      </ActionIcon>
    </Tooltip>
  );
}

function Account() {
  const session = useQuery(sessionQuery);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    await unwrap(client.DELETE("/api/v1/session"));
    await navigate({ to: "/sign-in" });
    queries.clear();
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon aria-label="Account">
          <IconUserCircle size={19} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={classes.who}>
          <div className={classes.actor}>{session.data?.actor_name}</div>
          <div className="muted">
            {session.data?.role} of {session.data?.project_name}
          </div>
        </div>
        <Menu.Divider />
        <Menu.Item leftSection={<IconSettings size={15} />} onClick={() => void navigate({ to: "/settings" })}>
          Settings
        </Menu.Item>
        <Menu.Item leftSection={<IconCommand size={15} />} onClick={spotlight.open}>
          Command palette
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={15} />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function OfflineBanner() {
  if (useOnline()) return null;
  return (
    <div className={classes.offline} role="status">
      <IconWifiOff size={15} aria-hidden />
      volan does not answer. What you see may be old; the page tries again by itself.
    </div>
  );
}
