// The script that runs before the first paint: colour scheme and ground colour, so that a reload in the dark never flashes white.
import { ground } from "./theme.ts";

/** Where the chosen colour scheme is kept; Mantine reads the same key. */
export const scheme_key = "mantine-color-scheme-value";

/** The text of the script; vite.config.ts writes it into a file of its own. */
export function bootScript(): string {
  return `(function () {
  var stored = null;
  try { stored = localStorage.getItem(${JSON.stringify(scheme_key)}); } catch (e) {}
  var dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  var root = document.documentElement;
  root.setAttribute("data-mantine-color-scheme", dark ? "dark" : "light");
  root.style.background = dark ? ${JSON.stringify(ground.dark)} : ${JSON.stringify(ground.light)};
  root.style.colorScheme = dark ? "dark" : "light";
})();
`;
}
