// Starts the pages: theme, server state, routes.
import "@mantine/core/styles.css";
import "@mantine/notifications/styles.css";
import "@mantine/spotlight/styles.css";
import "./styles/global.css";
import { MantineProvider } from "@mantine/core";
import { Notifications } from "@mantine/notifications";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { createRoot } from "react-dom/client";
import { ApiError } from "./api/client";
import { onRecovered } from "./api/connection";
import { makeRouter } from "./router";
import { cssVariables, theme } from "./theme";

/** A session that ended sends the reader to the sign-in page and back here afterwards. */
function signedOut(failure: Error): void {
  if (!(failure instanceof ApiError) || failure.status !== 401 || window.location.pathname === "/sign-in") return;
  void router.navigate({ to: "/sign-in", search: { next: router.state.location.href } });
}

const queries = new QueryClient({
  queryCache: new QueryCache({ onError: signedOut }),
  mutationCache: new MutationCache({ onError: signedOut }),
  defaultOptions: {
    queries: {
      staleTime: 2000,
      networkMode: "always",
      retry: (failures, failure) => failures < 1 && !(failure instanceof ApiError && failure.status < 500),
    },
    mutations: { networkMode: "always" },
  },
});
const router = makeRouter(queries);
onRecovered(() => void queries.invalidateQueries());

createRoot(document.getElementById("root")!).render(
  <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
    <Notifications position="bottom-right" limit={4} />
  </MantineProvider>,
);
