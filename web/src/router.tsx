// Routes: each page is a chunk of its own; the address holds all view state, checked as it is read.

import { IconMapOff } from "@tabler/icons-react";
import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, Link, lazyRouteComponent, Outlet, redirect } from "@tanstack/react-router";
import { ApiError } from "./api/client";
import { sessionQuery } from "./api/queries";
import { parseSearch } from "./pages/traces/filter";
import { EmptyState, ErrorState } from "./parts/states";
import { Shell } from "./shell/Shell";

type Context = { queries: QueryClient };
const text = (value: unknown) => (typeof value === "string" && value ? value : typeof value === "number" ? String(value) : undefined);

/** Keeps the named text parameters of an address. */
function texts<Name extends string>(...names: Name[]) {
  return (raw: Record<string, unknown>): { [key in Name]?: string } =>
    Object.fromEntries(names.map((name) => [name, text(raw[name])]).filter(([, value]) => value !== undefined));
}

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: texts("next"),
  component: lazyRouteComponent(() => import("./pages/sign_in/SignIn"), "SignIn"),
});

const shell = createRoute({
  getParentRoute: () => root,
  id: "shell",
  beforeLoad: async ({ context, location }) => {
    try {
      await context.queries.ensureQueryData(sessionQuery);
    } catch (failure) {
      if (failure instanceof ApiError && failure.status === 401)
        throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { next: location.href } });
      throw failure;
    }
  },
  component: Shell,
  errorComponent: ({ error, reset }) => <ErrorState error={error as Error} what="volan" retry={reset} />,
});

const overview = createRoute({
  getParentRoute: () => shell,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/overview/Overview"), "OverviewPage"),
});
const chat = createRoute({
  getParentRoute: () => shell,
  path: "/chat",
  validateSearch: texts("c", "app", "turn", "source", "ask"),
  component: lazyRouteComponent(() => import("./pages/chat/Chat"), "ChatPage"),
});
const traces = createRoute({
  getParentRoute: () => shell,
  path: "/traces",
  validateSearch: parseSearch,
  component: lazyRouteComponent(() => import("./pages/traces/Traces"), "TracesPage"),
});
const trace = createRoute({
  getParentRoute: () => shell,
  path: "/traces/$traceId",
  validateSearch: texts("span", "tab"),
  component: lazyRouteComponent(() => import("./pages/traces/Trace"), "TracePage"),
});
const features = createRoute({
  getParentRoute: () => shell,
  path: "/features",
  validateSearch: texts("author", "category", "state"),
  component: lazyRouteComponent(() => import("./pages/features/Features"), "FeaturesPage"),
});
const document = createRoute({
  getParentRoute: () => shell,
  path: "/features/$documentId",
  validateSearch: texts("chunk"),
  component: lazyRouteComponent(() => import("./pages/features/Document"), "DocumentPage"),
});
const servers = createRoute({
  getParentRoute: () => shell,
  path: "/servers",
  validateSearch: texts("logs"),
  component: lazyRouteComponent(() => import("./pages/servers/Servers"), "ServersPage"),
});
const settings = createRoute({
  getParentRoute: () => shell,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/settings/Settings"), "SettingsPage"),
});

const tree = root.addChildren([signIn, shell.addChildren([overview, chat, traces, trace, features, document, servers, settings])]);

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: "intent",
    defaultErrorComponent: ({ error, reset }) => <ErrorState error={error as Error} what="this page" retry={reset} />,
    scrollRestoration: true,
  });
}

function NotFound() {
  return (
    <EmptyState icon={<IconMapOff size={22} />} title="There is no such page" action={<Link to="/">Go to the overview</Link>}>
      The address may be of an older version, or mistyped.
    </EmptyState>
  );
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
