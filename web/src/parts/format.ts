// Text of numbers and times, the same on every page. Pure functions; the locale of numbers is fixed so that pages can be compared.

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** 12345 → "12,345". */
export function count(value: number): string {
  return grouped.format(value);
}

/** 1284321 → "1.28M", for tiles where the exact number stands in the title. */
export function compact(value: number): string {
  if (Math.abs(value) < 10_000) return count(value);
  const steps: [number, string][] = [
    [1e9, "B"],
    [1e6, "M"],
    [1e3, "k"],
  ];
  for (const [size, letter] of steps) if (Math.abs(value) >= size) return `${significant(value / size)}${letter}`;
  return count(value);
}

function significant(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return grouped.format(value);
  return value.toFixed(magnitude >= 10 ? 1 : 2).replace(/\.?0+$/, "");
}

/** Milliseconds with the unit that fits: 0.42 → "420 µs", 7421 → "7.42 s", 400000 → "6 min 40 s". */
export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms)) return "–";
  if (ms < 0) return `-${duration(-ms)}`;
  if (ms === 0) return "0 ms";
  if (ms < 0.9995) return `${Math.max(1, Math.round(ms * 1000))} µs`;
  if (ms < 999.5) return `${significant(ms)} ms`;
  if (ms < 59_950) return `${significant(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(" ");
}

/** Bytes in powers of 1024. */
export function bytes(value: number | undefined): string {
  if (value === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let index = 0;
  let rest = value;
  while (rest >= 1024 && index < units.length - 1) {
    rest /= 1024;
    index++;
  }
  return `${index === 0 ? count(rest) : significant(rest)} ${units[index]}`;
}

/** A share with what it is a share of: "2.5% of 120". */
export function share(part: number, whole: number): string {
  if (whole === 0) return "none yet";
  const percent = (100 * part) / whole;
  const digits = percent === 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
  return `${percent.toFixed(digits)}% of ${count(whole)}`;
}

/** How long ago, in one unit: "now", "12 s ago", "3 h ago"; a time ahead reads "in 5 min". */
export function ago(time: string | undefined, now: number): string {
  if (!time) return "–";
  const then = Date.parse(time);
  if (Number.isNaN(then)) return time;
  const seconds = Math.round((now - then) / 1000);
  const distance = Math.abs(seconds);
  if (distance < 3) return "now";
  const units: [number, string][] = [
    [86_400 * 365, "y"],
    [86_400 * 30, "mo"],
    [86_400, "d"],
    [3600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const [size, name] = units.find(([unit]) => distance >= unit) ?? [1, "s"];
  const text = `${Math.floor(distance / size)} ${name}`;
  return seconds < 0 ? `in ${text}` : `${text} ago`;
}

/** The absolute time in the reader's zone, with the zone's name and milliseconds. */
export function absolute(time: string | undefined): string {
  if (!time) return "";
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return time;
  const text = new Intl.DateTimeFormat("en-GB", {
    weekday: "short",
    day: "2-digit",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    timeZoneName: "short",
  } as Intl.DateTimeFormatOptions).format(date);
  return text.replaceAll(",", "");
}

/** "14:03" of an hour in the reader's zone. */
export function clock(time: string | number): string {
  return new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date(time));
}

/** "1 span", "2 spans". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** The first letters of an id, as much as a reader can compare at a glance. */
export function shortId(id: string): string {
  return id.length > 12 ? id.slice(0, 8) : id;
}
