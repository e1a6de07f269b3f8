// The command palette behind Ctrl-K: pages, actions, and a trace by its id or by words.
import { useMantineColorScheme } from "@mantine/core";
import { Spotlight } from "@mantine/spotlight";
import { IconActivityHeartbeat, IconMoon, IconSearch, IconSun } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { pages } from "./nav";

export function Palette() {
  const [query, setQuery] = useState("");
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  const words = query.trim();
  const actions = [
    ...pages.map((page) => ({
      id: page.to,
      label: page.title,
      description: page.about,
      leftSection: <page.icon size={17} stroke={1.75} />,
      onClick: () => void navigate({ to: page.to }),
    })),
    {
      id: "light",
      label: "Light theme",
      description: "Dark text on a light ground",
      leftSection: <IconSun size={17} stroke={1.75} />,
      onClick: () => setColorScheme("light"),
    },
    {
      id: "dark",
      label: "Dark theme",
      description: "Light text on a dark ground",
      leftSection: <IconMoon size={17} stroke={1.75} />,
      onClick: () => setColorScheme("dark"),
    },
  ].filter((action) => `${action.label} ${action.description}`.toLowerCase().includes(words.toLowerCase()));
  const isId = /^[0-9a-f]{16,36}$/i.test(words.replaceAll("-", "")) || /^[A-Za-z]+_[A-Za-z0-9]{8,}$/.test(words);
  return (
    <Spotlight.Root
      query={query}
      onQueryChange={setQuery}
      shortcut={["mod + K"]}
      scrollable
      maxHeight={420}
      transitionProps={{ duration: 100 }}
      overlayProps={{ blur: 0, backgroundOpacity: 0.45 }}
      centered={false}
      yOffset="14vh"
    >
      <Spotlight.Search
        placeholder="Go to a page, open a trace by its id, search traces"
        leftSection={<IconSearch size={17} stroke={1.75} />}
      />
      <Spotlight.ActionsList>
        {isId && (
          <Spotlight.Action
            label={`Open trace ${words}`}
            leftSection={<IconActivityHeartbeat size={17} stroke={1.75} />}
            onClick={() => void navigate({ to: "/traces/$traceId", params: { traceId: words } })}
          />
        )}
        {actions.map(({ id, ...action }) => (
          <Spotlight.Action key={id} {...action} />
        ))}
        {words && !isId && (
          <Spotlight.Action
            label={`Search traces for “${words}”`}
            leftSection={<IconSearch size={17} stroke={1.75} />}
            onClick={() => void navigate({ to: "/traces", search: { text: words } })}
          />
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
