/** The flywheel: three arcs around a hub. */
export function Logo({ size }: { size: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={2.6}
      strokeLinecap="round"
      aria-hidden="true"
      style={{ color: "var(--v-accent-text)" }}
    >
      <path d="M12 3a9 9 0 0 1 8.6 6.4" />
      <path d="M20.9 13.8A9 9 0 0 1 9.4 20.6" opacity={0.72} />
      <path d="M5.7 18.4A9 9 0 0 1 7.6 4.1" opacity={0.45} />
      <circle cx={12} cy={12} r={2.6} fill="currentColor" stroke="none" />
    </svg>
  );
}
