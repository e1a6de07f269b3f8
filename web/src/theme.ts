// The only place with colours, sizes and fonts. Everything else names them: `var(--v-…)` in style sheets, Mantine's own names in components.
import type { CSSVariablesResolver, MantineColorsTuple, MantineThemeOverride } from "@mantine/core";

type Pair = readonly [light: string, dark: string];

/** One neutral scale: from the ground behind everything to the strongest text. */
const neutral = {
  ground: ["#f6f7f9", "#0d1015"],
  surface: ["#ffffff", "#14181f"],
  raised: ["#ffffff", "#1a2029"],
  sunken: ["#f0f2f5", "#10141a"],
  hover: ["#f1f3f7", "#1c232d"],
  line: ["#e2e6ec", "#252d38"],
  "line-strong": ["#c9d0da", "#3a4554"],
  text: ["#12161d", "#e9ecf1"],
  "text-2": ["#434c5a", "#b0b9c6"],
  "text-3": ["#626c7b", "#8c97a8"],
} satisfies Record<string, Pair>;

/** One accent. `accent` fills, `accent-text` writes, `accent-soft` lies behind what is selected. */
const accent = {
  accent: ["#4453d6", "#5866ea"],
  "accent-text": ["#3c49c4", "#a5b0ff"],
  "accent-soft": ["#edeffd", "#1d2445"],
  "accent-line": ["#b9c1f6", "#3a468f"],
  "on-accent": ["#ffffff", "#ffffff"],
  mark: ["#fff1b8", "#4a3f14"],
} satisfies Record<string, Pair>;

/** Four meanings, each as text and as the ground behind that text. */
const meaning = {
  ok: ["#157347", "#4ec78f"],
  "ok-soft": ["#e5f5ec", "#10281d"],
  warn: ["#8a5800", "#efb83f"],
  "warn-soft": ["#fff3d6", "#2e2510"],
  error: ["#c0262c", "#ff8080"],
  "error-soft": ["#fdebeb", "#33191c"],
  info: ["#0a64a0", "#66b5f0"],
  "info-soft": ["#e5f1fb", "#10273a"],
} satisfies Record<string, Pair>;

/** A fixed colour per span kind, the same on every page. */
const kind = {
  "kind-llm": ["#7438df", "#b598ff"],
  "kind-retriever": ["#0b7468", "#41c9b6"],
  "kind-embedding": ["#0567a0", "#60bbf2"],
  "kind-reranker": ["#4b7a10", "#a6d04e"],
  "kind-guardrail": ["#ad5207", "#f6a352"],
  "kind-tool": ["#ba1a5c", "#f686b4"],
  "kind-chain": ["#48566a", "#9fabbd"],
  "kind-step": ["#6a6375", "#a69db5"],
} satisfies Record<string, Pair>;

const palette = { ...neutral, ...accent, ...meaning, ...kind };

/** The colour behind everything, for the script that runs before the first paint. */
export const ground = { light: neutral.ground[0], dark: neutral.ground[1] };

const sizes = {
  "nav-width": "208px",
  "bar-height": "48px",
  "row-height": "32px",
  "font-xs": "12px",
  "font-sm": "13px",
  "font-md": "14px",
  "font-lg": "16px",
  "font-xl": "20px",
  "font-xxl": "28px",
  "font-sans": '"Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif',
  "font-mono": '"JetBrains Mono Variable", ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  "radius-sm": "4px",
  "radius-md": "6px",
  "radius-lg": "10px",
};

const shadow: Record<string, Pair> = {
  "shadow-sm": ["0 1px 2px rgb(18 22 29 / 6%)", "0 1px 2px rgb(0 0 0 / 40%)"],
  "shadow-lg": ["0 8px 28px rgb(18 22 29 / 14%), 0 1px 3px rgb(18 22 29 / 8%)", "0 10px 32px rgb(0 0 0 / 55%), 0 0 0 1px #252d38"],
};

/** Widths in pixels where the layout changes. Style sheets repeat them in media queries, which cannot read variables. */
export const breakpoints = { phone: 760, wide: 1180 };

/** Heights in pixels that virtual lists need as numbers. */
export const rows = { table: 32, card: 92, span: 30 };

const indigo: MantineColorsTuple = [
  "#edeffd",
  "#dbdffa",
  "#b9c1f6",
  "#929df0",
  "#6f7ce8",
  "#5866ea",
  "#4453d6",
  "#3946bd",
  "#303b9f",
  "#262f80",
];
const gray: MantineColorsTuple = [
  "#f6f7f9",
  "#f0f2f5",
  "#e2e6ec",
  "#d4dae2",
  "#c9d0da",
  "#98a2b1",
  "#626c7b",
  "#434c5a",
  "#2a313c",
  "#12161d",
];
const dark: MantineColorsTuple = [
  "#e9ecf1",
  "#b0b9c6",
  "#8c97a8",
  "#566273",
  "#252d38",
  "#1c232d",
  "#14181f",
  "#0d1015",
  "#0b0e12",
  "#090b0f",
];

export const theme: MantineThemeOverride = {
  primaryColor: "indigo",
  primaryShade: { light: 6, dark: 5 },
  colors: { indigo, gray, dark },
  fontFamily: "var(--v-font-sans)",
  fontFamilyMonospace: "var(--v-font-mono)",
  fontSizes: { xs: sizes["font-xs"], sm: sizes["font-sm"], md: sizes["font-md"], lg: sizes["font-lg"], xl: sizes["font-xl"] },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  radius: { xs: "3px", sm: sizes["radius-sm"], md: sizes["radius-md"], lg: sizes["radius-lg"], xl: "16px" },
  defaultRadius: "md",
  headings: { fontFamily: "var(--v-font-sans)", fontWeight: "600" },
  cursorType: "pointer",
  respectReducedMotion: true,
  components: {
    Button: {
      defaultProps: { size: "sm" },
      vars: () => ({ root: { "--button-height": "32px", "--button-padding-x": "12px", "--button-fz": "13px" } }),
    },
    ActionIcon: { defaultProps: { variant: "subtle", color: "gray", size: 30 } },
    Input: { defaultProps: { size: "sm" }, vars: () => ({ wrapper: { "--input-height": "32px", "--input-fz": "13px" } }) },
    TextInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm" } },
    Modal: {
      defaultProps: {
        centered: true,
        closeButtonProps: { "aria-label": "Close" },
        transitionProps: { duration: 120 },
        overlayProps: { backgroundOpacity: 0.45 },
      },
    },
    Drawer: {
      defaultProps: {
        closeButtonProps: { "aria-label": "Close" },
        transitionProps: { duration: 120 },
        overlayProps: { backgroundOpacity: 0.45 },
      },
    },
    Menu: { defaultProps: { transitionProps: { duration: 80 }, shadow: "md" } },
    Popover: { defaultProps: { transitionProps: { duration: 80 } } },
    Tooltip: { defaultProps: { openDelay: 350, transitionProps: { duration: 80 }, withinPortal: true } },
  },
};

function side(index: 0 | 1): Record<string, string> {
  const all = { ...palette, ...shadow };
  const own = Object.fromEntries(Object.entries(all).map(([name, pair]) => [`--v-${name}`, pair[index]]));
  return {
    ...own,
    "--mantine-color-body": palette.surface[index],
    "--mantine-color-text": palette.text[index],
    "--mantine-color-dimmed": palette["text-3"][index],
    "--mantine-color-placeholder": palette["text-3"][index],
    "--mantine-color-default": palette.surface[index],
    "--mantine-color-default-hover": palette.hover[index],
    "--mantine-color-default-border": palette["line-strong"][index],
    "--mantine-color-error": palette.error[index],
    "--mantine-color-anchor": palette["accent-text"][index],
  };
}

/** Turns the tables above into custom properties, per colour scheme. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: Object.fromEntries(Object.entries(sizes).map(([name, value]) => [`--v-${name}`, value])),
  light: side(0),
  dark: side(1),
});
