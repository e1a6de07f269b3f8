// The pages that exist, grouped by what people do. The navigation, the palette, the `g` keys and the help all read this list.
import { IconActivityHeartbeat, IconBinaryTree2, IconMessages, IconRefreshDot, IconServer2, IconSettings } from "@tabler/icons-react";

export const pages = [
  { group: "Loop", to: "/", title: "Overview", key: "o", icon: IconRefreshDot, about: "The loop: what runs, what needs attention" },
  {
    group: "Observe",
    to: "/traces",
    title: "Traces",
    key: "t",
    icon: IconActivityHeartbeat,
    about: "Every answer with its stages, times and tokens",
  },
  { group: "Build", to: "/chat", title: "Chat", key: "c", icon: IconMessages, about: "Ask the twin and see its sources" },
  {
    group: "Build",
    to: "/features",
    title: "Features",
    key: "f",
    icon: IconBinaryTree2,
    about: "Documents, chunks and the snapshot that answers",
  },
  { group: "Run", to: "/servers", title: "Servers", key: "s", icon: IconServer2, about: "Model servers, their memory and their logs" },
  { group: "", to: "/settings", title: "Settings", key: "e", icon: IconSettings, about: "API keys and appearance" },
] as const;

export const groups = ["Loop", "Observe", "Build", "Run", ""] as const;
