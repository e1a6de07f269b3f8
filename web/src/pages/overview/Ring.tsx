// The loop as a ring: one station per hop that exists, joined by arcs in the direction of the flow.
import {
  IconBroadcast,
  IconChartDots3,
  IconClipboardCheck,
  IconDatabaseImport,
  IconEye,
  IconFileStack,
  IconGavel,
  IconMessageHeart,
  IconRocket,
  IconSchool,
  IconStack2,
  IconTrendingDown,
  IconTrophy,
} from "@tabler/icons-react";
import type { Hop } from "../../api/types";
import classes from "./Overview.module.css";

const icons: Record<string, typeof IconEye> = {
  collect: IconFileStack,
  features: IconStack2,
  serve: IconBroadcast,
  observe: IconEye,
  feedback: IconMessageHeart,
  data_sets: IconDatabaseImport,
  train: IconSchool,
  evaluate: IconClipboardCheck,
  register: IconTrophy,
  deploy: IconRocket,
  drift: IconTrendingDown,
  decide: IconGavel,
};

export function HopIcon({ id, size = 18 }: { id: string; size?: number }) {
  const Icon = icons[id] ?? IconChartDots3;
  return <Icon size={size} stroke={1.75} aria-hidden />;
}

const size = 280;
const radius = 104;
const station = 25;

function point(angle: number, r = radius): [number, number] {
  return [size / 2 + r * Math.sin(angle), size / 2 - r * Math.cos(angle)];
}

type Props = { hops: Hop[]; hovered?: string; onHover: (id?: string) => void; onOpen: (hop: Hop) => void; centre: string; caption: string };

export function Ring({ hops, hovered, onHover, onOpen, centre, caption }: Props) {
  const step = (2 * Math.PI) / Math.max(hops.length, 1);
  const gap = (station + 8) / radius;
  return (
    <svg
      viewBox={`0 0 ${size} ${size}`}
      className={classes.ring}
      role="img"
      aria-label={`The loop: ${hops.map((hop) => `${hop.title} ${hop.state}`).join(", ")}`}
    >
      <defs>
        <marker id="arrow" viewBox="0 0 8 8" refX="5" refY="4" markerWidth="7" markerHeight="7" orient="auto">
          <path d="M1 1l5 3-5 3" className={classes.arrow} />
        </marker>
      </defs>
      {hops.map((hop, index) => {
        const from = point(index * step + gap);
        const to = point((index + 1) * step - gap);
        const closes = index === hops.length - 1;
        return (
          <path
            key={hop.id}
            className={classes.arc}
            data-state={hop.state}
            data-closes={closes || undefined}
            d={`M${from} A${radius} ${radius} 0 0 1 ${to}`}
            markerEnd="url(#arrow)"
          />
        );
      })}
      {hops.map((hop, index) => {
        const [x, y] = point(index * step);
        return (
          <g
            key={hop.id}
            className={classes.station}
            data-state={hop.state}
            data-hovered={hovered === hop.id || undefined}
            transform={`translate(${x} ${y})`}
            onMouseEnter={() => onHover(hop.id)}
            onMouseLeave={() => onHover(undefined)}
            onClick={() => onOpen(hop)}
          >
            <circle r={station} />
            <g transform="translate(-11 -11)">
              <HopIcon id={hop.id} size={22} />
            </g>
            <title>{`${hop.title}: ${hop.headline}`}</title>
          </g>
        );
      })}
      <text x={size / 2} y={size / 2 + 2} className={classes.centre}>
        {centre}
      </text>
      <text x={size / 2} y={size / 2 + 22} className={classes.caption}>
        {caption}
      </text>
    </svg>
  );
}
